import EgressModel
import Policy

/// Who was seen to be under which policy, and what the rules were really used for.
struct RuleUsage {
  private var destinations: [RuleReference: Set<Subject>] = [:]
  /// By policy, then by group: one of the group, and the names that it was seen under.
  private var workloads: [String: [String: (one: Workload, names: Set<String>)]] = [:]
  private(set) var used: Set<RuleReference>

  /// A rule that only denies is not stale for want of use.
  init(_ rules: [RuleDescription]) {
    used = Set(rules.lazy.filter(\.denies).map(\.reference))
  }

  mutating func add(_ endpoint: Endpoint, _ subject: Subject, isWide: Bool) {
    guard let verdict = endpoint.verdict else { return }
    for policy in verdict.selectedBy + verdict.by.map(\.policy) {
      workloads[policy, default: [:]][subject.group, default: (endpoint.workload, [])].names.insert(endpoint.workload.name)
    }
    used.formUnion(verdict.by)
    guard isWide, let rule = verdict.by.first else { return }
    destinations[rule, default: []].insert(subject)
  }

  /// `; really used for api.example.com:443 and 2 more`
  func purpose(of rule: RuleReference) -> String {
    let labels = Set((destinations[rule] ?? []).map { $0.transport == .tcp ? $0.destination : "\($0.destination)/\($0.transport)" }).sorted()
    if labels.isEmpty { return "" }
    return "; really used for " + (labels.count > 3 ? "\(labels.prefix(2).joined(separator: ", ")) and \(labels.count - 2) more" : labels.joined(separator: ", "))
  }

  /// How far those that a policy selects were seen: as how many pods at least (each start makes one), and which of them run by a schedule.
  func presence(under policy: String) -> String {
    guard let seen = workloads[policy], !seen.isEmpty else { return "none of its workloads seen" }
    let pods = seen.values.reduce(0) { $0 + ($1.one.kind == .pod ? $1.names.count : 0) }
    let scheduled = seen.values.map(\.one).filter { $0.owner?.kind == "CronJob" || $0.owner?.kind == "Job" }.map(\.shortName).sorted()
    let details = [
      pods > 0 ? "\(pods) \(pods == 1 ? "pod" : "pods")" : nil, scheduled.isEmpty ? nil : "by schedule \(scheduled.joined(separator: ", "))",
    ].compactMap(\.self)
    return "\(seen.count) of its workloads seen" + (details.isEmpty ? "" : " (\(details.joined(separator: "; ")))")
  }
}
