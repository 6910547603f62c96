import EgressModel

/// Every NetworkPolicy of a cluster, resolved against its inventory: which policies isolate which pod, which pods and namespaces a peer means.
struct NetworkPolicyEngine: PolicyEngine {
  private struct Policy: Sendable {
    var reference: String
    var rules: [Rule]
  }

  struct Rule: Sendable {
    var declared: NetworkPolicy.Rule
    var peers: [Peer]
  }

  enum Peer: Sendable {
    /// A selector's number, and for each namespace of the cluster whether it is meant.
    case pods(selector: Int, namespaces: [Bool])
    case block(IPPrefix, except: [IPPrefix])
  }

  let cluster: Cluster
  /// Those that isolate for egress, sorted by reference.
  private let policies: [Policy]
  /// For each pod of the cluster, the policies that isolate it.
  private let selecting: SelectionLists
  private let isolatedNamespaces: Set<String>
  /// For each pod of the cluster, the numbers of the peers' selectors that match its labels.
  let matchedSelectors: [[Int]]

  init(_ declared: [NetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    let isolating = declared.filter(\.isolatesEgress).sorted { $0.name.reference < $1.name.reference }
    var table = SelectorTable()
    var bySelector = NamespaceTable(cluster)
    var byName: [String: [Bool]] = [:]
    func namespaces(_ selector: LabelSelector?, of policy: NetworkPolicy) -> [Bool] {
      guard let selector else {
        if let known = byName[policy.namespace] { return known }
        let flags = cluster.namespaces.map { $0.name == policy.namespace }
        byName[policy.namespace] = flags
        return flags
      }
      return bySelector.flags(selector)
    }
    policies = isolating.map { policy in
      let rules = policy.egress.map { rule in
        Rule(
          declared: rule,
          peers: rule.peers.map { peer in
            switch peer {
            case .block(let prefix, let except): .block(prefix, except: except)
            case .pods(let pods, let selector): .pods(selector: table.id(pods ?? LabelSelector()), namespaces: namespaces(selector, of: policy))
            }
          })
      }
      return Policy(reference: policy.name.reference, rules: rules)
    }
    matchedSelectors = cluster.pods.map { table.matching($0.labels) }
    var indexes: [String: SelectorIndex] = [:]
    for (id, policy) in isolating.enumerated() { indexes[policy.namespace, default: SelectorIndex()].insert(policy.podSelector, id: id) }
    // Traffic of a pod on the host network is the node's.
    let selections = cluster.pods.map { $0.hostNetwork ? [] : indexes[$0.namespace]?.matching($0.labels) ?? [] }
    selecting = SelectionLists(selections, references: policies.map(\.reference))
    isolatedNamespaces = Set(indexes.keys)
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
    var allowing: [RuleReference] = []
    var nearest: (policy: Int, rule: Int)?
    var nearness = -1
    for id in selected.policies {
      for index in policies[id].rules.indices {
        let rating = self.nearness(of: policies[id].rules[index], place, destination.transport)
        if rating == Nearness.fits {
          allowing.append(RuleReference(policy: policies[id].reference, rule: index))
        } else if rating > nearness {
          // The first of equals, so that the order of manifests makes no difference.
          nearest = (id, index)
          nearness = rating
        }
      }
    }
    if !allowing.isEmpty { return Verdict(decision: .allowed, by: allowing, selectedBy: selected.references) }
    guard let nearest else { return denial(selected) }
    let reference = RuleReference(policy: policies[nearest.policy].reference, rule: nearest.rule)
    let miss = miss(of: policies[nearest.policy].rules[nearest.rule], place, destination)
    return Verdict(decision: .denied, reason: "\(reference): \(miss)", nearest: reference, selectedBy: selected.references)
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
    var open: [RuleReference] = []
    var hasRules = false
    for id in selected.policies {
      for (index, rule) in policies[id].rules.enumerated() {
        hasRules = true
        if rule.peers.isEmpty, rule.declared.ports.isEmpty { open.append(RuleReference(policy: policies[id].reference, rule: index)) }
      }
    }
    if !open.isEmpty { return Verdict(decision: .allowed, by: open, selectedBy: selected.references) }
    return hasRules ? Verdict(decision: .undecidable, reason: reason, selectedBy: selected.references) : denial(selected)
  }
}
