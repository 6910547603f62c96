import EgressModel
import Policy
import Testing

@Suite struct EgressFirewallTests {
  /// The EgressFirewall of namespace shop.
  static func firewall(_ egress: String, metadata: String = "{name: default, namespace: shop}") -> String {
    "apiVersion: k8s.ovn.org/v1\nkind: EgressFirewall\nmetadata: \(metadata)\nspec:\n  egress: \(egress)\n"
  }

  @Test(arguments: [
    ("[{to: {cidrSelector: 10.0.0.0/8}}]", "spec.egress[0].type", "missing"), ("[{type: allow, to: {cidrSelector: 10.0.0.0/8}}]", "spec.egress[0].type", "none of Allow, Deny"),
    ("[{type: Deny}]", "spec.egress[0].to", "missing"), ("[{type: Deny, to: {}}]", "spec.egress[0].to", "nothing is named"),
    ("[{type: Deny, to: {cidrSelector: 10.0.0.0/8, dnsName: a.com}}]", "spec.egress[0].to", "exclude each other"),
    ("[{type: Deny, to: {cidrSelector: 10.0.0.1}}]", "spec.egress[0].to.cidrSelector", "no prefix length"),
    ("[{type: Deny, to: {dnsName: 'a.*.com'}}]", "spec.egress[0].to.dnsName", "no domain name"), ("[{type: Deny, to: {dnsName: '*'}}]", "spec.egress[0].to.dnsName", "no domain name"),
    ("[{type: Deny, to: {dnsName: '*.com'}}]", "spec.egress[0].to.dnsName", "top-level domain"), ("[{type: Deny, to: {dnsName: 'a-.com'}}]", "spec.egress[0].to.dnsName", "no domain name"),
    ("[{type: Deny, to: {dnsName: '**.a.com'}}]", "spec.egress[0].to.dnsName", "no domain name"),
    ("[{type: Deny, to: {nodeSelector: {matchLabels: {a: -}}}}]", "spec.egress[0].to.nodeSelector.matchLabels.a", "no label value"),
    ("[{type: Deny, to: {cidrSelector: 10.0.0.0/8}, ports: [{port: 1}]}]", "spec.egress[0].ports[0].protocol", "missing"),
    ("[{type: Deny, to: {cidrSelector: 10.0.0.0/8}, ports: [{protocol: ICMP}]}]", "spec.egress[0].ports[0].protocol", "none of TCP"),
    ("[{type: Deny, to: {cidrSelector: 10.0.0.0/8}, ports: [{protocol: TCP, port: 65536}]}]", "spec.egress[0].ports[0].port", "not between"),
    ("null", "spec.egress", "missing"),
  ])
  func `what OVN-Kubernetes refuses is refused, with the field named`(_ egress: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(Self.firewall(egress), file: "f.yaml")
    #expect(errors.map(\.path) == [path])
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
  }

  @Test func `a namespace has one firewall, called default, of bounded length`() {
    var policies = PolicySet()
    #expect(policies.add(Self.firewall("[]", metadata: "{name: other, namespace: shop}"), file: "f.yaml").map(\.path) == ["metadata.name"])
    let rule = "{type: Deny, to: {cidrSelector: 10.0.0.0/8}}"
    #expect(policies.add(Self.firewall("[" + Array(repeating: rule, count: 8000).joined(separator: ", ") + "]"), file: "f.yaml") == [])
    #expect(policies.add(Self.firewall("[" + Array(repeating: rule, count: 8001).joined(separator: ", ") + "]", metadata: "{name: default}"), file: "g.yaml").map(\.path) == ["spec.egress"])
  }

  static let verdicts: [(String, String, UInt16?, Transport, [NameEvidence], Verdict.Decision, String?)] = [
    ("[]", "203.0.113.9", 443, .tcp, [], .allowed, nil),
    ("[{type: Deny, to: {cidrSelector: 203.0.113.77/24}}]", "203.0.113.9", 443, .tcp, [], .denied, "EgressFirewall/shop/default#0 denies traffic to 203.0.113.0/24"),
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "2001:db8::1", 443, .tcp, [], .allowed, nil),
    ("[{type: Allow, to: {cidrSelector: 203.0.113.9/32}}, {type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "203.0.113.9", 443, .tcp, [], .allowed, nil),
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}, {type: Allow, to: {cidrSelector: 203.0.113.9/32}}]", "203.0.113.9", 443, .tcp, [], .denied,
      "EgressFirewall/shop/default#0 denies traffic to 0.0.0.0/0; EgressFirewall/shop/default#1: it would allow this, but comes later"),
    // Pods are inside, known ones and the rest of the pod network; nodes are not.
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "10.244.1.20", 5432, .tcp, [], .allowed, nil), ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "10.244.1.99", 1, .tcp, [], .allowed, nil),
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "10.96.0.20", 80, .tcp, [], .allowed, nil),
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "10.96.0.21", 443, .tcp, [], .undecidable, "10.96.0.21 is service shop/shop, which selects no pods: its endpoints are not known"),
    ("[{type: Allow, to: {cidrSelector: 0.0.0.0/0}}]", "10.96.0.21", 443, .tcp, [], .allowed, nil),
    ("[{type: Deny, to: {nodeSelector: {}}}]", "192.168.50.1", 6443, .tcp, [], .denied, "EgressFirewall/shop/default#0 denies traffic to every node"),
    ("[{type: Deny, to: {nodeSelector: {matchLabels: {a: b}}}}]", "192.168.50.1", 6443, .tcp, [], .allowed, nil),
    // Ports; none of a protocol means all of it.
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}, ports: [{protocol: TCP}]}]", "203.0.113.9", 1, .tcp, [], .denied, "EgressFirewall/shop/default#0 denies traffic to 0.0.0.0/0 ports every port/tcp"),
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}, ports: [{protocol: TCP, port: 0}]}]", "203.0.113.9", 1, .udp, [], .allowed, nil),
    ("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}, ports: [{protocol: UDP, port: 53}]}]", "203.0.113.9", nil, .icmp, [], .allowed, nil),
    // Names: one label, whatever leads to the address.
    ("[{type: Deny, to: {dnsName: '*.a.com'}}]", "203.0.113.9", 443, .tcp, [name("X.a.com", .resolved, .dns)], .denied, "EgressFirewall/shop/default#0 denies traffic to *.a.com"),
    ("[{type: Deny, to: {dnsName: '*.a.com'}}]", "203.0.113.9", 443, .tcp, [name("x.y.a.com", .confirmed)], .allowed, nil),
    ("[{type: Deny, to: {dnsName: a.com.}}]", "203.0.113.9", 443, .tcp, [name("b.com", .confirmed), name("a.com", .shared, .dns)], .denied, "EgressFirewall/shop/default#0 denies traffic to a.com"),
    ("[{type: Allow, to: {dnsName: a.com}, ports: [{protocol: TCP, port: 443}]}, {type: Deny, to: {cidrSelector: 0.0.0.0/0}}]", "203.0.113.9", 80, .tcp, [name("a.com", .confirmed)], .denied,
      "EgressFirewall/shop/default#1 denies traffic to 0.0.0.0/0; EgressFirewall/shop/default#0: port 80/tcp is not 443/tcp"),
  ]

  @Test(arguments: verdicts.indices)
  func `the first rule that matches decides, and what none matches passes`(_ index: Int) throws {
    let (egress, address, port, transport, names, decision, reason) = Self.verdicts[index]
    let judge = Judge(policies: policySet(Self.firewall(egress)), inventory: inventory(shopInventory))
    var there = try destination(address, port, transport)
    there.names = names
    let verdict = judge.judge(pod("shop", "web-1"), there)
    #expect(verdict.decision == decision, "\(Self.verdicts[index])")
    #expect(verdict.reason == reason)
    #expect(verdict.selectedBy == ["EgressFirewall/shop/default"])
    #expect(judge.judge(pod("db", "pg-0"), there).decision == .unprotected)
    #expect(judge.judge(pod("shop", "agent"), there).decision == .unprotected)
  }

  @Test func `it stands beside NetworkPolicy, and both must let a flow pass`() throws {
    let judge = Judge(
      policies: policySet(
        Self.firewall("[{type: Deny, to: {cidrSelector: 203.0.113.128/25}}]"), networkPolicy("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]", select: "{matchLabels: {app: web}}")),
      inventory: inventory(shopInventory))
    #expect(judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", 443)).by.map(\.description) == ["NetworkPolicy/shop/p#0"])
    #expect(judge.judge(pod("shop", "web-1"), try destination("203.0.113.200", 443)).by.map(\.description) == ["EgressFirewall/shop/default#0"])
    #expect(judge.judge(pod("shop", "web-1"), try destination("198.51.100.1", 443)).decision == .denied)
    #expect(judge.judge(pod("shop", "cart-1"), try destination("198.51.100.1", 443)).decision == .allowed)
  }

  @Test func `rules are told with what they do and how wide they are`() {
    let rules = policySet(
      Self.firewall("[{type: Allow, to: {dnsName: '*.a.com'}}, {type: Deny, to: {cidrSelector: '::/0'}}, {type: Allow, to: {cidrSelector: 0.0.0.0/0}, ports: [{protocol: UDP, port: 53}]}]")
    ).rules
    #expect(rules.map(\.summary) == ["to *.a.com", "deny to ::/0", "to 0.0.0.0/0 ports 53/udp"])
    #expect(rules.map(\.denies) == [false, true, false])
    #expect(rules.map(\.width) == ["every port of *.a.com", nil, "0.0.0.0/0 is every IPv4 address"])
  }
}
