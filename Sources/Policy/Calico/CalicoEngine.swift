import EgressModel

/// Calico's tiers: NetworkPolicy and GlobalNetworkPolicy, with Kubernetes' NetworkPolicies in the tier `default` and ClusterNetworkPolicies in tiers of their own.
///
/// - A tier that has no policy for a pod is passed over. Else the first matching rule decides, or the tier's default action.
/// - Kubernetes' NetworkPolicies have order 1000. They only allow, so that all of them stand at one place.
/// - What passes every tier is allowed.
/// - Pods on the host network are no endpoints.
final class CalicoEngine: PolicyEngine {
  struct Rule: Sendable {
    /// The number of its policy.
    var policy: Int
    var declared: CalicoPolicy.Rule
    var reference: RuleReference
    var source: Entity
    var destination: Entity
  }

  /// Numbers of selectors.
  struct Entity: Sendable {
    var selector: Int?
    var notSelector: Int?
  }

  private struct Policy: Sendable {
    var reference: String
    var tier: Int
    /// Where it stands in its tier.
    var place: (order: Double, name: String)
    var hasRules: Bool
    /// It also asks for labels of service accounts, which no inventory has.
    var isUncertain: Bool
  }

  private struct Tier: Sendable {
    var name: String
    var order: Double
    var denies: Bool
    var isDeclared: Bool
  }

  /// What of NetworkSets is asked for at a verdict.
  struct NetworkSet: Sendable {
    var blocks: PrefixSet
    var domains: [CalicoDomain]
    /// Ascending.
    var matchedSelectors: [Int]
  }

  /// Where Kubernetes' NetworkPolicies stand in the tier `default`.
  private static let networkPolicyPlace = (order: 1000.0, name: "knp.default.")

  let knowsNamesAsAddresses = true
  let cluster: Cluster
  private let networkPolicies: NetworkPolicyEngine
  private let clusterPolicies: ClusterNetworkPolicyEngine
  private let tiers: [Tier]
  /// In the order in which they are asked.
  private let policies: [Policy]
  /// By tier, the numbers of its policies.
  private let policiesOfTier: [Range<Int>]
  /// In the order of the policies.
  private let rules: [Rule]
  private let index: RuleIndex
  private let selecting: SelectionLists
  /// For each pod, the policies of all kinds.
  private let references: [[String]]
  /// Policies of which nobody can tell whom they select, or when they are asked; ascending.
  private let uncertain: [Int]
  private let undeclared: [Int]
  let sets: [NetworkSet]
  /// The sets in place of rules.
  private let setIndex: RuleIndex
  /// For each pod of the cluster, the numbers of the rules' selectors that match its labels.
  let matchedSelectors: [[Int]]
  /// For each pod and each set, the numbers of the conditions that it makes a destination meet.
  private let conditionsOfPod: [[Int]]
  private let conditionsOfSet: [[Int]]
  /// Namespaces whose pods a policy of Calico's may select; nil is every one.
  private let namespaces: Set<String>?
  /// What would be with the staged policies in force.
  private let proposed: CalicoEngine?

  convenience init(_ declared: PolicySet, cluster: Cluster) {
    let effective = CalicoEffectivePolicies(declared)
    self.init(effective, proposed: effective.proposal(declared).map { CalicoEngine($0, proposed: nil, declared, cluster) }, declared, cluster)
  }

  private init(_ all: CalicoEffectivePolicies, proposed: CalicoEngine?, _ declared: PolicySet, _ cluster: Cluster) {
    self.cluster = cluster
    self.proposed = proposed
    networkPolicies = NetworkPolicyEngine(all.networkPolicies, cluster: cluster)
    clusterPolicies = ClusterNetworkPolicyEngine(declared.all(ClusterNetworkPolicy.self), cluster: cluster)
    let effective = all.policies.filter(\.governsEgress)
    tiers = Self.tiers(declared.all(CalicoTier.self), named: effective.map(\.tier))
    let numbers = Dictionary(uniqueKeysWithValues: tiers.enumerated().map { ($1.name, $0) })
    var table = SelectorTable()
    func entity(_ declared: CalicoPolicy.Entity) -> Entity {
      Entity(selector: declared.selector.map { table.id($0) }, notSelector: declared.notSelector.map { table.id($0) })
    }
    let resolved = effective.map { policy in
      // The default tier's name may stand before a policy's, and means nothing.
      let name = policy.name.name.hasPrefix("default.") ? String(policy.name.name.dropFirst(8)) : policy.name.name
      return (
        declared: policy,
        policy: Policy(
          reference: policy.name.reference, tier: numbers[policy.tier] ?? 0, place: (policy.order ?? .infinity, name), hasRules: !policy.egress.isEmpty,
          isUncertain: policy.serviceAccountSelector != nil)
      )
    }.sorted { ($0.policy.tier, $0.policy.place.order, $0.policy.place.name, $0.policy.reference) < ($1.policy.tier, $1.policy.place.order, $1.policy.place.name, $1.policy.reference) }
    let policies = resolved.map(\.policy)
    var rules: [Rule] = []
    for (id, item) in resolved.enumerated() {
      for (number, rule) in item.declared.egress.enumerated() {
        rules.append(
          Rule(
            policy: id, declared: rule, reference: RuleReference(policy: item.policy.reference, rule: number), source: entity(rule.source),
            destination: entity(rule.destination)))
      }
    }
    var subjects = SelectorIndex()
    for (id, item) in resolved.enumerated() { subjects.insert(item.declared.selector, id: id) }
    let labels = zip(cluster.pods, cluster.namespaceOfPod).map { CalicoLabels.of($0, in: cluster.namespaces[$1]) }
    let selecting = SelectionLists(zip(cluster.pods, labels).map { $0.hostNetwork ? [] : subjects.matching($1) }, references: policies.map(\.reference))
    let index = RuleIndex(rules.lazy.map { $0.entry(in: selecting.groupOfPolicy[$0.policy], tier: policies[$0.policy].tier) })
    matchedSelectors = labels.lazy.map { table.matching($0) }.sharingEqual
    sets = declared.all(CalicoNetworkSet.self).map {
      NetworkSet(blocks: PrefixSet($0.blocks), domains: $0.domains, matchedSelectors: table.matching($0.labels))
    }
    setIndex = RuleIndex(
      sets.lazy.map { RuleIndex.Entry(group: 0, deciding: $0.blocks.blocks.conditions + $0.domains.conditions, near: [], rest: 0) })
    conditionsOfPod = matchedSelectors.map { index.numbers(of: $0.map { .selector($0) }) }
    conditionsOfSet = sets.map { index.numbers(of: $0.matchedSelectors.map { .selector($0) }) }
    references = SelectionLists.references(in: [selecting, networkPolicies.selecting, clusterPolicies.selecting])
    var ends = tiers.indices.map { _ in 0 }
    for policy in policies { ends[policy.tier] += 1 }
    for tier in ends.indices.dropFirst() { ends[tier] += ends[tier - 1] }
    policiesOfTier = zip([0] + ends, ends).map { $0..<$1 }
    uncertain = policies.indices.filter { policies[$0].isUncertain }
    let isDeclared = tiers.map(\.isDeclared)
    undeclared = policies.indices.filter { !isDeclared[policies[$0].tier] }
    (self.policies, self.rules, self.index, self.selecting) = (policies, rules, index, selecting)
    namespaces = effective.contains { $0.name.namespace == nil } ? nil : Set(effective.compactMap(\.name.namespace))
  }

  /// Declared ones and those built in, in order; last those that policies name and nobody declares.
  private static func tiers(_ declared: [CalicoTier], named: [String]) -> [Tier] {
    var tiers = CalicoTier.builtIn.map { Tier(name: $0.name, order: $0.order, denies: $0.denies, isDeclared: true) }
    for tier in declared {
      tiers.removeAll { $0.name == tier.name.name }
      tiers.append(Tier(name: tier.name.name, order: tier.order ?? .infinity, denies: tier.denies, isDeclared: true))
    }
    let known = Set(tiers.map(\.name))
    tiers += Set(named).subtracting(known).map { Tier(name: $0, order: .infinity, denies: true, isDeclared: false) }
    return tiers.sorted { ($0.isDeclared ? 0 : 1, $0.order, $0.name) < ($1.isDeclared ? 0 : 1, $1.order, $1.name) }
  }

  func maySelectPods(in namespace: String) -> Bool {
    proposed?.maySelectPods(in: namespace) == true || namespaces?.contains(namespace) ?? true || networkPolicies.maySelectPods(in: namespace) || clusterPolicies.maySelectPods(in: namespace)
  }

  func names(selecting pod: Int) -> [String] { references[pod] }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    var verdict = judgeEffective(pod, destination)
    if let would = proposed?.judgeEffective(pod, destination), would.decision != verdict.decision {
      verdict.would = Verdict.Proposal(decision: would.decision, by: would.by, reason: would.reason)
    }
    return verdict
  }

  private func judgeEffective(_ pod: Int, _ destination: Destination) -> Verdict {
    let names = names(selecting: pod)
    guard !names.isEmpty else { return Verdict(decision: .unprotected) }
    let own = selecting[pod].policies
    var verdict: Verdict
    if let policy = uncertain.first(where: own.holds) {
      verdict = Verdict(
        decision: .undecidable, reason: "\(policies[policy].reference) selects by labels of service accounts, which are not in the inventory")
    } else if let policy = undeclared.first(where: own.holds) {
      verdict = Verdict(
        decision: .undecidable, reason: "\(policies[policy].reference) is in tier \(tiers[policies[policy].tier].name), which is not declared")
    } else {
      verdict = cluster.verdict(over: destination) { place in
        judge(CalicoFlow(pod, place, destination, sets: sets, setIndex))
      } unknown: { reason in
        judge(CalicoFlow(pod, destination, service: cluster.service(at: destination.address), unknown: reason))
      }
    }
    verdict.selectedBy = names
    return verdict
  }

  private func judge(_ flow: CalicoFlow) -> Verdict {
    let groups = selecting[flow.pod].groups
    // What may lie anywhere is asked of every rule.
    guard flow.unknown == nil else { return judge(flow, index.rules(of: groups)) }
    let met =
      index.met(by: flow.place.address, flow.names) + (flow.place.pod.map { conditionsOfPod[$0] } ?? []) + flow.sets.flatMap { conditionsOfSet[$0] }
    let verdict = judge(flow, index.rules(of: groups, meeting: met))
    guard verdict.decision == .denied else { return verdict }
    return judge(flow, index.rules(of: groups, near: met + index.resembled(by: flow.names)))
  }

  /// `found`: those rules of the policies that may decide, or come near.
  private func judge(_ flow: CalicoFlow, _ found: [Int]) -> Verdict {
    var walk = CalicoWalk(self, flow)
    var rest = found[...]
    let selected = selecting[flow.pod].policies
    for tier in tiers.indices {
      let own = selected[selected.lowerBound(of: policiesOfTier[tier].lowerBound)..<selected.lowerBound(of: policiesOfTier[tier].upperBound)]
      walk.enter(tier: tiers[tier].name, denies: tiers[tier].denies, isApplicable: !own.isEmpty)
      switch tiers[tier].name {
      case "kube-admin": ask(.admin, flow, &walk)
      case "kube-baseline": ask(.baseline, flow, &walk)
      default: break
      }
      var hasAskedNetworkPolicies = tiers[tier].name != "default"
      while let number = rest.first, policiesOfTier[tier].contains(rules[number].policy) {
        let rule = rules[number]
        rest.removeFirst()
        guard walk.isInTier else { continue }
        if !hasAskedNetworkPolicies, policies[rule.policy].place > Self.networkPolicyPlace {
          askNetworkPolicies(flow, &walk)
          hasAskedNetworkPolicies = true
        }
        if walk.isInTier { walk.take(rule, check(rule, flow)) }
      }
      if !hasAskedNetworkPolicies, walk.isInTier { askNetworkPolicies(flow, &walk) }
      if let verdict = walk.leave(lastPolicy: own.last { policies[$0].hasRules }.map { policies[$0].reference }) { return verdict }
    }
    return walk.settled(Verdict(decision: .allowed))
  }

  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    let flow =
      switch end {
      case .place(let place): CalicoFlow(pod, place, destination, sets: sets, setIndex)
      case .unknown(let reason): CalicoFlow(pod, destination, service: cluster.service(at: destination.address), unknown: reason)
      }
    let own = index.rules(of: selecting[pod].groups).map { rules[$0] }
    return tiers.indices.flatMap { tier in
      let ofTier = own.filter { policies[$0.policy].tier == tier }
      let accounts = ofTier.map { account($0, flow) }
      switch tiers[tier].name {
      case "kube-admin": return clusterPolicies.accounts(of: .admin, pod, to: end, destination) + accounts
      case "kube-baseline": return clusterPolicies.accounts(of: .baseline, pod, to: end, destination) + accounts
      case "default":
        let late = ofTier.firstIndex { policies[$0.policy].place > Self.networkPolicyPlace } ?? ofTier.endIndex
        return accounts[..<late] + networkPolicies.accounts(pod, to: end, destination) + accounts[late...]
      default: return accounts
      }
    }
  }

  private func account(_ rule: Rule, _ flow: CalicoFlow) -> RuleAccount {
    let check = check(rule, flow)
    guard check.fits else { return RuleAccount(rule.reference, .fails(miss(of: rule, check, flow))) }
    return RuleAccount(rule.reference, check.doubt.map { .unclear($0) } ?? .fits)
  }

  private func askNetworkPolicies(_ flow: CalicoFlow, _ walk: inout CalicoWalk) {
    guard !networkPolicies.names(selecting: flow.pod).isEmpty else { return }
    walk.isApplicable = true
    walk.take(flow.unknown.map { networkPolicies.judge(flow.pod, unknown: $0) } ?? networkPolicies.judge(flow.pod, at: flow.place, flow.destination))
  }

  private func ask(_ tier: ClusterNetworkPolicy.Tier, _ flow: CalicoFlow, _ walk: inout CalicoWalk) {
    guard !clusterPolicies.names(selecting: flow.pod).isEmpty else { return }
    if let reason = flow.unknown { return walk.decide(Verdict(decision: .undecidable, reason: reason)) }
    switch clusterPolicies.outcome(of: tier, flow.pod, at: flow.place, flow.destination) {
    case .accepted(let rule): walk.decide(Verdict(decision: .allowed, by: [rule]))
    case .denied(let denial): walk.decide(denial.verdict(selectedBy: []))
    case .undecidable(let reason): walk.decide(Verdict(decision: .undecidable, reason: reason))
    case .passed: break
    }
  }
}

extension CalicoEngine.Rule {
  /// What besides the destination makes how near a rule comes, and when that is asked for.
  private struct Rest: Hashable {
    var tier: Int
    var letsPass: Bool
    var transports: [Transport?]
    var ipVersion: Int?
    var icmp: [CalicoPolicy.ICMP?]
    var ports: [RulePort]
    var notPorts: [RulePort]
  }

  fileprivate func entry(in group: Int?, tier: Int) -> RuleIndex.Entry {
    let (wanted, numbers) = (declared.destination, destination)
    // One condition that must hold; exceptions that are asked about before it make a rule near without it.
    let deciding: [Condition] =
      if wanted.service != nil { [.any] } else if !wanted.nets.isEmpty { wanted.nets.conditions } else if !wanted.notNets.isEmpty {
        [.any]
      } else if let selector = numbers.selector { [.selector(selector)] } else if numbers.notSelector == nil, !wanted.domains.isEmpty {
        wanted.domains.conditions
      } else { [.any] }
    return RuleIndex.Entry(
      group: group, deciding: deciding, near: [.any],
      rest: Rest(
        tier: tier, letsPass: declared.action == .allow || declared.action == .pass, transports: [declared.transport, declared.notTransport],
        ipVersion: declared.ipVersion, icmp: [declared.icmp, declared.notICMP], ports: wanted.ports, notPorts: wanted.notPorts))
  }
}
