import EgressModel

/// Cilium's rule set: NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy together, resolved against the inventory.
///
/// - Whatever a denying rule matches is denied. Else what a rule allows is allowed; else it is denied if any policy that selects the
///   workload says so by default.
/// - A destination is known by what it is: a pod by its labels, a node as one, and only the rest by address and name. So blocks and
///   names, those of NetworkPolicy too, never match a pod or a node.
/// - Nodes are subjects of `nodeSelector` only: pods on the host network and units of hosts are their traffic.
final class CiliumEngine: PolicyEngine {
  struct Rule: Sendable {
    /// The number of its policy.
    var policy = 0
    var reference: RuleReference
    var denies: Bool
    /// Nil is every destination.
    var peers: [Peer]?
    var ports: [CiliumPolicy.PortRule]
    var icmp: [CiliumPolicy.ICMPType]?
    var summary: String
  }

  /// A spec of a policy.
  private struct Policy: Sendable {
    var reference: String
    var subject: CiliumPolicy.Subject
    var rules: [Rule]
    var deniesByDefault: Bool
  }

  let knowsNamesAsAddresses = true
  let cluster: Cluster
  /// Sorted by reference; specs of one policy in their order.
  private let policies: [Policy]
  /// In the order of the policies.
  private let rules: [Rule]
  private let index: RuleIndex
  /// For each pod of the cluster, then for each node, the policies that select it.
  private let selecting: SelectionLists
  private let selectsNodes: Bool
  /// Namespaces whose pods a policy may select; nil is every one.
  private let namespaces: Set<String>?
  /// For each pod of the cluster, the numbers of the peers' selectors that match its labels.
  let matchedSelectors: [[Int]]
  /// For each pod of the cluster, the numbers of the conditions that it meets as a destination.
  private let conditions: [[Int]]

  init(_ declared: PolicySet, cluster: Cluster) {
    self.cluster = cluster
    var resolver = CiliumPeerResolver(groups: declared.all(CiliumCIDRGroup.self), cluster: cluster)
    var policies: [Policy] = []
    var namespaces: Set<String>? = []
    for policy in declared.all(CiliumPolicy.self) {
      for (spec, rules) in zip(policy.specs, policy.numberedRules) where spec.governsEgress {
        policies.append(
          Policy(
            reference: policy.name.reference, subject: spec.subject,
            rules: rules.map { resolver.rule($0.rule, RuleReference(policy: policy.name.reference, rule: $0.number)) },
            deniesByDefault: spec.deniesByDefault))
        guard case .endpoints = spec.subject else { continue }
        if let namespace = policy.name.namespace { namespaces?.insert(namespace) } else { namespaces = nil }
      }
    }
    for policy in declared.all(NetworkPolicy.self) where policy.isolatesEgress {
      namespaces?.insert(policy.namespace)
      let subject = CiliumLabels.selector(pods: policy.podSelector, namespaces: nil, of: policy.namespace)
      policies.append(
        Policy(
          reference: policy.name.reference, subject: .endpoints(subject),
          rules: policy.egress.enumerated().map { index, rule in
            resolver.rule(rule, of: policy.namespace, RuleReference(policy: policy.name.reference, rule: index))
          },
          deniesByDefault: true))
    }
    // Stable, so that specs of one policy keep their order.
    let sorted = policies.enumerated().sorted { ($0.element.reference, $0.offset) < ($1.element.reference, $1.offset) }.map(\.element)
    var (endpoints, nodes) = (SelectorIndex(), SelectorIndex())
    for (id, policy) in sorted.enumerated() {
      switch policy.subject {
      case .endpoints(let selector): endpoints.insert(selector, id: id)
      case .nodes(let selector): nodes.insert(selector, id: id)
      }
    }
    let labels = zip(cluster.pods, cluster.namespaceOfPod).map { CiliumLabels.of($0, in: cluster.namespaces[$1]) }
    let references = sorted.map(\.reference)
    let selecting = SelectionLists(
      zip(cluster.pods, labels).map { $0.hostNetwork ? [] : endpoints.matching($1) } + cluster.nodes.map { nodes.matching($0.labels) },
      references: references)
    selectsNodes = sorted.contains { if case .nodes = $0.subject { true } else { false } }
    let matched = labels.lazy.map { resolver.matching($0) }.sharingEqual
    var rules: [Rule] = []
    for (id, policy) in sorted.enumerated() {
      for var rule in policy.rules {
        rule.policy = id
        rules.append(rule)
      }
    }
    let index = RuleIndex(rules.lazy.map { $0.entry(in: selecting.groupOfPolicy[$0.policy]) })
    conditions = matched.lazy.map { index.numbers(of: [.pod] + $0.map { .selector($0) }) }.sharingEqual
    matchedSelectors = matched
    (self.rules, self.index, self.selecting) = (rules, index, selecting)
    self.policies = sorted
    self.namespaces = namespaces
  }

  func maySelectPods(in namespace: String) -> Bool { namespaces?.contains(namespace) ?? true }

  func names(selecting pod: Int) -> [String] {
    if case .selected(let list, _) = selection(of: pod) { list.references } else { [] }
  }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    judge(selection(of: pod), destination)
  }

  func judge(host workload: Workload, _ destination: Destination) -> Verdict {
    guard selectsNodes, !destination.address.isLoopback else { return Verdict(decision: .unprotected) }
    return judge(selection(ofNode: workload.node, of: workload.shortName), destination)
  }

  private enum Selection {
    /// `node`: where the workload runs, by name.
    case selected(SelectionLists.List, node: String?)
    case unknown(String)
  }

  private func selection(of pod: Int) -> Selection {
    let pod = (index: pod, pod: cluster.pods[pod])
    guard pod.pod.hostNetwork else { return .selected(selecting[pod.index], node: pod.pod.node) }
    guard selectsNodes else { return .selected(.none, node: pod.pod.node) }
    return selection(ofNode: pod.pod.node, of: "\(pod.pod.namespace)/\(pod.pod.name)")
  }

  private func selection(ofNode name: String?, of workload: String) -> Selection {
    guard let node = name.flatMap(cluster.node(named:)) else {
      return .unknown("policies select nodes, and \(name.map { "node \($0)" } ?? "the node") of \(workload) is not in the inventory")
    }
    return .selected(selecting[cluster.pods.count + node], node: name)
  }

  private func judge(_ selection: Selection, _ destination: Destination) -> Verdict {
    switch selection {
    case .unknown(let reason): return Verdict(decision: .undecidable, reason: reason)
    case .selected(let list, _) where list.policies.isEmpty: return Verdict(decision: .unprotected)
    case .selected(let list, let node):
      let service = cluster.service(at: destination.address)
      var verdict = cluster.verdict(over: destination) { place in
        judge(list, CiliumFlow(place, destination, from: node, cluster))
      } unknown: { reason in
        judge(list, CiliumFlow(service, reason, destination))
      }
      verdict.selectedBy = list.references
      return verdict
    }
  }

  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] { accounts(selection(of: pod), end, destination) }

  func accounts(host workload: Workload, _ destination: Destination) -> [RuleAccount] {
    guard selectsNodes else { return [] }
    let place = Place(address: destination.address, pod: cluster.pod(at: destination.address), port: destination.port)
    return accounts(selection(ofNode: workload.node, of: workload.shortName), .place(place), destination)
  }

  private func accounts(_ selection: Selection, _ end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    guard case .selected(let list, let node) = selection else { return [] }
    let flow =
      switch end {
      case .place(let place): CiliumFlow(place, destination, from: node, cluster)
      case .unknown(let reason): CiliumFlow(cluster.service(at: destination.address), reason, destination)
      }
    let names = destination.decisiveNames
    return index.rules(of: list.groups).map { number in
      let rule = rules[number]
      let fit = fit(of: rule, flow, names)
      if let doubt = fit.doubt { return RuleAccount(rule.reference, .unclear(doubt)) }
      return RuleAccount(rule.reference, fit.nearness == Nearness.fits ? .fits : .fails(miss(of: rule, flow, names)))
    }
  }

  private func judge(_ list: SelectionLists.List, _ flow: CiliumFlow) -> Verdict {
    let names = flow.destination.decisiveNames
    // What may lie anywhere is asked of every rule.
    if case .service = flow.identity { return judge(list, index.rules(of: list.groups), flow, names) }
    let met = index.met(by: flow.place.address, names) + (flow.place.pod.map { conditions[$0] } ?? [])
    let verdict = judge(list, index.rules(of: list.groups, meeting: met), flow, names)
    guard verdict.decision == .denied, verdict.by.isEmpty else { return verdict }
    return judge(list, index.rules(of: list.groups, near: met + index.resembled(by: names)), flow, names)
  }

  /// `found`: those rules of the policies that may decide, or come near.
  private func judge(_ list: SelectionLists.List, _ found: [Int], _ flow: CiliumFlow, _ names: [LabelledName]) -> Verdict {
    var allowing: [RuleReference] = []
    var unsure: (allow: String?, deny: String?)
    var nearest: (rule: Int, nearness: Int)?
    for number in found {
      let rule = rules[number]
      let fit = fit(of: rule, flow, names)
      if let doubt = fit.doubt {
        let reason = "\(rule.reference): \(doubt)"
        if rule.denies { unsure.deny = unsure.deny ?? reason } else { unsure.allow = unsure.allow ?? reason }
      } else if fit.nearness == Nearness.fits {
        if rule.denies { return Denial(by: rule.reference, scope: rule.summary).verdict(selectedBy: []) }
        allowing.append(rule.reference)
      } else if !rule.denies, fit.nearness > nearest?.nearness ?? -1 {
        // The first of equals, so that the order of manifests makes no difference.
        nearest = (number, fit.nearness)
      }
    }
    let denying = list.policies.first { policies[$0].deniesByDefault }
    let isAllowed = !allowing.isEmpty || denying == nil
    if let doubt = isAllowed ? unsure.deny : unsure.allow { return Verdict(decision: .undecidable, reason: doubt) }
    if isAllowed { return Verdict(decision: .allowed, by: allowing) }
    guard let nearest = nearest.map({ rules[$0.rule] }) else {
      let policy = denying.map { policies[$0].reference } ?? "a policy"
      return Verdict(decision: .denied, reason: "\(policy) selects the workload and has no rule that allows egress")
    }
    return Verdict(
      decision: .denied, reason: "\(nearest.reference): \(miss(of: nearest, flow, names))", nearest: nearest.reference)
  }
}

extension CiliumEngine.Rule {
  /// What besides the destination makes how near a rule comes, and when that is asked for.
  private struct Rest: Hashable {
    var denies: Bool
    var ports: [CiliumPolicy.PortRule]
    var icmp: [CiliumPolicy.ICMPType]?
  }

  fileprivate func entry(in group: Int?) -> RuleIndex.Entry {
    var (deciding, near): ([Condition], [Condition]) = (peers == nil ? [.any] : [], [.any])
    for peer in peers ?? [] {
      switch peer {
      case .endpoints(let selector, let reserved):
        deciding += reserved == nil ? [.selector(selector)] : [.any]
        // Every pod is near.
        near.append(.pod)
      case .block(let prefix, _): deciding.append(.block(prefix))
      case .blocks(let blocks, _): deciding += blocks.blocks.conditions
      case .name(let pattern):
        deciding += [pattern].conditions
        near += [pattern].resemblances
      case .entity, .service, .nodes, .cloudGroup: deciding.append(.any)
      }
    }
    return RuleIndex.Entry(group: group, deciding: deciding, near: near, rest: Rest(denies: denies, ports: ports, icmp: icmp))
  }
}
