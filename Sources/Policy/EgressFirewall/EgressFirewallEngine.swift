import EgressModel

/// Every EgressFirewall, resolved against a cluster.
struct EgressFirewallEngine: PolicyEngine {
  private struct Firewall: Sendable {
    var reference: String
    var rules: [Rule]
  }

  private struct Rule: Sendable {
    var declared: EgressFirewall.Rule
    /// For each node of the cluster, whether it is meant; empty when the rule is not about nodes.
    var nodes: [Bool]
  }

  let knowsNamesAsAddresses = true
  private let cluster: Cluster
  private let firewalls: [String: Firewall]

  init(_ declared: [EgressFirewall], cluster: Cluster) {
    self.cluster = cluster
    firewalls = Dictionary(
      declared.map { firewall in
        let rules = firewall.egress.map { rule in
          if case .nodes(let selector) = rule.target { return Rule(declared: rule, nodes: cluster.nodes.map { selector.matches($0.labels) }) }
          return Rule(declared: rule, nodes: [])
        }
        return (firewall.namespace, Firewall(reference: firewall.name.reference, rules: rules))
      }, uniquingKeysWith: { first, _ in first })
  }

  func maySelectPods(in namespace: String) -> Bool { firewalls[namespace] != nil }

  func names(selecting pod: Int) -> [String] { firewall(of: pod).map { [$0.reference] } ?? [] }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    guard let firewall = firewall(of: pod) else { return Verdict(decision: .unprotected) }
    return cluster.verdict(
      over: destination, at: { judge(firewall, $0, destination) },
      unknown: { reason in
        let mayDeny = firewall.rules.contains { $0.declared.action == .deny }
        return Verdict(decision: mayDeny ? .undecidable : .allowed, reason: mayDeny ? reason : nil, selectedBy: [firewall.reference])
      })
  }

  /// Traffic of a pod on the host network is the node's.
  private func firewall(of pod: Int) -> Firewall? {
    cluster.pods[pod].hostNetwork ? nil : firewalls[cluster.pods[pod].namespace]
  }

  private func judge(_ firewall: Firewall, _ place: Place, _ destination: Destination) -> Verdict {
    let selectedBy = [firewall.reference]
    // Only what leaves the cluster is looked at, and pods are in it.
    guard place.pod == nil, !cluster.isPodNetwork(place.address) else { return Verdict(decision: .allowed, selectedBy: selectedBy) }
    let names = destination.decisiveNames
    var nearest: (rule: Int, nearness: Int)?
    for (index, rule) in firewall.rules.enumerated() {
      let nearness = nearness(of: rule, place, destination, names)
      let reference = RuleReference(policy: firewall.reference, rule: index)
      guard nearness == Nearness.fits else {
        if rule.declared.action == .allow, nearness > nearest?.nearness ?? 0 { nearest = (index, nearness) }
        continue
      }
      if rule.declared.action == .allow { return Verdict(decision: .allowed, by: [reference], selectedBy: selectedBy) }
      let late = firewall.rules.indices.dropFirst(index + 1).first { later in
        firewall.rules[later].declared.action == .allow && self.nearness(of: firewall.rules[later], place, destination, names) == Nearness.fits
      }
      let later = late.map { (RuleReference(policy: firewall.reference, rule: $0), "it would allow this, but comes later") }
      let missed = nearest.map {
        (RuleReference(policy: firewall.reference, rule: $0.rule), miss(of: firewall.rules[$0.rule], place, destination, names))
      }
      return Denial(by: reference, scope: rule.declared.scope, nearest: later ?? missed).verdict(selectedBy: selectedBy)
    }
    return Verdict(decision: .allowed, selectedBy: selectedBy)
  }

  private func nearness(of rule: Rule, _ place: Place, _ destination: Destination, _ names: [DomainName]) -> Int {
    let target =
      switch rule.declared.target {
      case .block(let prefix): Nearness.of(place.address, in: [prefix])
      // What leads to the address is denied, whatever was said.
      case .name(let pattern): Nearness.of(rule.declared.action == .deny ? destination.addressNames : names, in: [pattern])
      case .nodes: cluster.node(at: place.address).map { rule.nodes[$0] ? Nearness.destination : 1 } ?? 0
      }
    return target + (rule.declared.ports.match(place, destination.transport, cluster) ? Nearness.port : 0)
  }

  /// The first failing condition, in words.
  private func miss(of rule: Rule, _ place: Place, _ destination: Destination, _ names: [DomainName]) -> String {
    if nearness(of: rule, place, destination, names) >= Nearness.destination { return rule.declared.ports.miss(place, destination.transport) }
    switch rule.declared.target {
    case .block(let prefix): return "\(place.address) is not in \(prefix)"
    case .name(let pattern): return destination.miss(of: [pattern], names)
    case .nodes:
      guard let node = cluster.node(at: place.address) else { return "\(place.address) is no node's address, and the rule wants \(rule.declared.target)" }
      return "the labels of node \(cluster.nodes[node].name) do not match \(rule.declared.target)"
    }
  }
}
