import EgressModel
import Testing

@testable import Policy

/// How a verdict comes about.
@Suite struct ExplanationTests {
  private func explain(_ manifests: [String], _ who: Workload, _ there: Destination, _ more: String = "") -> Explanation {
    var policies = PolicySet()
    for (index, manifest) in manifests.enumerated() { #expect(policies.add(manifest, file: "p\(index).yaml") == []) }
    return Judge(policies: policies, inventory: more.isEmpty ? inventory(shopInventory) : inventory(shopInventory, more)).explain(who, there)
  }

  private func outcomes(_ explanation: Explanation, reading: Int = 0, end: Int = 0) -> [String] {
    explanation.readings[reading].ends[end].rules.map { account in
      switch account.outcome {
      case .fits: "\(account.rule) fits"
      case .fails(let reason): "\(account.rule) fails: \(reason)"
      case .unclear(let reason): "\(account.rule) unclear: \(reason)"
      }
    }
  }

  @Test(arguments: RandomPolicies.Dialect.allCases)
  func `what is said of the rules bears out the verdict`(_ dialect: RandomPolicies.Dialect) throws {
    let seed = PropertyTests.seed
    var made = RandomPolicies(dialect, SeededGenerator(state: seed))
    var seen = (allowing: 0, denying: 0, nearest: 0)
    // Many sets of policies with few flows each: of a few sets all could happen to allow everything.
    for round in 0..<30 {
      let texts = (0..<dialect.count).map { made.text($0) }
      let judge = Judge(policies: RandomPolicies.set(texts), inventory: RandomPolicies.inventory)
      for _ in 0..<16 {
        let (there, workload) = (made.destination(), made.pick(RandomPolicies.workloads))
        let explanation = judge.explain(workload, there)
        let verdict = explanation.verdict
        let accounts = explanation.readings.flatMap(\.ends).flatMap(\.rules)
        func told(_ rule: RuleReference) -> [RuleAccount.Outcome] { accounts.filter { $0.rule == rule }.map(\.outcome) }
        let note: Comment = "seed \(seed) round \(round): \(workload.name) to \(there): \(verdict)\n\(accounts)\n\(texts.joined(separator: "\n"))"
        try #require(verdict == judge.judge(workload, there), note)
        if verdict.decision == .allowed || verdict.decision == .denied {
          for rule in verdict.by { try #require(told(rule).contains(.fits), note) }
          seen.allowing += verdict.decision == .allowed && !verdict.by.isEmpty ? 1 : 0
          seen.denying += verdict.decision == .denied && !verdict.by.isEmpty ? 1 : 0
        }
        if verdict.decision == .denied {
          try #require(!explanation.denials.isEmpty, note)
          if let nearest = verdict.nearest {
            seen.nearest += 1
            let reason = verdict.reason ?? ""
            try #require(
              told(nearest).contains { outcome in
                switch outcome {
                case .fits: reason.contains("comes later")
                case .fails(let miss): reason.contains(miss)
                case .unclear: false
                }
              }, note)
          }
        }
        if let bypass = verdict.bypass {
          try #require(explanation.readings.last?.verdict.decision == .allowed, note)
          try #require(explanation.readings.last?.ends.flatMap(\.rules).contains { $0.rule == bypass && $0.outcome == .fits } == true, note)
        }
      }
    }
    #expect(seen.allowing > 20 && seen.denying + seen.nearest > 20, "\(seen)")
  }

  @Test func `every rule of every policy that selects the pod is told of, and what it fails at`() throws {
    let explanation = explain(
      [
        networkPolicy("[{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}, {ports: [{port: 53, protocol: UDP}]}]"),
        networkPolicy("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]", name: "q"),
        networkPolicy("[{}]", name: "other", select: "{matchLabels: {app: cart}}"),
      ], pod("shop", "web-1"), try destination("203.0.113.9", 8443))
    #expect(explanation.subject == "pod shop/web-1")
    #expect(explanation.readings.map(\.basis) == [.nothing])
    #expect(explanation.readings[0].ends.map(\.place) == ["outside the cluster"])
    #expect(outcomes(explanation) == [
      "NetworkPolicy/shop/p#0 fails: 203.0.113.9 is not in 10.0.0.0/8", "NetworkPolicy/shop/p#1 fails: port 8443/tcp is not 53/udp",
      "NetworkPolicy/shop/q#0 fails: port 8443/tcp is not 443/tcp",
    ])
    #expect(explanation.denials.map(\.nearest?.description) == ["NetworkPolicy/shop/q#0"])
  }

  @Test func `both readings are told where the name that was said and the address differ`() throws {
    let explanation = explain(
      [BypassTests.cilium], pod("shop", "web-1"), try destination("203.0.113.9", 443, .tcp, name("b.com", .confirmed), name("a.com", .shared, .dns)))
    #expect(explanation.readings.map(\.basis) == [.said(DomainName(presentation: "b.com")), .address(["b.com", "a.com"].map { DomainName(presentation: $0) })])
    #expect(explanation.readings.map(\.verdict.decision) == [.denied, .allowed])
    #expect(outcomes(explanation) == ["CiliumNetworkPolicy/shop/c#0 fails: name b.com does not match a.com"])
    #expect(outcomes(explanation, reading: 1) == ["CiliumNetworkPolicy/shop/c#0 fits"])
  }

  @Test func `a rule about an alias is pointed out, because it was another name that was asked for`() throws {
    let evidence = NameEvidence(
      name: DomainName(presentation: "www.shop.example"), source: .dns, confidence: .resolved, chain: ["edge.example", "a.com"].map { DomainName(presentation: $0) })
    let explanation = explain([BypassTests.own], pod("shop", "web-1"), try destination("203.0.113.9", 443, .tcp, evidence))
    #expect(explanation.verdict.decision == .denied)
    #expect(explanation.readings.map(\.basis) == [.lookedUp([DomainName(presentation: "www.shop.example")])])
    #expect(explanation.aliases.map { "\($0.name) \($0.rule)" } == ["a.com EgressPolicy/shop/e#0"])
  }

  @Test func `a service leads to its backends, and where it leads nowhere known that is said`() throws {
    let policy = networkPolicy("[{to: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: http}]}]")
    let known = explain([policy], pod("shop", "web-1"), try destination("10.96.0.20", 80))
    #expect(known.readings[0].ends.map(\.place) == ["through service shop/cart to pod shop/cart-1 at 10.244.1.11:9090"])
    #expect(outcomes(known) == ["NetworkPolicy/shop/p#0 fits"])
    let unknown = explain([policy], pod("shop", "web-1"), try destination("10.96.0.21", 443))
    #expect(unknown.readings[0].ends.map(\.place) == ["10.96.0.21 is service shop/shop, which selects no pods: its endpoints are not known"])
    #expect(outcomes(unknown).first?.hasPrefix("NetworkPolicy/shop/p#0 unclear: ") == true)
  }

  @Test func `what two engines deny must be changed in both`() throws {
    let explanation = explain([networkPolicy("[]"), BypassTests.own], pod("shop", "web-1"), try destination("203.0.113.9", 443, .tcp, name("b.com", .confirmed)))
    #expect(explanation.denials.map { $0.nearest?.description ?? $0.reason ?? "" } == [
      "NetworkPolicy/shop/p selects the pod and has no egress rule", "EgressPolicy/shop/e#0",
    ])
  }

  @Test func `of a unit the lists are told, and of loopback and a pod's own address nothing`() throws {
    let policies = SystemdTests.policies([("nginx.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=10.0.0.0/8\n")])
    let judge = Judge(policies: policies, inventory: Inventory())
    let explanation = judge.explain(SystemdTests.unit("nginx.service"), try destination("203.0.113.9", 443))
    #expect(outcomes(explanation) == ["systemd/nginx.service#0 fits", "systemd/nginx.service#1 fails: 203.0.113.9 is not in it"])
    #expect(explanation.verdict.by.map(\.description) == ["systemd/nginx.service#0"])
    let own = explain([networkPolicy("[]")], pod("shop", "web-1"), try destination("10.244.1.10", 443))
    #expect(own.verdict.decision == .allowed && own.readings.isEmpty)
  }
}
