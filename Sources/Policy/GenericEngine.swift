import EgressModel

/// The kinds of the Kubernetes API as its text combines them: Admin tier → NetworkPolicy (or FQDNNetworkPolicy) → Baseline tier.
///
/// - The Admin tier's first matching rule decides, unless it passes.
/// - A pod that a NetworkPolicy or an FQDNNetworkPolicy selects may leave where a rule of either allows it, and the Baseline tier is not asked.
/// - What nothing decides is allowed.
final class GenericEngine: PolicyEngine {
  let knowsNamesAsAddresses = true
  private let cluster: Cluster
  private let tiers: ClusterNetworkPolicyEngine
  private let networkPolicies: NetworkPolicyEngine
  private let fqdnPolicies: FQDNNetworkPolicyEngine
  /// For each pod, all policies of these.
  private let references: [[String]]

  init(_ policies: PolicySet, cluster: Cluster) {
    self.cluster = cluster
    tiers = ClusterNetworkPolicyEngine(policies.all(ClusterNetworkPolicy.self), cluster: cluster)
    networkPolicies = NetworkPolicyEngine(policies.all(NetworkPolicy.self), cluster: cluster)
    fqdnPolicies = FQDNNetworkPolicyEngine(policies.all(FQDNNetworkPolicy.self), cluster: cluster)
    references = SelectionLists.references(in: [tiers.selecting, networkPolicies.selecting, fqdnPolicies.selecting])
  }

  func maySelectPods(in namespace: String) -> Bool {
    tiers.maySelectPods(in: namespace) || networkPolicies.maySelectPods(in: namespace) || fqdnPolicies.maySelectPods(in: namespace)
  }

  func names(selecting pod: Int) -> [String] { references[pod] }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    guard !tiers.names(selecting: pod).isEmpty || !fqdnPolicies.names(selecting: pod).isEmpty else {
      return networkPolicies.judge(pod, destination)
    }
    var verdict = cluster.verdict(over: destination, at: { judge(pod, at: $0, destination) }, unknown: { judge(pod, unknown: $0) })
    verdict.selectedBy = names(selecting: pod)
    return verdict
  }

  private func judge(_ pod: Int, at place: Place, _ destination: Destination) -> Verdict {
    if let verdict = verdict(of: tiers.outcome(of: .admin, pod, at: place, destination)) { return verdict }
    let own = Self.either(networkPolicies.judge(pod, at: place, destination), fqdnPolicies.judge(pod, at: place, destination))
    if own.decision != .unprotected { return own }
    return verdict(of: tiers.outcome(of: .baseline, pod, at: place, destination)) ?? Verdict(decision: .allowed)
  }

  /// Where the connection ends is not known, so a tier's rules may or may not match.
  private func judge(_ pod: Int, unknown reason: String) -> Verdict {
    guard tiers.names(selecting: pod).isEmpty else { return Verdict(decision: .undecidable, reason: reason) }
    return Self.either(networkPolicies.judge(pod, unknown: reason), fqdnPolicies.judge(pod, unknown: reason))
  }

  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    tiers.accounts(of: .admin, pod, to: end, destination) + networkPolicies.accounts(pod, to: end, destination)
      + fqdnPolicies.accounts(pod, to: end, destination) + tiers.accounts(of: .baseline, pod, to: end, destination)
  }

  /// Nil when the tier leaves the decision to the next.
  private func verdict(of outcome: ClusterNetworkPolicyEngine.Outcome) -> Verdict? {
    switch outcome {
    case .accepted(let rule): Verdict(decision: .allowed, by: [rule])
    case .denied(let denial): denial.verdict(selectedBy: [])
    case .undecidable(let reason): Verdict(decision: .undecidable, reason: reason)
    case .passed: nil
    }
  }

  /// A pod that any of both selects is isolated, and either may let it out.
  private static func either(_ a: Verdict, _ b: Verdict) -> Verdict {
    if a.decision == .unprotected { return b }
    if b.decision == .unprotected { return a }
    for decision in [Verdict.Decision.allowed, .undecidable] where a.decision == decision || b.decision == decision {
      guard a.decision == b.decision else { return a.decision == decision ? a : b }
      return Verdict(decision: decision, by: (a.by + b.by).sorted(), reason: a.reason)
    }
    let reason = [a.reason, b.reason].compactMap(\.self).joined(separator: "; ")
    return Verdict(decision: .denied, reason: reason.isEmpty ? nil : reason, nearest: b.nearest ?? a.nearest)
  }
}
