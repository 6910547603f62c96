import EgressModel

/// Every EgressPolicy, resolved against the inventory.
final class EgressPolicyEngine: PolicyEngine {
  /// Sorted by reference.
  private let policies: [EgressPolicy]
  private let references: [String]
  private struct Rule: Sendable {
    var reference: RuleReference
    var declared: EgressPolicy.Rule
  }

  /// What besides the destination makes how near a rule comes.
  private struct Rest: Hashable {
    var ports: [ClosedRange<UInt16>]
    var transports: [Transport]
  }

  /// In the order of the policies.
  private let rules: [Rule]
  /// For each policy, the numbers of its rules.
  private let rulesOfPolicy: [Range<Int>]
  private let index: RuleIndex
  /// For each pod of the cluster, the policies that select it.
  private let selecting: SelectionLists

  init(_ declared: [EgressPolicy], cluster: Cluster) {
    policies = declared.sorted { $0.name.reference < $1.name.reference }
    references = policies.map(\.name.reference)
    // Globs are matched once for each namespace, not for each pod.
    var indexes: [String: SelectorIndex] = [:]
    var exact: [String: [Int]] = [:]
    var globbed: [Int] = []
    for (id, policy) in policies.enumerated() {
      guard case .pods(let namespaces, _) = policy.selection else { continue }
      if let namespaces, namespaces.allSatisfy(\.isLiteral) {
        for name in Set(namespaces.map(\.description)) { exact[name, default: []].append(id) }
      } else {
        globbed.append(id)
      }
    }
    for name in Set(cluster.pods.map(\.namespace)) {
      var index = SelectorIndex()
      for id in (exact[name] ?? []) + globbed {
        if case .pods(let namespaces, let selector) = policies[id].selection, namespaces?.contains(where: { $0.matches(name) }) ?? true {
          index.insert(selector, id: id)
        }
      }
      indexes[name] = index
    }
    let selecting = SelectionLists(cluster.pods.map { indexes[$0.namespace]?.matching($0.labels) ?? [] }, references: references)
    var rules: [Rule] = []
    var entries: [RuleIndex.Entry] = []
    rulesOfPolicy = policies.enumerated().map { id, policy in
      let first = rules.count
      for (number, rule) in policy.allow.enumerated() {
        rules.append(Rule(reference: RuleReference(policy: policy.name.reference, rule: number), declared: rule))
        entries.append(
          RuleIndex.Entry(
            group: selecting.groupOfPolicy[id], deciding: rule.allowsAnyDestination ? [.any] : rule.names.conditions + rule.cidrs.conditions,
            near: [.any] + rule.names.resemblances, rest: Rest(ports: rule.ports, transports: rule.transports)))
      }
      return first..<rules.count
    }
    index = RuleIndex(entries)
    (self.rules, self.selecting) = (rules, selecting)
  }

  func maySelectPods(in namespace: String) -> Bool {
    policies.contains { policy in
      guard case .pods(let namespaces, _) = policy.selection else { return false }
      return namespaces?.contains { $0.matches(namespace) } ?? true
    }
  }

  func names(selecting pod: Int) -> [String] { selecting[pod].references }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    let selected = selecting[pod]
    guard !selected.policies.isEmpty else { return Verdict(decision: .unprotected) }
    return judge(selected.references, destination) { names, isExplaining in
      let met = index.met(by: destination.address, names)
      return isExplaining
        ? index.rules(of: selected.groups, near: met + index.resembled(by: names)) : index.rules(of: selected.groups, meeting: met)
    }
  }

  func judge(host workload: Workload, _ destination: Destination) -> Verdict {
    switch selection(of: workload) {
    case .unknown(let reason): return Verdict(decision: .undecidable, reason: reason)
    case .policies([]): return Verdict(decision: .unprotected)
    case .policies(let ids):
      let selectedBy = ids.map { references[$0] }
      if destination.address.isLoopback { return Verdict(decision: .allowed, selectedBy: selectedBy) }
      let all = ids.flatMap { rulesOfPolicy[$0] }
      return judge(selectedBy, destination) { _, _ in all }
    }
  }

  func accounts(_ pod: Int, to _: FlowEnd, _ destination: Destination) -> [RuleAccount] { accounts(index.rules(of: selecting[pod].groups), destination) }

  func accounts(host workload: Workload, _ destination: Destination) -> [RuleAccount] {
    guard case .policies(let ids) = selection(of: workload) else { return [] }
    return accounts(ids.flatMap { rulesOfPolicy[$0] }, destination)
  }

  private func accounts(_ numbers: [Int], _ destination: Destination) -> [RuleAccount] {
    let names = destination.decisiveNames
    return numbers.map { number in
      let rule = rules[number]
      let fits = allows(rule.declared, destination, names)
      return RuleAccount(rule.reference, fits ? .fits : .fails(miss(of: rule.declared, destination, names)))
    }
  }

  private enum HostSelection {
    case policies([Int])
    case unknown(String)
  }

  private func selection(of workload: Workload) -> HostSelection {
    var ids: [Int] = []
    for (id, policy) in policies.enumerated() {
      guard case .hosts(let units, let containers, let nodes) = policy.selection else { continue }
      let globs = workload.kind == .systemd ? units : workload.kind == .container ? containers : []
      guard globs.contains(where: { $0.matches(workload.name) }) else { continue }
      if let nodes {
        guard let node = workload.node else {
          return .unknown("\(references[id]) selects \(workload.shortName) on some nodes only, and its node is not known")
        }
        guard nodes.contains(where: { $0.matches(node) }) else { continue }
      }
      ids.append(id)
    }
    return .policies(ids)
  }

  /// `rules`: of the policies that select the workload those that may allow these names, or when it is to be explained also those that come near.
  private func judge(_ selectedBy: [String], _ destination: Destination, _ rules: ([LabelledName], _ isExplaining: Bool) -> [Int]) -> Verdict {
    let confirmed = destination.saidNames
    // A connection in which two names were said goes to both, so each must be allowed.
    let alternatives = confirmed.isEmpty ? [destination.lookedUpNames] : confirmed.map { [$0] }
    var allowing: Set<Int> = []
    for names in alternatives.map({ $0.map(LabelledName.init) }) {
      let fitting = rules(names, false).filter { allows(self.rules[$0].declared, destination, names) }
      if fitting.isEmpty { return denial(rules(names, true), selectedBy, destination, names) }
      allowing.formUnion(fitting)
    }
    return Verdict(decision: .allowed, by: allowing.sorted().map { self.rules[$0].reference }, selectedBy: selectedBy)
  }

  private func allows(_ rule: EgressPolicy.Rule, _ destination: Destination, _ names: [LabelledName]) -> Bool {
    carries(rule, destination) && reaches(rule, destination, names)
  }

  private func carries(_ rule: EgressPolicy.Rule, _ destination: Destination) -> Bool {
    guard rule.transports.isEmpty || rule.transports.contains(destination.transport) else { return false }
    return rule.ports.isEmpty || destination.port.map { port in rule.ports.contains { $0.contains(port) } } ?? false
  }

  private func reaches(_ rule: EgressPolicy.Rule, _ destination: Destination, _ names: [LabelledName]) -> Bool {
    if rule.allowsAnyDestination || rule.names.contains(where: { names.contains(where: $0.matches) }) { return true }
    return rule.cidrs.contains { $0.contains(destination.address) } && !rule.except.contains { $0.contains(destination.address) }
  }
}

/// The nearest miss: how far a rule came, and what it failed at.
extension EgressPolicyEngine {
  private func denial(_ found: [Int], _ selectedBy: [String], _ destination: Destination, _ names: [LabelledName]) -> Verdict {
    var nearest: (rule: Rule, nearness: Int)?
    for rule in found {
      let nearness = nearness(of: rules[rule].declared, destination, names)
      // The first of equals, so that the order of manifests makes no difference.
      if nearness > nearest?.nearness ?? -1 { nearest = (rules[rule], nearness) }
    }
    let reason =
      nearest.map { "\($0.rule.reference): \(miss(of: $0.rule.declared, destination, names))" }
      ?? "\(selectedBy.first ?? "a policy") selects the workload and allows nothing"
    return Verdict(decision: .denied, reason: reason, nearest: nearest?.rule.reference, selectedBy: selectedBy)
  }

  private func nearness(of rule: EgressPolicy.Rule, _ destination: Destination, _ names: [LabelledName]) -> Int {
    let place =
      reaches(rule, destination, names)
      ? 6
      : rule.cidrs.contains { $0.contains(destination.address) }
        ? 2 : rule.names.contains { pattern in names.contains { pattern.resembles($0) } } ? 1 : 0
    return place + (carries(rule, destination) ? 3 : 0)
  }

  /// The first failing condition, in words.
  private func miss(of rule: EgressPolicy.Rule, _ destination: Destination, _ names: [LabelledName]) -> String {
    if reaches(rule, destination, names) {
      return "\(destination.port == nil ? "" : "port ")\(destination.portText) is not \(rule.conditions ?? "allowed")"
    }
    if let block = rule.except.first(where: { $0.contains(destination.address) }) { return "\(destination.address) is in except \(block)" }
    let cidrs = rule.cidrs.isEmpty ? "" : "\(destination.address) is not in \(rule.cidrs.map(\.description).joined(separator: ", "))"
    guard !rule.names.isEmpty else { return cidrs }
    let naming = destination.miss(of: rule.names, names)
    return cidrs.isEmpty ? naming : "\(naming), and \(cidrs)"
  }
}
