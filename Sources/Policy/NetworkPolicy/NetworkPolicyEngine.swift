import EgressModel

/// Every NetworkPolicy of a cluster, resolved against its inventory: which policies isolate which pod, which pods and namespaces a peer means.
final class NetworkPolicyEngine: PolicyEngine {
  struct Rule: Sendable {
    var reference: RuleReference
    var declared: NetworkPolicy.Rule
    var peers: [Peer]
  }

  enum Peer: Sendable {
    /// The numbers of a selector and of a list of namespaces.
    case pods(selector: Int, namespaces: Int)
    case block(IPPrefix, except: [IPPrefix])
  }

  let cluster: Cluster
  /// Of the policies that isolate for egress, sorted by reference.
  private let rules: [Rule]
  private let index: RuleIndex
  /// For each pod of the cluster, the policies that isolate it.
  let selecting: SelectionLists
  private let isolatedNamespaces: Set<String>
  /// For each pod of the cluster, the numbers of the peers' selectors that match its labels.
  let matchedSelectors: [[Int]]
  /// By number: for each namespace of the cluster, whether it is meant.
  let namespaceLists: [[Bool]]
  /// For each pod of the cluster, the numbers of the conditions that it meets as a destination.
  private let conditions: [[Int]]

  init(_ declared: [NetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    let isolating = declared.filter(\.isolatesEgress).map { (policy: $0, reference: $0.name.reference) }.sorted { $0.reference < $1.reference }
    var indexes: [String: SelectorIndex] = [:]
    for (id, item) in isolating.enumerated() { indexes[item.policy.namespace, default: SelectorIndex()].insert(item.policy.podSelector, id: id) }
    // Traffic of a pod on the host network is the node's.
    let selections = cluster.pods.map { $0.hostNetwork ? [] : indexes[$0.namespace]?.matching($0.labels) ?? [] }
    let selecting = SelectionLists(selections, references: isolating.map(\.reference))
    var table = SelectorTable()
    let everyPod = table.id(LabelSelector())
    var namespaces = NamespaceTable(cluster)
    var rules: [Rule] = []
    var entries: [RuleIndex.Entry] = []
    for (id, item) in isolating.enumerated() {
      for (number, rule) in item.policy.egress.enumerated() {
        let peers = rule.peers.map { peer -> Peer in
          switch peer {
          case .block(let prefix, let except): .block(prefix, except: except)
          case .pods(let pods, let selector):
            .pods(
              selector: pods.map { table.id($0) } ?? everyPod,
              namespaces: selector.map { namespaces.number($0) } ?? namespaces.number(named: item.policy.namespace))
          }
        }
        rules.append(Rule(reference: RuleReference(policy: item.reference, rule: number), declared: rule, peers: peers))
        entries.append(
          RuleIndex.Entry(
            group: selecting.groupOfPolicy[id], deciding: peers.isEmpty ? [.any] : peers.flatMap { $0.deciding(everyPod) },
            near: [.any] + peers.flatMap { $0.near(everyPod) }, rest: rule.ports))
      }
    }
    let index = RuleIndex(entries)
    let matched = cluster.pods.lazy.map { table.matching($0.labels) }.sharingEqual
    let meant = namespaces.numbersOfNamespace
    conditions =
      zip(matched, cluster.namespaceOfPod).lazy.map { index.numbers(of: [.pod] + $0.map { .selector($0) } + meant[$1].map { .namespaces($0) }) }.sharingEqual
    matchedSelectors = matched
    namespaceLists = namespaces.lists
    isolatedNamespaces = Set(indexes.keys)
    (self.rules, self.index, self.selecting) = (rules, index, selecting)
  }

  func maySelectPods(in namespace: String) -> Bool { isolatedNamespaces.contains(namespace) }

  func names(selecting pod: Int) -> [String] { selecting[pod].references }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    cluster.verdict(over: destination, at: { judge(pod, at: $0, destination) }, unknown: { judge(pod, unknown: $0) })
  }

  /// For one place where the connection may end.
  func judge(_ pod: Int, at place: Place, _ destination: Destination) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    let met = index.met(by: place.address, []) + (place.pod.map { conditions[$0] } ?? [])
    let allowing = index.rules(of: selected.groups, meeting: met).filter { nearness(of: rules[$0], place, destination.transport) == Nearness.fits }
    if !allowing.isEmpty { return Verdict(decision: .allowed, by: allowing.map { rules[$0].reference }, selectedBy: selected.references) }
    var nearest: (rule: Int, nearness: Int)?
    for rule in index.rules(of: selected.groups, near: met) {
      let nearness = nearness(of: rules[rule], place, destination.transport)
      // The first of equals, so that the order of manifests makes no difference.
      if nearness > nearest?.nearness ?? -1 { nearest = (rule, nearness) }
    }
    guard let nearest = nearest.map({ rules[$0.rule] }) else { return denial(selected) }
    return Verdict(
      decision: .denied, reason: "\(nearest.reference): \(miss(of: nearest, place, destination))", nearest: nearest.reference,
      selectedBy: selected.references)
  }

  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    index.rules(of: selecting[pod].groups).map { number in
      let rule = rules[number]
      switch end {
      case .place(let place):
        let fits = nearness(of: rule, place, destination.transport) == Nearness.fits
        return RuleAccount(rule.reference, fits ? .fits : .fails(miss(of: rule, place, destination)))
      case .unknown(let reason): return RuleAccount(rule.reference, rule.peers.isEmpty && rule.declared.ports.isEmpty ? .fits : .unclear(reason))
      }
    }
  }

  private func denial(_ selected: SelectionLists.List) -> Verdict {
    Verdict(
      decision: .denied, reason: "\(selected.references.first ?? "a policy") selects the pod and has no egress rule",
      selectedBy: selected.references)
  }

  /// Where the connection ends is not known, so only rules that hold for every end decide.
  func judge(_ pod: Int, unknown reason: String) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    let some = index.rules(of: selected.groups, near: index.numbers(of: [.any]))
    let open = some.map { rules[$0] }.filter { $0.peers.isEmpty && $0.declared.ports.isEmpty }
    if !open.isEmpty { return Verdict(decision: .allowed, by: open.map(\.reference), selectedBy: selected.references) }
    return some.isEmpty ? denial(selected) : Verdict(decision: .undecidable, reason: reason, selectedBy: selected.references)
  }
}

extension NetworkPolicyEngine.Peer {
  fileprivate func deciding(_ everyPod: Int) -> [Condition] {
    switch self {
    case .block(let prefix, _): [.block(prefix)]
    case .pods(let selector, let namespaces): [selector == everyPod ? .namespaces(namespaces) : .selector(selector)]
    }
  }

  fileprivate func near(_ everyPod: Int) -> [Condition] {
    switch self {
    case .block: []
    case .pods(let selector, let namespaces): [.namespaces(namespaces), selector == everyPod ? .pod : .selector(selector)]
    }
  }
}
