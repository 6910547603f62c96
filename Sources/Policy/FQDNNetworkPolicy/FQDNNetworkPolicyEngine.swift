import EgressModel

/// Every FQDNNetworkPolicy, resolved against a cluster; how it combines with NetworkPolicy is its caller's matter.
final class FQDNNetworkPolicyEngine: Sendable {
  private struct Rule: Sendable {
    var reference: RuleReference
    var declared: FQDNNetworkPolicy.Rule
  }

  private let cluster: Cluster
  /// Of all policies, sorted by reference.
  private let rules: [Rule]
  private let index: RuleIndex
  /// For each pod of the cluster, the policies that select it.
  let selecting: SelectionLists
  private let namespaces: Set<String>

  init(_ declared: [FQDNNetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    let policies = declared.map { (policy: $0, reference: $0.name.reference) }.sorted { $0.reference < $1.reference }
    var indexes: [String: SelectorIndex] = [:]
    for (id, item) in policies.enumerated() { indexes[item.policy.namespace, default: SelectorIndex()].insert(item.policy.podSelector, id: id) }
    // Traffic of a pod on the host network is the node's.
    let selections = cluster.pods.map { $0.hostNetwork ? [] : indexes[$0.namespace]?.matching($0.labels) ?? [] }
    let selecting = SelectionLists(selections, references: policies.map(\.reference))
    var rules: [Rule] = []
    var entries: [RuleIndex.Entry] = []
    for (id, item) in policies.enumerated() {
      for (number, rule) in item.policy.egress.enumerated() {
        rules.append(Rule(reference: RuleReference(policy: item.reference, rule: number), declared: rule))
        entries.append(
          RuleIndex.Entry(
            group: selecting.groupOfPolicy[id], deciding: rule.names.conditions, near: [.any] + rule.names.resemblances, rest: rule.ports))
      }
    }
    index = RuleIndex(entries)
    namespaces = Set(indexes.keys)
    (self.rules, self.selecting) = (rules, selecting)
  }

  func maySelectPods(in namespace: String) -> Bool { namespaces.contains(namespace) }

  func names(selecting pod: Int) -> [String] { selecting[pod].references }

  /// For one place where the connection may end.
  func judge(_ pod: Int, at place: Place, _ destination: Destination) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    // Names of services are not resolved for these policies.
    let names = place.pod == nil ? destination.decisiveNames : []
    let met = index.met(by: place.address, names)
    let allowing = index.rules(of: selected.groups, meeting: met).filter { nearness(of: rules[$0].declared, place, destination, names) == Nearness.fits }
    if !allowing.isEmpty { return Verdict(decision: .allowed, by: allowing.map { rules[$0].reference }, selectedBy: selected.references) }
    var nearest: (rule: Int, nearness: Int)?
    for rule in index.rules(of: selected.groups, near: met + index.resembled(by: names)) {
      let nearness = nearness(of: rules[rule].declared, place, destination, names)
      if nearness > nearest?.nearness ?? -1 { nearest = (rule, nearness) }
    }
    let reference = nearest.map { rules[$0.rule].reference }
    return Verdict(
      decision: .denied, reason: nearest.map { "\(rules[$0.rule].reference): \(miss(of: rules[$0.rule].declared, place, destination, names))" },
      nearest: reference, selectedBy: selected.references)
  }

  private func nearness(of rule: FQDNNetworkPolicy.Rule, _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> Int {
    Nearness.of(names, in: rule.names) + (rule.ports.match(place, destination.transport, cluster) ? Nearness.port : 0)
  }

  /// The first failing condition, in words.
  private func miss(of rule: FQDNNetworkPolicy.Rule, _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> String {
    if Nearness.of(names, in: rule.names) == Nearness.destination { return rule.ports.miss(place, destination.transport) }
    return place.pod == nil ? destination.miss(of: rule.names, names) : "\(place.address) is a pod's address, and names are only for what is outside the cluster"
  }

  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    index.rules(of: selecting[pod].groups).map { number in
      let rule = rules[number]
      switch end {
      case .place(let place):
        let names = place.pod == nil ? destination.decisiveNames : []
        let fits = nearness(of: rule.declared, place, destination, names) == Nearness.fits
        return RuleAccount(rule.reference, fits ? .fits : .fails(miss(of: rule.declared, place, destination, names)))
      case .unknown(let reason): return RuleAccount(rule.reference, .unclear(reason))
      }
    }
  }

  /// Where the connection ends is not known.
  func judge(_ pod: Int, unknown reason: String) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    return Verdict(decision: .undecidable, reason: reason, selectedBy: selected.references)
  }
}
