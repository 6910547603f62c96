import EgressModel
import Testing

@testable import Policy

/// Tiers around the NetworkPolicies of a random cluster, with an evaluator that does what the text of the API says.
struct RandomTiers {
  struct Rule { var action: String, peers: [(pods: RandomCluster.Selector, namespaces: RandomCluster.Selector)?], block: (UInt32, Int), ports: [Int]? }
  struct Policy { var name: String, tier: String, priority: Int, pods: RandomCluster.Selector, namespaces: RandomCluster.Selector, rules: [Rule] }

  var cluster: RandomCluster
  var policies: [Policy] = []

  init(_ random: inout SeededGenerator) {
    cluster = RandomCluster(&random)
    func flip(_ odds: Int = 2) -> Bool { Int.random(in: 0..<odds, using: &random) == 0 }
    func selector() -> RandomCluster.Selector {
      guard !flip(), let key = RandomCluster.keys.randomElement(using: &random), let value = RandomCluster.values.randomElement(using: &random) else {
        return RandomCluster.Selector(labels: [:], expressions: [])
      }
      return RandomCluster.Selector(labels: [key: value], expressions: [])
    }
    // Equal priorities have no order, so there are none.
    let priorities = Array(0...20).shuffled(using: &random)
    for index in 0..<Int.random(in: 1...5, using: &random) {
      let rules = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        Rule(
          action: ["Accept", "Deny", "Pass"].randomElement(using: &random) ?? "Pass",
          peers: (0..<Int.random(in: 1...2, using: &random)).map { _ in flip() ? nil : (selector(), selector()) },
          block: (0x0a00_0000 + UInt32.random(in: 0..<16, using: &random), Int.random(in: 26...31, using: &random)), ports: flip() ? nil : [80, flip() ? 8000 : 443])
      }
      policies.append(Policy(name: "t\(index)", tier: flip() ? "Admin" : "Baseline", priority: priorities[index], pods: selector(), namespaces: selector(), rules: rules))
    }
  }

  var texts: [String] {
    policies.map { policy in
      let rules = policy.rules.map { rule in
        let peers = rule.peers.map { peer in
          peer.map { "{pods: {podSelector: \(RandomCluster.flow($0.pods)), namespaceSelector: \(RandomCluster.flow($0.namespaces))}}" }
            ?? "{networks: [\(RandomCluster.text(rule.block.0))/\(rule.block.1)]}"
        }
        let ports = rule.ports.map { ", protocols: [" + $0.map { "{tcp: {destinationPort: {number: \($0)}}}" }.joined(separator: ", ") + "]" } ?? ""
        return "{action: \(rule.action), to: [\(peers.joined(separator: ", "))]\(ports)}"
      }
      return "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: \(policy.name)}, spec: {tier: \(policy.tier), priority: \(policy.priority), "
        + "subject: {pods: {podSelector: \(RandomCluster.flow(policy.pods)), namespaceSelector: \(RandomCluster.flow(policy.namespaces))}}, egress: [\(rules.joined(separator: ", "))]}}"
    }
  }

  private func matches(_ pods: RandomCluster.Selector, _ namespaces: RandomCluster.Selector, _ pod: RandomCluster.Pod) -> Bool {
    let labels = cluster.namespaces.first { $0.name == pod.namespace }!.labels
    return RandomCluster.matches(pods, pod.labels) && RandomCluster.matches(namespaces, labels)
  }

  /// The decision, and the rule of a tier that made it.
  func judge(_ subject: RandomCluster.Pod, _ address: UInt32, _ port: Int?, _ transport: String) -> (Verdict.Decision, String?) {
    let selecting = policies.filter { !$0.rules.isEmpty && !subject.hostNetwork && matches($0.pods, $0.namespaces, subject) }
    let own = cluster.judge(subject, address, port, transport).0
    if address == subject.address { return (selecting.isEmpty ? own : .allowed, nil) }
    let target = cluster.pods.first { $0.address == address && !$0.ended && !$0.hostNetwork }
    func first(_ tier: String) -> (action: String, rule: String)? {
      for policy in selecting.filter({ $0.tier == tier }).sorted(by: { $0.priority < $1.priority }) {
        for (index, rule) in policy.rules.enumerated() {
          let fits = rule.peers.contains { peer in
            peer.map { peer in target.map { matches(peer.pods, peer.namespaces, $0) } ?? false } ?? RandomCluster.contains(rule.block, address)
          }
          let carries = rule.ports.map { ports in transport == "TCP" && ports.contains { $0 == port } } ?? true
          if fits && carries { return (rule.action, "ClusterNetworkPolicy/\(policy.name)#\(index)") }
        }
      }
      return nil
    }
    if let admin = first("Admin"), admin.action != "Pass" { return (admin.action == "Accept" ? .allowed : .denied, admin.rule) }
    if own != .unprotected { return (own, nil) }
    if let baseline = first("Baseline"), baseline.action != "Pass" { return (baseline.action == "Accept" ? .allowed : .denied, baseline.rule) }
    return (selecting.isEmpty ? .unprotected : .allowed, nil)
  }
}

@Suite struct TierPropertyTests {
  @Test func `tiers agree with the naive reading of the API, and the order of manifests changes nothing`() throws {
    let seed = PropertyTests.seed
    var random = SeededGenerator(state: seed)
    var decisions: [Verdict.Decision: Int] = [:]
    var byTier = 0
    for round in 0..<60 {
      let tiers = RandomTiers(&random)
      let inventory = inventory(tiers.cluster.inventoryTexts.joined(separator: "\n---\n"))
      let texts = tiers.texts + tiers.cluster.policyTexts
      let first = Judge(policies: policySet(texts.joined(separator: "\n---\n")), inventory: inventory)
      let second = Judge(policies: policySet(texts.shuffled(using: &random).joined(separator: "\n---\n")), inventory: inventory)
      for _ in 0..<100 {
        let subject = try #require(tiers.cluster.pods.filter { !$0.ended }.randomElement(using: &random))
        let address = UInt32(0x0a00_0000) + UInt32.random(in: 0..<20, using: &random)
        let transport = ["TCP", "UDP", "ICMP"].randomElement(using: &random) ?? "TCP"
        let port: Int? = transport == "ICMP" ? nil : [80, 8000, 443].randomElement(using: &random)
        let there = Destination(address: IPAddress(v4: address), port: port.map { UInt16($0) }, transport: try #require(Transport(transport)))
        let verdict = first.judge(pod(subject.namespace, subject.name), there)
        let (decision, rule) = tiers.judge(subject, address, port, transport)
        let what: Comment = "seed \(seed) round \(round): \(subject.name) to \(there)\n\(texts.joined(separator: "\n"))"
        try #require(verdict.decision == decision, what)
        if let rule {
          try #require(verdict.by.map(\.description) == [rule], what)
          byTier += 1
        }
        try #require(second.judge(pod(subject.namespace, subject.name), there) == verdict, what)
        decisions[decision, default: 0] += 1
      }
    }
    for decision in [Verdict.Decision.allowed, .denied, .unprotected] { #expect(decisions[decision, default: 0] > 100, "\(decisions)") }
    #expect(byTier > 300)
  }

  @Test func `a rule that an audit calls superfluous can go without any decision changing`() throws {
    let seed = PropertyTests.seed
    var random = SeededGenerator(state: seed)
    var removed = 0
    for round in 0..<150 {
      var cluster = RandomCluster(&random)
      // Without rules a policy would no longer isolate by implication.
      for index in cluster.policies.indices { cluster.policies[index].types = ["Egress"] }
      let inventory = inventory(cluster.inventoryTexts.joined(separator: "\n---\n"))
      let policies = policySet(cluster.policyTexts.joined(separator: "\n---\n"))
      let whole = Judge(policies: policies, inventory: inventory)
      for finding in Audit(policies: policies, inventory: inventory).findings where [.shadowed, .duplicate].contains(finding.check) {
        let rule = try #require(finding.rule)
        var rest = cluster
        let index = try #require(rest.policies.firstIndex { "NetworkPolicy/\($0.namespace)/\($0.name)" == rule.policy })
        rest.policies[index].rules?.remove(at: rule.rule)
        let judge = Judge(policies: policySet(rest.policyTexts.joined(separator: "\n---\n")), inventory: inventory)
        removed += 1
        for subject in cluster.pods where !subject.ended {
          for _ in 0..<20 {
            let there = Destination(
              address: IPAddress(v4: 0x0a00_0000 + UInt32.random(in: 0..<20, using: &random)), port: [80, 8000, 8040].randomElement(using: &random),
              transport: [.tcp, .udp].randomElement(using: &random) ?? .tcp)
            let workload = pod(subject.namespace, subject.name)
            try #require(
              judge.judge(workload, there).decision == whole.judge(workload, there).decision,
              "seed \(seed) round \(round): \(finding.subject), \(finding.reason)\n\(cluster.policyTexts.joined(separator: "\n"))")
          }
        }
      }
    }
    #expect(removed > 20)
  }
}
