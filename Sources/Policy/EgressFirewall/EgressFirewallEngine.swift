import EgressModel

/// Every EgressFirewall, resolved against a cluster.
final class EgressFirewallEngine: PolicyEngine {
  private struct Firewall: Sendable {
    var number: Int
    var reference: String
    var mayDeny: Bool
  }

  /// What besides the destination makes how near a rule comes, and when that is asked for.
  private struct Rest: Hashable {
    var action: EgressFirewall.Action
    var ports: [RulePort]
  }

  private struct Rule: Sendable {
    var reference: RuleReference
    var declared: EgressFirewall.Rule
    /// For each node of the cluster, whether it is meant; empty when the rule is not about nodes.
    var nodes: [Bool]
  }

  let knowsNamesAsAddresses = true
  private let cluster: Cluster
  /// By namespace.
  private let firewalls: [String: Firewall]
  /// Of all firewalls.
  private let rules: [Rule]
  /// A firewall is a group.
  private let index: RuleIndex

  init(_ declared: [EgressFirewall], cluster: Cluster) {
    self.cluster = cluster
    var firewalls: [String: Firewall] = [:]
    var rules: [Rule] = []
    var entries: [RuleIndex.Entry] = []
    for firewall in declared where firewalls[firewall.namespace] == nil {
      let number = firewalls.count
      let reference = firewall.name.reference
      firewalls[firewall.namespace] = Firewall(number: number, reference: reference, mayDeny: firewall.egress.contains { $0.action == .deny })
      for (index, rule) in firewall.egress.enumerated() {
        let nodes = if case .nodes(let selector) = rule.target { cluster.nodes.map { selector.matches($0.labels) } } else { [Bool]() }
        rules.append(Rule(reference: RuleReference(policy: reference, rule: index), declared: rule, nodes: nodes))
        let conditions = rule.target.conditions
        entries.append(
          RuleIndex.Entry(
            group: number, deciding: conditions.deciding, near: [.any] + conditions.near, rest: Rest(action: rule.action, ports: rule.ports)))
      }
    }
    index = RuleIndex(entries)
    (self.firewalls, self.rules) = (firewalls, rules)
  }

  func maySelectPods(in namespace: String) -> Bool { firewalls[namespace] != nil }

  func names(selecting pod: Int) -> [String] { firewall(of: pod).map { [$0.reference] } ?? [] }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    guard let firewall = firewall(of: pod) else { return Verdict(decision: .unprotected) }
    return cluster.verdict(
      over: destination, at: { judge(firewall, $0, destination) },
      unknown: { reason in
        Verdict(
          decision: firewall.mayDeny ? .undecidable : .allowed, reason: firewall.mayDeny ? reason : nil, selectedBy: [firewall.reference])
      })
  }

  /// Traffic of a pod on the host network is the node's.
  private func firewall(of pod: Int) -> Firewall? {
    cluster.pods[pod].hostNetwork ? nil : firewalls[cluster.pods[pod].namespace]
  }

  private func judge(_ firewall: Firewall, _ place: Place, _ destination: Destination) -> Verdict {
    let selectedBy = [firewall.reference]
    // Only what leaves the cluster is looked at, and pods are in it.
    guard !isInCluster(place) else { return Verdict(decision: .allowed, selectedBy: selectedBy) }
    let names = destination.decisiveNames
    let leading = destination.addressNames
    let met = index.met(by: place.address, leading) + (cluster.node(at: place.address) == nil ? [] : index.numbers(of: [.node]))
    let verdict = judge(index.rules(of: [firewall.number], meeting: met), selectedBy, place, destination, names)
    guard verdict.decision == .denied else { return verdict }
    return judge(index.rules(of: [firewall.number], near: met + index.resembled(by: leading)), selectedBy, place, destination, names)
  }

  /// `found`: those rules of the firewall that may decide, or come near.
  private func judge(_ found: [Int], _ selectedBy: [String], _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> Verdict {
    var nearest: (rule: Int, nearness: Int)?
    for number in found {
      let rule = rules[number]
      let nearness = nearness(of: rule, place, destination, names)
      guard nearness == Nearness.fits else {
        if rule.declared.action == .allow, nearness > nearest?.nearness ?? 0 { nearest = (number, nearness) }
        continue
      }
      if rule.declared.action == .allow { return Verdict(decision: .allowed, by: [rule.reference], selectedBy: selectedBy) }
      let late = found.first {
        $0 > number && rules[$0].declared.action == .allow && self.nearness(of: rules[$0], place, destination, names) == Nearness.fits
      }
      let later = late.map { (rules[$0].reference, "it would allow this, but comes later") }
      let missed = nearest.map { (rules[$0.rule].reference, miss(of: rules[$0.rule], place, destination, names)) }
      return Denial(by: rule.reference, scope: rule.declared.scope, nearest: later ?? missed).verdict(selectedBy: selectedBy)
    }
    return Verdict(decision: .allowed, selectedBy: selectedBy)
  }

  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    guard let firewall = firewall(of: pod) else { return [] }
    return index.rules(of: [firewall.number]).map { number in
      let rule = rules[number]
      switch end {
      case .unknown(let reason): return RuleAccount(rule.reference, .unclear(reason))
      case .place(let place) where isInCluster(place): return RuleAccount(rule.reference, .fails("\(place.address) is in the pod network, which a firewall leaves alone"))
      case .place(let place):
        let names = destination.decisiveNames
        let fits = nearness(of: rule, place, destination, names) == Nearness.fits
        return RuleAccount(rule.reference, fits ? .fits : .fails(miss(of: rule, place, destination, names)))
      }
    }
  }

  private func isInCluster(_ place: Place) -> Bool { place.pod != nil || cluster.isPodNetwork(place.address) }

  private func nearness(of rule: Rule, _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> Int {
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
  private func miss(of rule: Rule, _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> String {
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

extension EgressFirewall.Target {
  fileprivate var conditions: (deciding: [Condition], near: [Condition]) {
    switch self {
    case .block(let prefix): ([.block(prefix)], [])
    case .name(let pattern): ([pattern].conditions, [pattern].resemblances)
    case .nodes: ([.node], [.node])
    }
  }
}
