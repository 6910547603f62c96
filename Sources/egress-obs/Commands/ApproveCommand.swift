import ArgumentParser
import Drift
import EgressModel
import FoundationEssentials
import Host
import Reporting

/// `egress-obs approve`: writes down in a lock file that endpoints are accepted.
struct ApproveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Accepts endpoints, with owner, reason and expiry, in a lock file under review.",
    discussion: """
      An approval answers the finding `new` in report --baseline until it expires; what a policy denies stays denied. The file is written in a stable
      order, so that a review sees what was added. With --from-report everything that a report calls new is approved.
      """)

  /// Where approvals are, unless it is said.
  static let defaultPath = "egress-approvals.yaml"

  @Argument(help: ArgumentHelp("api.segment.io, api.segment.io:443, 192.0.2.53:53/udp; without a port every one.", valueName: "endpoint"))
  var endpoints: [String] = []
  @Option(help: ArgumentHelp("Who talks to it: shop/Deployment/web, systemd/nginx.service.", valueName: "workload"))
  var workload: String?
  @Option(help: ArgumentHelp("Every finding new of this report (report -o ndjson), or - for standard input.", valueName: "file"))
  var fromReport: String?
  @Option(help: "Who answers for it.")
  var owner: String
  @Option(help: "Why it is right.")
  var reason: String
  @Option(help: "Where it was discussed.")
  var ticket: String?
  @Option(help: ArgumentHelp("From when on it counts no more: a duration (90d), a date (2027-03-01) or never.", valueName: "when"))
  var expires = "180d"
  @Option(help: "Who approves; by default the user's name.")
  var by: String?
  @Option(help: ArgumentHelp("The lock file; it is made where there is none.", valueName: "file"))
  var baseline = ApproveCommand.defaultPath

  func validate() throws {
    guard (workload == nil) == endpoints.isEmpty, endpoints.isEmpty != (fromReport == nil) else {
      throw ValidationError("name endpoints and --workload, or --from-report alone.")
    }
    for endpoint in endpoints where Approval.Endpoint(endpoint) == nil {
      throw ValidationError("\(endpoint) is no endpoint; write it like api.example.com, api.example.com:443, [2001:db8::1]:443 or 192.0.2.53:53/udp.")
    }
    if let workload, !workload.contains("/") { throw ValidationError("--workload \(workload): write it like shop/Deployment/web or systemd/nginx.service.") }
    for (name, value) in [("owner", owner), ("reason", reason)] where value.allSatisfy(\.isWhitespace) { throw ValidationError("--\(name) is empty.") }
    if expires != "never", TimeBound(argument: expires) == nil, Timestamp(dateOrTime: expires) == nil {
      throw ValidationError("--expires \(expires): give a duration (90d), a date (2027-03-01) or never.")
    }
  }

  func run() throws {
    let by = self.by ?? ProcessInfo.processInfo.environment["USER"] ?? ""
    guard !by.isEmpty else { throw Trouble("who approves is not known; say --by") }
    let now = WallClock.now
    var expiry: Timestamp?
    if let span = TimeSpan(expires) {
      // To the day: a file under review says dates.
      let end = now.adding(nanoseconds: span.nanoseconds)
      expiry = Timestamp(dateOrTime: String(end.description.prefix(10))) ?? end
    } else if expires != "never" {
      expiry = Timestamp(dateOrTime: expires)
    }
    var approvals = FileManager.default.fileExists(atPath: baseline) ? try Approvals.load(baseline) : Approvals()
    let wanted =
      try fromReport.map(ReportedEndpoint.read)
      ?? endpoints.compactMap { Approval.Endpoint($0) }.map { ReportedEndpoint(workload: workload ?? "", endpoint: $0) }
    var text = ""
    for one in wanted {
      // Several runs are merged: what stands there with its own reason keeps it while it counts.
      if fromReport != nil, let known = approvals.list.first(where: { $0.workload == one.workload && $0.endpoint == one.endpoint }), !known.isExpired(at: now) {
        continue
      }
      let approval = Approval(
        endpoint: one.endpoint, workload: one.workload, owner: owner, reason: reason, ticket: ticket, expires: expiry, by: by)
      let word = approvals.add(approval) == nil ? "approved" : "replaced"
      text += "\(word) \(Escaping.terminal(one.workload)) → \(one.endpoint)\n"
    }
    do {
      try Data(approvals.text.utf8).write(to: URL(filePath: baseline), options: .atomic)
    } catch {
      throw Trouble("cannot write \(baseline): \(error) (check its directory and permissions)")
    }
    StandardOutput.write(text.isEmpty ? "nothing to approve\n" : text)
  }
}

extension Approvals {
  static func load(_ path: String) throws -> Approvals {
    let (approvals, errors) = read(try InputFile.one(at: path), file: path)
    guard errors.isEmpty else { throw Trouble(listing: errors) }
    return approvals
  }
}

/// What a report says of who talks to what.
struct ReportedEndpoint {
  var workload: String
  var endpoint: Approval.Endpoint

  private struct Line: Decodable {
    struct Owner: Decodable {
      var kind: String
      var name: String
    }
    struct Talker: Decodable {
      var kind: String
      var namespace: String?
      var name: String
      var owner: Owner?
    }
    struct Evidence: Decodable {
      var name: String
      var confidence: Confidence
    }
    struct Place: Decodable {
      var ip: String
      var port: UInt16?
      var transport: String
      var names: [Evidence]?
    }
    var schema: String
    var finding: String?
    var workload: Talker?
    var destination: Place?
  }

  /// The findings `new`, in the order of the report.
  static func read(_ path: String) throws -> [ReportedEndpoint] {
    var endpoints: [ReportedEndpoint] = []
    for (number, line) in try InputFile.one(at: path).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      guard let record = JSONLine.decode(Line.self, line) else {
        throw Trouble("\(path):\(number + 1): is no line of a report (write it with egress-obs report -o ndjson)")
      }
      guard record.finding == FindingKind.new.rawValue, let talker = record.workload, let place = record.destination else { continue }
      guard let address = IPAddress(place.ip), let transport = Transport(place.transport) else {
        throw Trouble("\(path):\(number + 1): \(place.ip)/\(place.transport) is no destination")
      }
      let workload = Workload(
        kind: Workload.Kind(rawValue: talker.kind), namespace: talker.namespace, name: talker.name,
        owner: talker.owner.map { Workload.Owner(kind: $0.kind, name: $0.name) })
      let name = place.names?.first.flatMap { $0.confidence == .hint || IPAddress($0.name) != nil ? nil : $0.name }
      let host = name.map { Approval.Endpoint.Host.name(DomainName(presentation: $0)) } ?? .address(address)
      let endpoint = Approval.Endpoint(host: host, port: place.port, transport: transport)
      // Whatever a client says can be a name here; the lock file holds host names.
      guard Approval.Endpoint(endpoint.description) == endpoint else {
        StandardError.write("egress-obs: \(path):\(number + 1): \(Escaping.terminal(endpoint.description)) is no host name, and cannot be approved\n")
        continue
      }
      endpoints.append(ReportedEndpoint(workload: workload.group, endpoint: endpoint))
    }
    return endpoints
  }
}
