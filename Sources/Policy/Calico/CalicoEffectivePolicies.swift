import EgressModel

/// The policies that are in force, or would be.
struct CalicoEffectivePolicies {
  private(set) var policies: [CalicoPolicy]
  private(set) var networkPolicies: [NetworkPolicy]

  init(_ declared: PolicySet) {
    policies = declared.all(CalicoPolicy.self).filter { $0.staged == nil }
    networkPolicies = declared.all(NetworkPolicy.self)
  }

  /// Those that would be, were the staged ones put in force: each in place of the one of its name, if there is one. Nil when nothing is staged.
  func proposal(_ declared: PolicySet) -> CalicoEffectivePolicies? {
    let staged = declared.all(CalicoPolicy.self).filter { $0.staged == .set || $0.staged == .delete }
    let stagedNetworkPolicies = declared.all(CalicoStagedNetworkPolicy.self).filter { $0.action != .ignore }
    guard !staged.isEmpty || !stagedNetworkPolicies.isEmpty else { return nil }
    var proposal = self
    let replaced = Set(staged.map { Key($0.name) })
    proposal.policies.removeAll { replaced.contains(Key($0.name)) }
    proposal.policies += staged.filter { $0.staged == .set }
    let replacedNetworkPolicies = Set(stagedNetworkPolicies.map { Key($0.name) })
    proposal.networkPolicies.removeAll { replacedNetworkPolicies.contains(Key($0.name)) }
    proposal.networkPolicies += stagedNetworkPolicies.filter { $0.action == .set }.map(\.policy)
    return proposal
  }

  private struct Key: Hashable {
    var namespace: String?
    var name: String

    init(_ name: ObjectName) {
      (namespace, self.name) = (name.namespace, name.name)
    }
  }
}
