public import EgressModel

/// One flow that `egress-obs check` is asked about: a line of NDJSON.
///
/// `{"id":"f1","from":"shop/cart-1","to":{"ip":"203.0.113.10","port":443,"name":"api.example.net"},"protocol":"tcp"}`
///
/// - `from`: `namespace/pod`, `namespace/Kind/name` for any pod of a controller, `systemd/unit`, `container/name`, `process/command`,
///   or an address (alone or as `address/…`). A pod in a namespace called like one of these words is `pod/namespace/name`.
/// - `to.ip` and `protocol` must be there; `to.port` too when the protocol has ports, and else is ignored.
/// - `to.name` is taken as said in the connection (`confirmed`).
public struct FlowQuery: Hashable, Sendable {
  public var id: String
  public var from: Workload
  public var destination: Destination

  public init(id: String, from: Workload, destination: Destination) {
    self.id = id
    self.from = from
    self.destination = destination
  }

  /// Reads every line that is not blank; the errors are in the order of the lines, and do not keep the other lines from being read.
  public static func read(_ text: String, file: String) -> (queries: [FlowQuery], errors: [PolicyError]) {
    var queries: [FlowQuery] = []
    var errors: [PolicyError] = []
    for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      do throws(PolicyError) {
        queries.append(try FlowQuery(json: Substring(line), file: file, line: index + 1))
      } catch {
        errors.append(error)
      }
    }
    return (queries, errors)
  }

  /// Reads one line; `file` and `line` are what errors call it.
  public init(json text: Substring, file: String, line: Int) throws(PolicyError) {
    func bad(_ field: String, _ problem: String) -> PolicyError { .badFlow(file: file, line: line, field: field, problem: problem) }
    let root: ManifestValue
    do throws(JSONText.Failure) {
      root = try JSONText.value(of: text)
    } catch {
      throw bad("", "it is not JSON: \(error.problem)")
    }
    guard case .map = root.content else { throw bad("", "an object is expected, not \(root.account)") }
    func string(_ value: ManifestValue?, _ field: String) throws(PolicyError) -> String {
      guard let value else { throw bad(field, "it is missing") }
      guard let text = value.string else { throw bad(field, "a string is expected, not \(value.account)") }
      return text
    }
    id = try string(root["id"], "id")
    let from = try string(root["from"], "from")
    guard let workload = Self.workload(from) else {
      throw bad("from", "\(quoted(from)) is no workload; write namespace/pod, systemd/unit, container/name or an address")
    }
    self.from = workload
    guard let to = root["to"] else { throw bad("to", "it is missing") }
    guard case .map = to.content else { throw bad("to", "an object is expected, not \(to.account)") }
    let ip = try string(to["ip"], "to.ip")
    guard let address = IPAddress(ip) else { throw bad("to.ip", "\(quoted(ip)) is no address") }
    let word = try string(root["protocol"], "protocol")
    guard var transport = Transport(word) else {
      throw bad("protocol", "\(quoted(word)) is none of tcp, udp, sctp, icmp, icmpv6 and no protocol number")
    }
    if transport == .icmp, !address.isV4 { transport = .icmpv6 }
    var port: UInt16?
    if transport.hasPorts {
      guard let value = to["port"] else { throw bad("to.port", "it is missing, and \(transport) has ports") }
      guard case .integer(let number) = value.content, let exact = UInt16(exactly: number) else {
        throw bad("to.port", "a number from 0 to 65535 is expected, not \(value.account)")
      }
      port = exact
    }
    var names: [NameEvidence] = []
    if let value = to["name"] {
      let name = try string(value, "to.name")
      guard !name.isEmpty else { throw bad("to.name", "it is empty") }
      names = [NameEvidence(name: DomainName(presentation: name), source: .tlsSNI, confidence: .confirmed)]
    }
    destination = Destination(address: address, port: port, transport: transport, names: names)
  }

  /// The workload that `from` means; nil when it means none.
  public static func workload(_ text: String) -> Workload? {
    if let address = IPAddress(text) { return Workload(address: address) }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 2, !parts.contains("") else { return nil }
    let rest = parts.dropFirst().joined(separator: "/")
    switch parts[0] {
    case "systemd", "container", "process": return Workload(kind: Workload.Kind(rawValue: parts[0]), name: rest)
    case "address": return IPAddress(rest).map { Workload(address: $0) }
    case "pod" where parts.count == 3: return Workload(kind: .pod, namespace: parts[1], name: parts[2])
    default: break
    }
    switch parts.count {
    case 2: return Workload(kind: .pod, namespace: parts[0], name: parts[1])
    case 3: return Workload(kind: .pod, namespace: parts[0], name: parts[2], owner: .init(kind: parts[1], name: parts[2]))
    default: return nil
    }
  }
}
