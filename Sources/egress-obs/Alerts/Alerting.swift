import Drift
import EgressModel
import Storage

/// Which findings become alerts, for whom, and what is said in them.
struct Alerting: Sendable {
  var hooks: [Hook]
  /// The findings to alert on.
  var kinds: Set<FindingKind>
  /// Findings raised before this moment are recorded and not sent: the time in which the daemon learns what is usual.
  var quietUntil: Timestamp
  /// Alerts of one topic within this time are one alert.
  var groupingWindow: TimeSpan
  var node: String

  func wants(_ finding: Finding, at now: Timestamp) -> Bool {
    kinds.contains(finding.kind) && now >= quietUntil
  }

  func alert(of finding: Finding, _ id: FindingID, for hook: Hook, at now: Timestamp) -> Alert {
    let alertID = Alert.makeID()
    return Alert(
      id: alertID, hook: hook.key, finding: id, topic: Self.topic(of: finding), payload: Self.payload(of: finding, id: alertID, node: node, at: now).text)
  }

  /// What one alert stands for: a new vendor is one alert, however many of its names and however many workloads talk to it.
  static func topic(of finding: Finding) -> String {
    let whom =
      finding.vendor?.name ?? finding.destination?.names.first { $0.confidence != .hint }?.name.text ?? finding.destination?.address.description
      ?? finding.rule?.description ?? ""
    return finding.kind == .new ? "new/\(whom)" : "\(finding.kind.rawValue)/\(finding.workload?.group ?? "")/\(whom)"
  }

  /// The shape `egress-obs.alert.v1`.
  static func payload(of finding: Finding, id: String, node: String, at now: Timestamp) -> JSONValue {
    .object([
      "schema": .string("egress-obs.alert.v1"),
      "id": .string(id),
      "time": .string(now.description),
      "finding": .string(finding.kind.rawValue),
      "severity": .string(finding.severity.rawValue),
      "node": .string(node),
      "title": .string(finding.title),
      "workload": finding.workload?.json ?? .object([]),
      "destination": finding.destination?.json ?? .object([]),
      "vendor": finding.vendor?.json,
      "evidence": .array(finding.samples.map(\.json)),
      "policy": .object([
        "rule": finding.rule?.json,
        "reason": finding.reason.map { .string($0) },
        "enforcement": finding.enforcement.map { .string($0.rawValue) },
      ]),
      "approve": approval(of: finding).map { .string($0) },
    ])
  }

  /// The command that accepts the endpoint, with the workload's group, which outlives its pods.
  private static func approval(of finding: Finding) -> String? {
    guard finding.kind == .new || finding.kind == .denied, let workload = finding.workload, let destination = finding.destination else { return nil }
    return "egress-obs approve \(destination.provenName?.name.text ?? destination.address.description) --workload \(workload.group)"
  }
}
