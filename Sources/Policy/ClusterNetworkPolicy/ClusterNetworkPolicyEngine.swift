import EgressModel

/// Every policy of the Admin and the Baseline tier, resolved against a cluster. Whose tiers stand around what is its caller's to say.
final class ClusterNetworkPolicyEngine: Sendable {
  enum Outcome {
    case accepted(RuleReference)
    case denied(Denial)
    /// No rule matched, or one that passes.
    case passed
    case undecidable(String)
  }

  private struct Policy: Sendable {
    var tier: ClusterNetworkPolicy.Tier
    var priority: Int
    /// The numbers of its rules.
    var rules: Range<Int>
  }

  struct Rule: Sendable {
    var reference: RuleReference
    var policy: Int
    var declared: ClusterNetworkPolicy.Rule
    var peers: [Peer]
  }

  enum Peer: Sendable {
    /// The numbers of a selector and of a list of namespaces.
    case pods(selector: Int, namespaces: Int)
    /// For each node of the cluster, whether it is meant.
    case nodes([Bool])
    case networks([IPPrefix])
    case names([NamePattern])
  }

  /// What besides the destination makes how near a rule comes, and when that is asked for.
  private struct Rest: Hashable {
    var tier: ClusterNetworkPolicy.Tier
    var accepts: Bool
    var ports: [RulePort]
  }

  let cluster: Cluster
  /// Those with egress rules, in the order in which they are asked; the Admin tier first.
  private let policies: [Policy]
  /// In that order.
  private let rules: [Rule]
  private let index: RuleIndex
  /// For each pod of the cluster, the policies that select it.
  let selecting: SelectionLists
  private let selectors: Set<LabelSelector>
  /// For each pod of the cluster, the numbers of the peers' selectors that match its labels.
  let matchedSelectors: [[Int]]
  /// By number: for each namespace of the cluster, whether it is meant.
  let namespaceLists: [[Bool]]
  /// For each pod of the cluster, the numbers of the conditions that it meets as a destination.
  private let conditions: [[Int]]

  init(_ declared: [ClusterNetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    let ordered = declared.filter { !$0.egress.isEmpty }.map { (policy: $0, reference: $0.name.reference) }.sorted {
      ($0.policy.tier == .admin ? 0 : 1, $0.policy.priority, $0.reference) < ($1.policy.tier == .admin ? 0 : 1, $1.policy.priority, $1.reference)
    }
    var namespaces = NamespaceTable(cluster)
    var indexes = Array(repeating: SelectorIndex(), count: cluster.namespaces.count)
    for (id, item) in ordered.enumerated() {
      let list = namespaces.number(item.policy.subject.namespaces)
      for (namespace, isMeant) in namespaces.lists[list].enumerated() where isMeant {
        indexes[namespace].insert(item.policy.subject.pods, id: id)
      }
    }
    // Traffic of a pod on the host network is the node's.
    let selections = zip(cluster.pods, cluster.namespaceOfPod).map { $0.hostNetwork ? [] : indexes[$1].matching($0.labels) }
    let selecting = SelectionLists(selections, references: ordered.map(\.reference))
    var table = SelectorTable()
    let everyPod = table.id(LabelSelector())
    var policies: [Policy] = []
    var rules: [Rule] = []
    var entries: [RuleIndex.Entry] = []
    for (id, item) in ordered.enumerated() {
      let (policy, first) = (item.policy, rules.count)
      for (number, rule) in policy.egress.enumerated() {
        let peers = rule.peers.map { peer -> Peer in
          switch peer {
          case .pods(let pods): .pods(selector: table.id(pods.pods), namespaces: namespaces.number(pods.namespaces))
          case .nodes(let selector): .nodes(cluster.nodes.map { selector.matches($0.labels) })
          case .networks(let blocks): .networks(blocks)
          case .names(let names): .names(names)
          }
        }
        rules.append(Rule(reference: RuleReference(policy: item.reference, rule: number), policy: id, declared: rule, peers: peers))
        entries.append(
          RuleIndex.Entry(
            group: selecting.groupOfPolicy[id], deciding: peers.flatMap { $0.deciding(everyPod) }, near: [.any] + peers.flatMap { $0.near(everyPod) },
            rest: Rest(tier: policy.tier, accepts: rule.action == .accept, ports: rule.ports)))
      }
      policies.append(Policy(tier: policy.tier, priority: policy.priority, rules: first..<rules.count))
    }
    let index = RuleIndex(entries)
    let matched = cluster.pods.lazy.map { table.matching($0.labels) }.sharingEqual
    let meant = namespaces.numbersOfNamespace
    conditions =
      zip(matched, cluster.namespaceOfPod).lazy.map { index.numbers(of: [.pod] + $0.map { .selector($0) } + meant[$1].map { .namespaces($0) }) }.sharingEqual
    matchedSelectors = matched
    namespaceLists = namespaces.lists
    selectors = Set(ordered.map(\.policy.subject.namespaces))
    (self.policies, self.rules, self.index, self.selecting) = (policies, rules, index, selecting)
  }

  /// Whether a pod of the namespace that is not in the inventory may be selected.
  func maySelectPods(in namespace: String) -> Bool {
    let labels = cluster.namespaces.first { $0.name == namespace }?.labels
    // The labels of a namespace that is not in the inventory may be any.
    return selectors.contains { labels.map($0.matches) ?? true }
  }

  func names(selecting pod: Int) -> [String] { selecting[pod].references }

  /// What a tier says of a flow to one place.
  func outcome(of tier: ClusterNetworkPolicy.Tier, _ pod: Int, at place: Place, _ destination: Destination) -> Outcome {
    let groups = selecting[pod].groups
    guard !groups.isEmpty else { return .passed }
    let names = destination.decisiveNames
    let isNode = cluster.node(at: place.address) != nil
    let met = index.met(by: place.address, names) + (place.pod.map { conditions[$0] } ?? []) + (isNode ? index.numbers(of: [.node]) : [])
    let outcome = outcome(of: tier, pod, place, destination, names, index.rules(of: groups, meeting: met))
    guard case .denied = outcome else { return outcome }
    return self.outcome(of: tier, pod, place, destination, names, index.rules(of: groups, near: met + index.resembled(by: names)))
  }

  func accounts(of tier: ClusterNetworkPolicy.Tier, _ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    let names = destination.decisiveNames
    return index.rules(of: selecting[pod].groups).filter { policies[rules[$0].policy].tier == tier }.map { number in
      let rule = rules[number]
      switch end {
      case .place(let place):
        let fits = nearness(of: rule, place, destination, names) == Nearness.fits
        return RuleAccount(rule.reference, fits ? .fits : .fails(miss(of: rule, place, destination, names)))
      case .unknown(let reason): return RuleAccount(rule.reference, .unclear(reason))
      }
    }
  }

  /// `found`: those rules of the policies that select the pod that may decide, or come near.
  private func outcome(
    of tier: ClusterNetworkPolicy.Tier, _ pod: Int, _ place: Place, _ destination: Destination, _ names: [LabelledName], _ found: [Int]
  ) -> Outcome {
    var decided: Int?
    var nearest: (rule: Int, nearness: Int)?
    func fits(_ rule: Int) -> Bool {
      let nearness = nearness(of: rules[rule], place, destination, names)
      if nearness == Nearness.fits { return true }
      if rules[rule].declared.action == .accept, nearness > nearest?.nearness ?? 0 { nearest = (rule, nearness) }
      return false
    }
    let ofTier = found.filter { policies[rules[$0].policy].tier == tier }
    for rule in ofTier where fits(rule) {
      decided = rule
      break
    }
    guard let decided, case let policy = policies[rules[decided].policy] else { return .passed }
    // Of policies of one priority it is not defined which comes first, so they must agree.
    for id in selecting[pod].policies.following(rules[decided].policy) {
      guard policies[id].tier == tier, policies[id].priority == policy.priority else { break }
      guard let other = policies[id].rules.first(where: fits), rules[other].declared.action != rules[decided].declared.action else { continue }
      return .undecidable(
        "\(rules[decided].reference) and \(rules[other].reference) differ, and for equal priorities it is not defined which comes first")
    }
    let rule = rules[decided]
    switch rule.declared.action {
    case .accept: return .accepted(rule.reference)
    case .pass: return .passed
    case .deny:
      // A rule that would accept the flow if it came earlier.
      let late = ofTier.first {
        $0 > decided && rules[$0].declared.action == .accept && nearness(of: rules[$0], place, destination, names) == Nearness.fits
      }
      let later = late.map { (rules[$0].reference, "it would accept this, but comes later") }
      let missed = nearest.map { (rules[$0.rule].reference, miss(of: rules[$0.rule], place, destination, names)) }
      return .denied(Denial(by: rule.reference, scope: rule.declared.scope, nearest: later ?? missed))
    }
  }
}

extension ClusterNetworkPolicyEngine.Peer {
  fileprivate func deciding(_ everyPod: Int) -> [Condition] {
    switch self {
    case .networks(let blocks): blocks.conditions
    case .names(let names): names.conditions
    case .nodes: [.node]
    case .pods(let selector, let namespaces): [selector == everyPod ? .namespaces(namespaces) : .selector(selector)]
    }
  }

  fileprivate func near(_ everyPod: Int) -> [Condition] {
    switch self {
    case .networks: []
    case .names(let names): names.resemblances
    case .nodes: [.node]
    case .pods(let selector, let namespaces): [.namespaces(namespaces), selector == everyPod ? .pod : .selector(selector)]
    }
  }
}
