import EgressModel

/// Calico's tiers: NetworkPolicy and GlobalNetworkPolicy, with Kubernetes' NetworkPolicies in the tier `default` and ClusterNetworkPolicies in tiers of their own.
///
/// - A tier that has no policy for a pod is passed over. Else the first matching rule decides, or the tier's default action.
/// - Kubernetes' NetworkPolicies have order 1000. They only allow, so that all of them stand at one place.
/// - What passes every tier is allowed.
/// - Pods on the host network are no endpoints.
struct CalicoEngine: PolicyEngine {
  struct Rule: Sendable {
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
    var rules: [Rule]
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
  private let selecting: SelectionLists
  let sets: [NetworkSet]
  /// For each pod of the cluster, the numbers of the rules' selectors that match its labels.
  let matchedSelectors: [[Int]]
  /// Namespaces whose pods a policy of Calico's may select; nil is every one.
  private let namespaces: Set<String>?
  /// At most one: what would be with the staged policies in force.
  private var proposed: [CalicoEngine] = []

  init(_ declared: PolicySet, cluster: Cluster) {
    let effective = CalicoEffectivePolicies(declared)
    self.init(effective, declared, cluster)
    if let proposal = effective.proposal(declared) { proposed = [CalicoEngine(proposal, declared, cluster)] }
  }

  private init(_ all: CalicoEffectivePolicies, _ declared: PolicySet, _ cluster: Cluster) {
    self.cluster = cluster
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
      let reference = policy.name.reference
      let rules = policy.egress.enumerated().map { index, rule in
        Rule(
          declared: rule, reference: RuleReference(policy: reference, rule: index), source: entity(rule.source), destination: entity(rule.destination))
      }
      // The default tier's name may stand before a policy's, and means nothing.
      let name = policy.name.name.hasPrefix("default.") ? String(policy.name.name.dropFirst(8)) : policy.name.name
      return (
        policy: Policy(
          reference: reference, tier: numbers[policy.tier] ?? 0, place: (policy.order ?? .infinity, name), rules: rules,
          isUncertain: policy.serviceAccountSelector != nil), selector: policy.selector
      )
    }.sorted { ($0.policy.tier, $0.policy.place.order, $0.policy.place.name, $0.policy.reference) < ($1.policy.tier, $1.policy.place.order, $1.policy.place.name, $1.policy.reference) }
    policies = resolved.map(\.policy)
    var index = SelectorIndex()
    for (id, policy) in resolved.enumerated() { index.insert(policy.selector, id: id) }
    let labels = zip(cluster.pods, cluster.namespaceOfPod).map { CalicoLabels.of($0, in: cluster.namespaces[$1]) }
    selecting = SelectionLists(zip(cluster.pods, labels).map { $0.hostNetwork ? [] : index.matching($1) }, references: policies.map(\.reference))
    matchedSelectors = labels.map { table.matching($0) }
    sets = declared.all(CalicoNetworkSet.self).map {
      NetworkSet(blocks: PrefixSet($0.blocks), domains: $0.domains, matchedSelectors: table.matching($0.labels))
    }
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
    proposed.contains { $0.maySelectPods(in: namespace) } || namespaces?.contains(namespace) ?? true || networkPolicies.maySelectPods(in: namespace) || clusterPolicies.maySelectPods(in: namespace)
  }

  func names(selecting pod: Int) -> [String] {
    (selecting[pod].references + networkPolicies.names(selecting: pod) + clusterPolicies.names(selecting: pod)).sorted()
  }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    var verdict = judgeEffective(pod, destination)
    if let would = proposed.first?.judgeEffective(pod, destination), would.decision != verdict.decision {
      verdict.would = Verdict.Proposal(decision: would.decision, by: would.by, reason: would.reason)
    }
    return verdict
  }

  private func judgeEffective(_ pod: Int, _ destination: Destination) -> Verdict {
    let names = names(selecting: pod)
    guard !names.isEmpty else { return Verdict(decision: .unprotected) }
    let own = selecting[pod].policies
    var verdict: Verdict
    if let policy = own.first(where: { policies[$0].isUncertain }) {
      verdict = Verdict(
        decision: .undecidable, reason: "\(policies[policy].reference) selects by labels of service accounts, which are not in the inventory")
    } else if let policy = own.first(where: { !tiers[policies[$0].tier].isDeclared }) {
      verdict = Verdict(
        decision: .undecidable, reason: "\(policies[policy].reference) is in tier \(tiers[policies[policy].tier].name), which is not declared")
    } else {
      verdict = cluster.verdict(over: destination) { place in
        judge(CalicoFlow(pod, place, destination, sets: sets))
      } unknown: { reason in
        judge(CalicoFlow(pod, destination, service: cluster.service(at: destination.address), unknown: reason))
      }
    }
    verdict.selectedBy = names
    return verdict
  }

  private func judge(_ flow: CalicoFlow) -> Verdict {
    var walk = CalicoWalk()
    for tier in tiers.indices {
      walk.enter(tier: tiers[tier].name, denies: tiers[tier].denies)
      switch tiers[tier].name {
      case "kube-admin": ask(.admin, flow, &walk)
      case "kube-baseline": ask(.baseline, flow, &walk)
      default: break
      }
      var hasAskedNetworkPolicies = tiers[tier].name != "default"
      for id in selecting[flow.pod].policies where policies[id].tier == tier && walk.isInTier {
        if !hasAskedNetworkPolicies, policies[id].place > Self.networkPolicyPlace {
          askNetworkPolicies(flow, &walk)
          hasAskedNetworkPolicies = true
        }
        if !walk.isInTier { break }
        walk.isApplicable = true
        for rule in policies[id].rules where walk.isInTier { walk.take(rule, check(rule, flow)) { miss(of: rule, $0, flow) } }
      }
      if !hasAskedNetworkPolicies, walk.isInTier { askNetworkPolicies(flow, &walk) }
      if let verdict = walk.leave() { return verdict }
    }
    return walk.settled(Verdict(decision: .allowed))
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
