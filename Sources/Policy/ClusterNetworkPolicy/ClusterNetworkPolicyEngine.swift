import EgressModel

/// Every policy of the Admin and the Baseline tier, resolved against a cluster. Whose tiers stand around what is its caller's to say.
struct ClusterNetworkPolicyEngine: Sendable {
  enum Outcome {
    case accepted(RuleReference)
    case denied(Denial)
    /// No rule matched, or one that passes.
    case passed
    case undecidable(String)
  }

  private struct Policy: Sendable {
    var reference: String
    var tier: ClusterNetworkPolicy.Tier
    var priority: Int
    var rules: [Rule]
  }

  struct Rule: Sendable {
    var declared: ClusterNetworkPolicy.Rule
    var peers: [Peer]
  }

  enum Peer: Sendable {
    /// A selector's number, and for each namespace of the cluster whether it is meant.
    case pods(selector: Int, namespaces: [Bool])
    /// For each node of the cluster, whether it is meant.
    case nodes([Bool])
    case networks([IPPrefix])
    case names([NamePattern])
  }

  let cluster: Cluster
  /// Those with egress rules, in the order in which they are asked; the Admin tier first.
  private let policies: [Policy]
  /// For each pod of the cluster, the policies that select it.
  private let selecting: SelectionLists
  private let selectors: [LabelSelector]
  /// For each pod of the cluster, the numbers of the peers' selectors that match its labels.
  let matchedSelectors: [[Int]]

  init(_ declared: [ClusterNetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    let ordered = declared.filter { !$0.egress.isEmpty }.sorted {
      ($0.tier == .admin ? 0 : 1, $0.priority, $0.name.reference) < ($1.tier == .admin ? 0 : 1, $1.priority, $1.name.reference)
    }
    var table = SelectorTable()
    var namespaces = NamespaceTable(cluster)
    policies = ordered.map { policy in
      let rules = policy.egress.map { rule in
        Rule(
          declared: rule,
          peers: rule.peers.map { peer in
            switch peer {
            case .pods(let pods): .pods(selector: table.id(pods.pods), namespaces: namespaces.flags(pods.namespaces))
            case .nodes(let selector): .nodes(cluster.nodes.map { selector.matches($0.labels) })
            case .networks(let blocks): .networks(blocks)
            case .names(let names): .names(names)
            }
          })
      }
      return Policy(reference: policy.name.reference, tier: policy.tier, priority: policy.priority, rules: rules)
    }
    matchedSelectors = cluster.pods.map { table.matching($0.labels) }
    var index = SelectorIndex()
    for (id, policy) in ordered.enumerated() { index.insert(policy.subject.pods, id: id) }
    let subjects = ordered.map { namespaces.flags($0.subject.namespaces) }
    let selections = cluster.pods.enumerated().map { number, pod in
      // Traffic of a pod on the host network is the node's.
      pod.hostNetwork ? [] : index.matching(pod.labels).filter { subjects[$0][cluster.namespaceOfPod[number]] }
    }
    selecting = SelectionLists(selections, references: policies.map(\.reference))
    selectors = ordered.map(\.subject.namespaces)
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
    let names = destination.decisiveNames
    var decided: (policy: Int, rule: Int)?
    var nearest: (policy: Int, rule: Int, nearness: Int)?
    for id in selecting[pod].policies where policies[id].tier == tier {
      // Of policies of one priority it is not defined which comes first, so they must agree.
      if let decided, policies[decided.policy].priority != policies[id].priority { break }
      for (index, rule) in policies[id].rules.enumerated() {
        let nearness = nearness(of: rule, place, destination, names)
        if nearness == Nearness.fits {
          if let decided, policies[decided.policy].rules[decided.rule].declared.action != rule.declared.action {
            return .undecidable(
              "\(reference(decided.policy, decided.rule)) and \(reference(id, index)) differ, and for equal priorities it is not defined which comes first")
          }
          decided = decided ?? (id, index)
          break
        }
        if rule.declared.action == .accept, nearness > nearest?.nearness ?? 0 { nearest = (id, index, nearness) }
      }
    }
    guard let decided else { return .passed }
    let rule = policies[decided.policy].rules[decided.rule].declared
    switch rule.action {
    case .accept: return .accepted(reference(decided.policy, decided.rule))
    case .pass: return .passed
    case .deny:
      let late = lateAcceptance(after: decided, pod, place, destination, names)
      let miss = nearest.map { (rule: reference($0.policy, $0.rule), miss: self.miss(of: policies[$0.policy].rules[$0.rule], place, destination, names)) }
      return .denied(Denial(by: reference(decided.policy, decided.rule), scope: rule.scope, nearest: late ?? miss))
    }
  }

  /// A rule that would accept the flow if it came earlier.
  private func lateAcceptance(
    after decided: (policy: Int, rule: Int), _ pod: Int, _ place: Place, _ destination: Destination, _ names: [DomainName]
  ) -> (rule: RuleReference, miss: String)? {
    for id in selecting[pod].policies where id >= decided.policy && policies[id].tier == policies[decided.policy].tier {
      for (index, rule) in policies[id].rules.enumerated() where id > decided.policy || index > decided.rule {
        if rule.declared.action == .accept, nearness(of: rule, place, destination, names) == Nearness.fits {
          return (reference(id, index), "it would accept this, but comes later")
        }
      }
    }
    return nil
  }

  private func reference(_ policy: Int, _ rule: Int) -> RuleReference { RuleReference(policy: policies[policy].reference, rule: rule) }
}
