import EgressModel
import Policy
import Testing

@Suite struct FQDNNetworkPolicyTests {
  /// An FQDNNetworkPolicy for app=web of namespace shop.
  static func policy(_ egress: String) -> String {
    """
    apiVersion: networking.gke.io/v1alpha1
    kind: FQDNNetworkPolicy
    metadata: {name: names, namespace: shop}
    spec:
      podSelector: {matchLabels: {app: web}}
      egress: \(egress)
    """
  }

  @Test(arguments: [
    ("[]", "spec.egress", "empty"), ("[{}]", "spec.egress[0].matches", "missing"), ("[{matches: []}]", "spec.egress[0].matches", "empty"),
    ("[{matches: [{}]}]", "spec.egress[0].matches[0]", "nothing is named"), ("[{matches: [{name: a.com, pattern: a.com}]}]", "spec.egress[0].matches[0]", "exclude each other"),
    ("[{matches: [{name: '*.a.com'}]}]", "spec.egress[0].matches[0].name", "no domain name"), ("[{matches: [{pattern: 'a..com'}]}]", "spec.egress[0].matches[0].pattern", "no pattern"),
    ("[{matches: [{name: a.com}], ports: [{protocol: SCTP}]}]", "spec.egress[0].ports[0].protocol", "none of TCP, UDP, ALL"),
    ("[{matches: [{name: a.com}], ports: [{port: 0}]}]", "spec.egress[0].ports[0].port", "not between"), ("[{to: []}]", "spec.egress[0].to", "unknown field"),
  ])
  func `what GKE refuses is refused, with the field named`(_ egress: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(Self.policy(egress), file: "f.yaml")
    #expect(errors.map(\.path).contains(path), "\(errors)")
    #expect(errors.contains { $0.problem.contains(problem) }, "\(errors)")
    #expect(policies.isEmpty)
  }

  @Test(arguments: [
    ("name: a.com", "A.com", true), ("name: a.com.", "a.com", true), ("name: a.com", "x.a.com", false), ("pattern: '*.a.com'", "x.a.com", true), ("pattern: '*.a.com'", "a.com", false),
    ("pattern: '*.a.com'", "x.y.a.com", false), ("pattern: 'sub*.a.com'", "sub.a.com", true), ("pattern: 'sub*.a.com'", "subway.a.com", true), ("pattern: 'sub*.a.com'", "x.a.com", false),
    ("pattern: '*.*.a.com'", "x.y.a.com", true), ("pattern: '*.*.a.com'", "x.a.com", false), ("pattern: '*b*.a.com'", "abc.a.com", true), ("pattern: '*'", "x.y.z", true), ("pattern: a.com", "a.com", true),
  ])
  func `a star stands for characters of one label`(_ match: String, _ observed: String, _ allowed: Bool) throws {
    let judge = Judge(policies: policySet(Self.policy("[{matches: [{\(match)}]}]")), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", 443, .tcp, name(observed, .confirmed)))
    #expect(verdict.decision == (allowed ? .allowed : .denied))
  }

  @Test(arguments: [
    ("[]", 443, Transport.tcp, true), ("[]", nil, .icmp, true), ("[{port: 443}]", 443, .udp, true), ("[{port: 443}]", 80, .tcp, false), ("[{protocol: TCP}]", 80, .tcp, true),
    ("[{protocol: TCP}]", 80, .udp, false), ("[{protocol: ALL, port: 53}, {protocol: TCP, port: 443}]", 443, .tcp, true), ("[{protocol: TCP, port: 443}]", nil, .icmp, false),
  ] as [(String, UInt16?, Transport, Bool)])
  func `ports narrow a rule, and none means everything`(_ ports: String, _ port: UInt16?, _ transport: Transport, _ allowed: Bool) throws {
    let judge = Judge(policies: policySet(Self.policy("[{matches: [{name: a.com}], ports: \(ports)}]")), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", port, transport, name("a.com", .resolved, .dns)))
    #expect(verdict.decision == (allowed ? .allowed : .denied))
  }

  @Test func `a pod that it or a NetworkPolicy selects leaves where either allows it`() throws {
    let judge = Judge(
      policies: policySet(Self.policy("[{matches: [{name: a.com}]}]"), networkPolicy("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]")), inventory: inventory(shopInventory))
    let named = try destination("198.51.100.1", 443, .tcp, name("a.com", .confirmed))
    #expect(judge.judge(pod("shop", "web-1"), named).by.map(\.description) == ["FQDNNetworkPolicy/shop/names#0"])
    #expect(judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", 443)).by.map(\.description) == ["NetworkPolicy/shop/p#0"])
    #expect(judge.judge(pod("shop", "cart-1"), named).decision == .denied)
    #expect(judge.judge(pod("db", "pg-0"), named).decision == .unprotected)
    let denied = judge.judge(pod("shop", "web-1"), try destination("198.51.100.1", 443))
    #expect(denied.decision == .denied)
    #expect(denied.reason == "NetworkPolicy/shop/p#0: 198.51.100.1 is not in 203.0.113.0/24; FQDNNetworkPolicy/shop/names#0: nothing names 198.51.100.1, so it cannot match a.com")
    #expect(denied.selectedBy == ["FQDNNetworkPolicy/shop/names", "NetworkPolicy/shop/p"])
  }

  @Test func `no name leads to a pod`() throws {
    let judge = Judge(policies: policySet(Self.policy("[{matches: [{pattern: '*'}]}]")), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination("10.244.1.20", 5432, .tcp, name("pg.db.svc", .confirmed)))
    #expect(verdict.decision == .denied)
    #expect(verdict.reason == "FQDNNetworkPolicy/shop/names#0: 10.244.1.20 is a pod's address, and names are only for what is outside the cluster")
  }

  @Test func `rules are told with how wide they are`() {
    let rules = policySet(Self.policy("[{matches: [{pattern: '*.a.com'}], ports: [{port: 443}]}, {matches: [{pattern: '*'}]}, {matches: [{name: b.com}, {pattern: '*.com'}]}, {matches: [{name: c.com}]}]")).rules
    #expect(rules.map(\.summary) == ["to *.a.com ports 443", "to *", "to b.com or *.com", "to c.com"])
    #expect(rules.map(\.width) == [nil, "* is every name", "*.com is a whole top-level domain", "every port of c.com"])
    #expect(rules[0].wildcardDomains.map(\.text) == ["a.com"])
  }
}
