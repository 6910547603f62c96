import EgressModel

/// Every FQDNNetworkPolicy, resolved against a cluster; how it combines with NetworkPolicy is its caller's matter.
struct FQDNNetworkPolicyEngine: Sendable {
  private let cluster: Cluster
  /// Sorted by reference.
  private let policies: [FQDNNetworkPolicy]
  /// For each pod of the cluster, the policies that select it.
  private let selecting: SelectionLists
  private let namespaces: Set<String>

  init(_ declared: [FQDNNetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    policies = declared.sorted { $0.name.reference < $1.name.reference }
    var indexes: [String: SelectorIndex] = [:]
    for (id, policy) in policies.enumerated() { indexes[policy.namespace, default: SelectorIndex()].insert(policy.podSelector, id: id) }
    // Traffic of a pod on the host network is the node's.
    let selections = cluster.pods.map { $0.hostNetwork ? [] : indexes[$0.namespace]?.matching($0.labels) ?? [] }
    selecting = SelectionLists(selections, references: policies.map(\.name.reference))
    namespaces = Set(indexes.keys)
  }

  func maySelectPods(in namespace: String) -> Bool { namespaces.contains(namespace) }

  func names(selecting pod: Int) -> [String] { selecting[pod].references }

  /// For one place where the connection may end.
  func judge(_ pod: Int, at place: Place, _ destination: Destination) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    // Names of services are not resolved for these policies.
    let names = place.pod == nil ? destination.decisiveNames : []
    var allowing: [RuleReference] = []
    var nearest: (policy: Int, rule: Int, nearness: Int)?
    for id in selected.policies {
      for (index, rule) in policies[id].egress.enumerated() {
        let nearness =
          Nearness.of(names, in: rule.names) + (rule.ports.match(place, destination.transport, cluster) ? Nearness.port : 0)
        if nearness == Nearness.fits {
          allowing.append(RuleReference(policy: policies[id].name.reference, rule: index))
        } else if nearness > nearest?.nearness ?? -1 {
          nearest = (id, index, nearness)
        }
      }
    }
    if !allowing.isEmpty { return Verdict(decision: .allowed, by: allowing, selectedBy: selected.references) }
    let reference = nearest.map { RuleReference(policy: policies[$0.policy].name.reference, rule: $0.rule) }
    let miss = nearest.map { nearest in
      let rule = policies[nearest.policy].egress[nearest.rule]
      return nearest.nearness >= Nearness.destination
        ? rule.ports.miss(place, destination.transport)
        : place.pod == nil ? destination.miss(of: rule.names, names) : "\(place.address) is a pod's address, and names are only for what is outside the cluster"
    }
    return Verdict(
      decision: .denied, reason: reference.flatMap { reference in miss.map { "\(reference): \($0)" } }, nearest: reference,
      selectedBy: selected.references)
  }

  /// Where the connection ends is not known.
  func judge(_ pod: Int, unknown reason: String) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    return Verdict(decision: .undecidable, reason: reason, selectedBy: selected.references)
  }
}
