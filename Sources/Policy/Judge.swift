public import EgressModel

/// Says what the declared policies allow.
///
/// Made once from policies and inventory, immutable from then on, and shared freely. Selectors are resolved and rules indexed when it is made; a verdict
/// then looks only at those rules of the policies that select the workload that may be about the destination. When policies change, `replacing` makes
/// another and says whom to judge again.
///
/// Kinds that one data path evaluates together are one engine (NetworkPolicy; EgressPolicy). A flow passes only if every engine that selects the
/// workload lets it: the workload is unprotected only if none does.
///
/// - A pod is looked up by uid, else by namespace and name, else any pod of its controller stands for it.
/// - A workload of which only the address is known is the pod with that address.
/// - For an `ambiguous` workload all candidates must agree, else it is undecidable.
/// - Traffic to loopback and to the pod's own address is never subject to policy.
/// - NetworkPolicy sees a Service's address translated: every backend that the inventory knows is judged, and when they disagree, or none is
///   known and that matters, the verdict is undecidable.
/// - The names that were said in the connection decide, and each of them must be allowed; without any, those that the workload looked up. Most data
///   paths know names only as addresses, so what one denies by the name that was said may pass for another name's sake: that is told (`bypass`).
/// - Judge a connection by its initiator; answers need no rule.
public struct Judge: Sendable {
  /// What passes without any rule, for reports: nothing is exempted in silence.
  public static let exemptions = [
    "traffic to loopback and to the workload's own addresses", "answers to connections that others opened",
    "NetworkPolicy: pods on the host network, whose traffic is the node's",
  ]

  let cluster: Cluster
  /// A flow passes only if each of them lets it.
  let engines: [any PolicyEngine]
  let hasPolicies: Bool
  /// By whose rules the policies of data paths combine.
  let engine: Engine

  public init(policies: PolicySet, inventory: Inventory) {
    self.init(policies: policies, cluster: Cluster(inventory))
  }

  init(policies: PolicySet, cluster: Cluster) {
    let enforced = policies.enforced
    self.cluster = cluster
    engine = policies.engine
    let dataPath: any PolicyEngine =
      switch engine {
      case .auto, .generic: GenericEngine(enforced, cluster: cluster)
      case .cilium: CiliumEngine(enforced, cluster: cluster)
      case .calico, .calicoEnterprise: CalicoEngine(enforced, cluster: cluster)
      }
    // Kinds that the data path leaves alone are not among the enforced: those engines then select nothing.
    engines = [
      dataPath,
      EgressFirewallEngine(enforced.all(EgressFirewall.self), cluster: cluster),
      IstioEngine(enforced, cluster: cluster),
      SystemdEngine(enforced.unitFiles),
      EgressPolicyEngine(enforced.all(EgressPolicy.self), cluster: cluster),
    ]
    hasPolicies = !enforced.isEmpty
  }

  public func judge(_ workload: Workload, _ destination: Destination) -> Verdict {
    guard hasPolicies else { return Verdict(decision: .unprotected) }
    switch workload.kind {
    case .pod:
      if let pod = cluster.pod(for: workload) { return judge(pod: pod, destination) }
      let namespace = workload.namespace ?? "default"
      guard engines.contains(where: { $0.maySelectPods(in: namespace) }) else { return Verdict(decision: .unprotected) }
      return Verdict(decision: .undecidable, reason: "pod \(namespace)/\(workload.name) is not in the inventory; pass --inventory")
    case .address:
      guard let pod = IPAddress(workload.name).flatMap(cluster.pod(at:)) else {
        return Verdict(decision: .undecidable, reason: "no workload is known for \(workload.name); pass --inventory")
      }
      return judge(pod: pod, destination)
    case .ambiguous:
      return judge(candidates: workload.candidates, destination)
    default:
      return judge(destination) { $0.judge(host: workload, $1) }
    }
  }

  private func judge(pod: Int, _ destination: Destination) -> Verdict {
    if isExempt(pod, destination) {
      return exempt(engines.flatMap { $0.names(selecting: pod) }.sorted())
    }
    return judge(destination) { $0.judge(pod, $1) }
  }

  /// Traffic to loopback and to the pod's own address.
  func isExempt(_ pod: Int, _ destination: Destination) -> Bool {
    destination.address.isLoopback || cluster.pods[pod].addresses.contains(destination.address)
  }

  /// By the names that were said; where these are denied, it is told whether the data path lets the flow through for another name's sake.
  private func judge(_ destination: Destination, _ judge: (any PolicyEngine, Destination) -> Verdict) -> Verdict {
    guard destination.names.count > 1 else { return Self.all(engines.map { judge($0, destination) }) }
    let alternatives = destination.alternatives
    var verdict = Self.all(engines.flatMap { engine in alternatives.map { judge(engine, $0) } })
    guard verdict.decision == .denied, let seen = destination.asAddress else { return verdict }
    let passing = passing(seen, alternatives, judge)
    if passing.decision == .allowed { verdict.bypass = passing.by.first }
    return verdict
  }

  /// By the names that lead to the address, where a data path knows names so only; `seen`: the destination as it sees it.
  func passing(_ seen: Destination, _ alternatives: [Destination], _ judge: (any PolicyEngine, Destination) -> Verdict) -> Verdict {
    Self.all(engines.flatMap { engine in engine.knowsNamesAsAddresses ? [judge(engine, seen)] : alternatives.map { judge(engine, $0) } })
  }

  /// The policies that select a pod of the inventory, by its place in it.
  func names(selecting pod: Int) -> [String] { engines.flatMap { $0.names(selecting: pod) } }

  private func exempt(_ selectedBy: [String]) -> Verdict {
    Verdict(decision: selectedBy.isEmpty ? .unprotected : .allowed, selectedBy: selectedBy)
  }

  private func judge(candidates: [Workload], _ destination: Destination) -> Verdict {
    let verdicts = candidates.map { judge($0, destination) }
    guard let first = verdicts.first else { return Verdict(decision: .undecidable, reason: "whose flow it is could not be told") }
    if verdicts.allSatisfy({ $0.decision == first.decision }) { return first }
    let views = zip(candidates, verdicts).map { "\($0.shortName) is \($1.decision.rawValue)" }
    return Verdict(decision: .undecidable, reason: "whose flow it is could not be told: " + views.joined(separator: ", "))
  }

  /// Every engine must let a flow pass. What one denies stays denied whatever another cannot tell.
  static func all(_ verdicts: [Verdict]) -> Verdict {
    var verdict = combined(verdicts)
    guard verdicts.contains(where: { $0.would != nil }) else { return verdict }
    let would = combined(
      verdicts.map { verdict in
        verdict.would.map { Verdict(decision: $0.decision, by: $0.by, reason: $0.reason) } ?? verdict
      })
    verdict.would = would.decision == verdict.decision ? nil : Verdict.Proposal(decision: would.decision, by: would.by, reason: would.reason)
    return verdict
  }

  private static func combined(_ verdicts: [Verdict]) -> Verdict {
    let selectedBy = union(verdicts.lazy.map(\.selectedBy))
    for decision in [Verdict.Decision.denied, .undecidable] {
      guard var verdict = verdicts.first(where: { $0.decision == decision }) else { continue }
      (verdict.selectedBy, verdict.would) = (selectedBy, nil)
      return verdict
    }
    let decision = verdicts.contains { $0.decision == .allowed } ? Verdict.Decision.allowed : .unprotected
    return Verdict(decision: decision, by: union(verdicts.lazy.map(\.by)), selectedBy: selectedBy)
  }

  /// Of lists that are each in order and without repetition. That of one engine alone is shared by all its verdicts.
  private static func union<Element: Comparable>(_ lists: some Sequence<[Element]>) -> [Element] {
    var union: [Element] = []
    var isShared = true
    for list in lists where !list.isEmpty {
      isShared = union.isEmpty
      if isShared { union = list } else { union += list }
    }
    return isShared ? union : union.sortedOnce
  }
}
