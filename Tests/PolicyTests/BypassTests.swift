import EgressModel
import Policy
import Testing

/// What was said in a connection against what its address stands for.
@Suite struct BypassTests {
  static let cilium = """
    apiVersion: cilium.io/v2
    kind: CiliumNetworkPolicy
    metadata: {name: c, namespace: shop}
    spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.com}], toPorts: [{ports: [{port: "443", protocol: TCP}]}]}]}
    """
  static let own = """
    apiVersion: egress-obs.dev/v1
    kind: EgressPolicy
    metadata: {name: e, namespace: shop}
    spec: {select: {pods: {}}, allow: [{names: [a.com]}]}
    """
  static let firewall = EgressFirewallTests.firewall("[{type: Allow, to: {dnsName: a.com}}, {type: Deny, to: {cidrSelector: 0.0.0.0/0}}]")
  static let cluster = ClusterNetworkPolicyTests.policy("[{action: Accept, to: [{domainNames: [a.com]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]")

  /// Each lets out to a.com alone; `bypass`: by which rule what says another name passes when the address is a.com's, too.
  @Test(arguments: [
    (cilium, "CiliumNetworkPolicy/shop/c#0"), (firewall, "EgressFirewall/shop/default#0"), (cluster, "ClusterNetworkPolicy/c#0"),
    (FQDNNetworkPolicyTests.policy("[{matches: [{name: a.com}]}]"), "FQDNNetworkPolicy/shop/names#0"),
    // These look at what was said.
    (own, nil),
  ] as [(String, String?)])
  func `a data path that knows names only as addresses lets through what says another name`(_ manifest: String, _ bypass: String?) throws {
    let judge = Judge(policies: policySet(manifest), inventory: inventory(shopInventory))
    func verdict(_ names: NameEvidence...) throws -> Verdict {
      var there = try destination("203.0.113.9", 443)
      there.names = names
      return judge.judge(pod("shop", "web-1"), there)
    }
    let shared = try verdict(name("b.com", .confirmed), name("a.com", .shared, .dns))
    #expect(shared.decision == .denied)
    #expect(shared.bypass?.description == bypass)
    // Nothing else leads there, or what does is no better.
    #expect(try verdict(name("b.com", .confirmed)).bypass == nil)
    #expect(try verdict(name("b.com", .confirmed), name("c.com", .shared, .dns)).bypass == nil)
    #expect(try verdict(name("b.com", .confirmed), name("a.com", .hint, .ptr)).bypass == nil)
    // What was said is allowed.
    let said = try verdict(name("a.com", .confirmed), name("b.com", .shared, .dns))
    #expect(said.decision == .allowed)
    #expect(said.bypass == nil)
    // Nothing was said.
    #expect(try verdict(name("a.com", .shared, .dns), name("b.com", .shared, .dns)).decision == .allowed)
    // Two names were said: each must be allowed.
    let both = try verdict(name("a.com", .confirmed), name("b.com", .confirmed, .httpHost))
    #expect(both.decision == .denied)
    #expect(both.bypass?.description == bypass)
    #expect(both.selectedBy.count == 1)
  }

  @Test func `in a mesh what was said counts, and what another engine denies stays denied`() throws {
    let said = name("b.com", .confirmed), shared = name("a.com", .shared, .dns)
    let mesh = Judge(policies: policySet(IstioTests.mesh("REGISTRY_ONLY"), IstioTests.entry(IstioTests.tls)), inventory: inventory(shopInventory, IstioTests.pods))
    let there = try destination("203.0.113.9", 443, .tcp, said, shared)
    #expect(mesh.judge(pod("shop", "front"), there).decision == .denied)
    #expect(mesh.judge(pod("shop", "front"), there).bypass == nil)
    let both = Judge(policies: policySet(Self.firewall, Self.own), inventory: inventory(shopInventory))
    #expect(both.judge(pod("shop", "web-1"), there).decision == .denied)
    #expect(both.judge(pod("shop", "web-1"), there).bypass == nil)
  }

  @Test func `what is denied by name is denied by address, whatever was said`() throws {
    let judge = Judge(policies: policySet(EgressFirewallTests.firewall("[{type: Deny, to: {dnsName: a.com}}]")), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", 443, .tcp, name("b.com", .confirmed), name("a.com", .shared, .dns)))
    #expect(verdict.decision == .denied)
    #expect(verdict.bypass == nil)
  }
}
