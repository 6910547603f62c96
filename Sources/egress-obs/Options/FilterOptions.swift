import ArgumentParser
import EgressModel
import Host

/// The filters of every command that lists.
struct FilterOptions: ParsableArguments {
  @Option(help: "Only what was seen since then: a duration back from now (90s, 15m, 2h, 7d) or an RFC 3339 time.")
  var since: TimeBound?
  @Option(help: "Only what began before then (as --since).")
  var until: TimeBound?
  @Option(help: "Only the newest N.")
  var last: Int?
  @Option(name: [.customShort("n"), .long], help: "A namespace; may be repeated, as every filter below.")
  var namespace: [String] = []
  @Option(help: "A workload or its owner: KIND/NAME (deployment/web, pod/web-1, systemd/nginx.service) or NAME.")
  var workload: [WorkloadPattern] = []
  @Option(help: "A glob over the destination's names and address (*.example.com).")
  var name: [Glob] = []
  @Option(help: "A glob over the vendor's name.")
  var vendor: [Glob] = []
  @Option(help: "A destination port.")
  var port: [UInt16] = []
  @Option(help: "tcp, udp, sctp, icmp, icmpv6 or an IP protocol number.")
  var transport: [Transport] = []
  @Option(help: "What the policies say of it.")
  var verdict: [Verdict.Decision] = []
  @Option(help: "What was found of it.")
  var finding: [FindingKind] = []
  @Flag(name: .customLong("not"), help: "Negates the filter that follows: --not --port 443.")
  var strayNot = false

  @Option(name: .customLong("not-namespace"), help: .hidden) var notNamespace: [String] = []
  @Option(name: .customLong("not-workload"), help: .hidden) var notWorkload: [WorkloadPattern] = []
  @Option(name: .customLong("not-name"), help: .hidden) var notName: [Glob] = []
  @Option(name: .customLong("not-vendor"), help: .hidden) var notVendor: [Glob] = []
  @Option(name: .customLong("not-port"), help: .hidden) var notPort: [UInt16] = []
  @Option(name: .customLong("not-transport"), help: .hidden) var notTransport: [Transport] = []
  @Option(name: .customLong("not-verdict"), help: .hidden) var notVerdict: [Verdict.Decision] = []
  @Option(name: .customLong("not-finding"), help: .hidden) var notFinding: [FindingKind] = []

  func validate() throws {
    if strayNot {
      throw ValidationError("--not must stand right before the filter it negates, such as --not --port 443.")
    }
    let now = WallClock.now
    if let since = since?.timestamp(now: now), let until = until?.timestamp(now: now), since >= until {
      throw ValidationError("--since is not before --until, so nothing can lie between them; durations count back from now: --since 2h --until 1h.")
    }
    if let last, last < 1 { throw ValidationError("--last \(last): give a number of 1 or more.") }
  }

  func filter(now: Timestamp) -> RecordFilter {
    RecordFilter(
      since: since?.timestamp(now: now), until: until?.timestamp(now: now), last: last,
      including: Self.criteria(namespace, workload, name, vendor, port, transport, verdict, finding),
      excluding: Self.criteria(notNamespace, notWorkload, notName, notVendor, notPort, notTransport, notVerdict, notFinding))
  }

  private static func criteria(
    _ namespaces: [String], _ workloads: [WorkloadPattern], _ names: [Glob], _ vendors: [Glob], _ ports: [UInt16], _ transports: [Transport],
    _ verdicts: [Verdict.Decision], _ findings: [FindingKind]
  ) -> [RecordFilter.Criterion] {
    var criteria = namespaces.map(RecordFilter.Criterion.namespace)
    criteria += workloads.map { .workload(kind: $0.kind, name: $0.name) }
    criteria += names.map(RecordFilter.Criterion.name)
    criteria += vendors.map(RecordFilter.Criterion.vendor)
    criteria += ports.map(RecordFilter.Criterion.port)
    criteria += transports.map(RecordFilter.Criterion.transport)
    criteria += verdicts.map(RecordFilter.Criterion.verdict)
    criteria += findings.map(RecordFilter.Criterion.finding)
    return criteria
  }
}

/// `KIND/NAME`, or a name alone.
struct WorkloadPattern: ExpressibleByArgument {
  var kind: String?
  var name: String

  init?(argument: String) {
    let parts = argument.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let last = parts.last, !last.isEmpty, parts[0] != "" else { return nil }
    kind = parts.count > 1 ? String(parts[0]) : nil
    name = String(last)
  }
}
