import EgressModel
import Policy
import Testing

@Suite struct NetworkPolicyManifestTests {
  @Test(arguments: [
    ("[{too: []}]", "spec.egress[0].too", "unknown field"),
    ("[{to: {}}]", "spec.egress[0].to", "a list is expected, not a map"),
    ("[null]", "spec.egress[0]", "a map is expected, not null"),
    ("{}", "spec.egress", "a list is expected"),
    ("[{to: [{}]}]", "spec.egress[0].to[0]", "the peer names nobody"),
    ("[{to: [{podSelector: }]}]", "spec.egress[0].to[0]", "the peer names nobody"),
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]", "spec.egress[0].to[0]", "ipBlock excludes"),
    ("[{to: [{ipBlock: {}}]}]", "spec.egress[0].to[0].ipBlock.cidr", "missing"),
    ("[{to: [{ipBlock: {cidr: '2001:db8::'}}]}]", "spec.egress[0].to[0].ipBlock.cidr", "no prefix length"),
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}]", "spec.egress[0].to[0].ipBlock.cidr", "no address block"),
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]", "spec.egress[0].to[0].ipBlock.except[0]", "strictly"),
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]", "spec.egress[0].to[0].ipBlock.except[0]", "strictly"),
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: ['2001:db8::/64']}}]}]", "spec.egress[0].to[0].ipBlock.except[0]", "strictly"),
    ("[{ports: [{port: 0}]}]", "spec.egress[0].ports[0].port", "not between 1 and 65535"),
    ("[{ports: [{port: 65536}]}]", "spec.egress[0].ports[0].port", "not between 1 and 65535"),
    ("[{ports: [{port: 1.5}]}]", "spec.egress[0].ports[0].port", "a number is expected"),
    ("[{ports: [{port: \"80\"}]}]", "spec.egress[0].ports[0].port", "no port name"),
    ("[{ports: [{port: a-name-of-16-cha}]}]", "spec.egress[0].ports[0].port", "no port name"),
    ("[{ports: [{port: a--b}]}]", "spec.egress[0].ports[0].port", "no port name"),
    ("[{ports: [{port: 80, endPort: 79}]}]", "spec.egress[0].ports[0].endPort", "less than"),
    ("[{ports: [{port: http, endPort: 90}]}]", "spec.egress[0].ports[0].endPort", "named port"),
    ("[{ports: [{endPort: 90}]}]", "spec.egress[0].ports[0].port", "missing"),
    ("[{ports: [{protocol: tcp}]}]", "spec.egress[0].ports[0].protocol", "none of TCP, UDP, SCTP"),
    ("[{ports: [{protocol: ICMP}]}]", "spec.egress[0].ports[0].protocol", "none of TCP, UDP, SCTP"),
    ("[{to: [{podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}]}]",
      "spec.egress[0].to[0].podSelector.matchExpressions[0].operator", "none of In"),
    ("[{to: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}]",
      "spec.egress[0].to[0].podSelector.matchExpressions[0].values", "at least one value"),
    ("[{to: [{podSelector: {matchExpressions: [{key: a, operator: DoesNotExist, values: [b]}]}}]}]",
      "spec.egress[0].to[0].podSelector.matchExpressions[0].values", "takes no values"),
    ("[{to: [{namespaceSelector: {matchExpressions: [{operator: Exists}]}}]}]",
      "spec.egress[0].to[0].namespaceSelector.matchExpressions[0].key", "missing"),
    ("[{to: [{podSelector: {matchLabels: {'a/b/c': x}}}]}]", "spec.egress[0].to[0].podSelector.matchLabels[\"a/b/c\"]", "no label key"),
    ("[{to: [{podSelector: {matchLabels: {a: -x}}}]}]", "spec.egress[0].to[0].podSelector.matchLabels.a", "no label value"),
  ])
  func `what the API server refuses is refused, with the field named`(_ egress: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(networkPolicy(egress), file: "f.yaml")
    #expect(errors.map(\.path) == [path])
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
    #expect(policies.isEmpty)
  }

  @Test(arguments: [
    ("metadata: {namespace: x}", "metadata.name"), ("metadata: {name: Big}", "metadata.name"), ("metadata: {name: a, namespace: a.b}", "metadata.namespace"),
    ("metadata: {name: n}", "metadata.name"), ("metadata: {name: a, labels: {b: 1}}", "metadata.labels.b"), ("metadata: {name: a, nmespace: b}", "metadata.nmespace"),
    ("metadata: {name: a}\nspec: []", "spec"), ("metadata: {name: a}\nspec: {ingres: []}", "spec.ingres"),
    ("metadata: {name: a}\nspec: {policyTypes: [egress]}", "spec.policyTypes[0]"),
    ("metadata: {name: a}\nspec: {policyTypes: [Egress, Ingress, Egress]}", "spec.policyTypes"),
    ("metadata: {name: a}\nspec: {ingress: [{from: [{ipBlock: {cidr: A}}]}]}", "spec.ingress[0].from[0].ipBlock.cidr"),
    ("metadata: {name: a}\nspec: {ingress: [{to: []}]}", "spec.ingress[0].to"), ("metadata: {name: a}\nextra: 1", "extra"),
  ])
  func `the rest of the object is checked, too`(_ body: String, _ path: String) {
    var policies = PolicySet()
    let errors = policies.add("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\(body)\n", file: "f.yaml")
    #expect(errors.map(\.path) == [path])
  }

  @Test func `all errors of a file are told, in the order of its lines`() {
    var policies = PolicySet()
    let text = networkPolicy("\n  - ports: [{port: 0}]\n  - to: [{}]\n    typo: 1") + "\n---\n" + networkPolicy("[{ports: [{protocol: x}]}]", name: "q")
    let errors = policies.add(text, file: "f.yaml")
    #expect(errors.map(\.path) == ["spec.egress[0].ports[0].port", "spec.egress[1].to[0]", "spec.egress[1].typo", "spec.egress[0].ports[0].protocol"])
    #expect(errors.map(\.line) == [8, 9, 10, 18])
  }

  @Test func `two objects of one name are refused, across files too`() {
    var policies = policySet(networkPolicy("[]"), networkPolicy("[]", namespace: "other"))
    let errors = policies.add(networkPolicy("[{}]"), file: "again.yaml")
    #expect(errors.map(\.problem) == ["NetworkPolicy/shop/p is already defined at p0.yaml:1"])
    #expect(policies.count == 2)
  }

  @Test func `what may be a policy and is not understood is listed, and what is none is passed over`() {
    let policies = policySet(
      "apiVersion: cilium.io/v2\nkind: CiliumEnvoyConfig\nmetadata: {name: a, namespace: b}",
      "apiVersion: v1\nkind: NetworkPolicy\nmetadata: {name: a}", "apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}", shopInventory, "apiVersion: networking.k8s.io/v1\nkind: Ingress")
    #expect(policies.isEmpty)
    #expect(
      policies.notUnderstood.map(\.description) == [
        "p0.yaml:1 (document 1): cilium.io/v2 CiliumEnvoyConfig b/a is not understood and was not evaluated",
        "p1.yaml:1 (document 1): v1 NetworkPolicy a is not understood and was not evaluated",
        "p2.yaml:1 (document 1): networking.k8s.io/v1beta1 NetworkPolicy is not understood and was not evaluated",
      ])
  }

  @Test(arguments: [
    ("{}", "to any destination", "any destination, every port"),
    ("{ports: [{port: 443}]}", "to any destination ports 443/tcp", "any destination"),
    ("{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ports: [{port: 443}]}", "to 0.0.0.0/0 except 10.0.0.0/8 ports 443/tcp", "0.0.0.0/0 is every IPv4 address"),
    ("{to: [{ipBlock: {cidr: '::/0'}}], ports: [{port: 443}]}", "to ::/0 ports 443/tcp", "::/0 is every IPv6 address"),
    ("{to: [{ipBlock: {cidr: 64.0.0.0/7}}], ports: [{port: 443}]}", "to 64.0.0.0/7 ports 443/tcp", "64.0.0.0/7 is shorter than /8"),
    ("{to: [{ipBlock: {cidr: 64.0.0.0/8}}], ports: [{port: 443}]}", "to 64.0.0.0/8 ports 443/tcp", nil),
    ("{to: [{ipBlock: {cidr: '2001:db8::/31'}}], ports: [{port: 443}]}", "to 2001:db8::/31 ports 443/tcp", "2001:db8::/31 is shorter than /32"),
    ("{to: [{ipBlock: {cidr: '2001:db8::/32'}}], ports: [{protocol: UDP}]}", "to 2001:db8::/32 ports every port/udp", nil),
    ("{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}", "to 203.0.113.0/24", "every port of 203.0.113.0/24"),
    ("{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}", "to 10.0.0.0/8 except 10.1.0.0/16", nil),
    ("{to: [{ipBlock: {cidr: 8.0.0.0/6}}, {podSelector: {}}], ports: [{port: 1, endPort: 9, protocol: UDP}]}",
      "to 8.0.0.0/6 or every pod of the namespace ports 1-9/udp", "8.0.0.0/6 is shorter than /8"),
    ("{to: [{podSelector: {matchLabels: {b: c, a: b}}, namespaceSelector: {matchExpressions: [{key: t, operator: NotIn, values: [u, v]}]}}]}",
      "to pods a=b,b=c of namespaces t notin (u,v)", nil),
    ("{to: [{namespaceSelector: {}}], ports: [{port: http}]}", "to every pod of every namespace ports http/tcp", nil),
  ] as [(String, String, String?)])
  func `a rule is described in a line, with what is wide about it`(_ rule: String, _ summary: String, _ width: String?) throws {
    let policies = policySet(networkPolicy("\n  - \(rule)"))
    let description = try #require(policies.rules.first)
    #expect(description.summary == summary)
    #expect(description.width == width)
    #expect(description.reference.description == "NetworkPolicy/shop/p#0")
    #expect(description.file == "p0.yaml")
    #expect(description.line == 8)
  }
}
