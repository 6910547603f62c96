import EgressModel
import Policy
import Testing

@Suite struct AuditTests {
  static let dns = """
    apiVersion: v1
    kind: Pod
    metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: main}]}
    status: {phase: Running, podIP: 10.244.2.2}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: kube-dns, namespace: kube-system}
    spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}
    """

  /// `check subject` of what is found; `leaving`: the checks that the test is not about.
  static func audit(_ manifests: [String], _ inventory: Inventory = Inventory(), only checks: Set<AuditFinding.Check> = Set(AuditFinding.Check.allCases)) -> [String] {
    var policies = PolicySet()
    for (number, manifest) in manifests.enumerated() { #expect(policies.add(manifest, file: "\(number).yaml") == []) }
    return Audit(policies: policies, inventory: inventory).findings.filter { checks.contains($0.check) }.map { "\($0.check.rawValue) \($0.subject)" }
  }

  @Test func `every finding says why, what to do and, if it can, where`() throws {
    var policies = PolicySet()
    #expect(policies.add("# first line\n" + networkPolicy("[{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"), file: "p.yaml") == [])
    let finding = try #require(Audit(policies: policies, inventory: Inventory()).findings.first)
    #expect(finding.check == .wide)
    #expect(finding.rule?.description == "NetworkPolicy/shop/p#0")
    #expect(finding.reason == "0.0.0.0/0 is every IPv4 address")
    #expect(!finding.fix.isEmpty)
    #expect((finding.file, finding.line) == ("p.yaml", 8))
  }

  @Test func `a wildcard below a domain that strangers share is wide`() throws {
    let policies = policySet(BypassTests.own.replacing("[a.com]", with: "[\"*.s3.example\", \"*.own.example\"], ports: [443]"))
    let audit = Audit(policies: policies, inventory: Inventory()) { $0.text == "s3.example" ? "*.\($0) is shared" : nil }
    let wide = audit.findings.filter { $0.check == .wide && $0.reason.contains("shared") }
    #expect(wide.map { "\($0.subject): \($0.reason)" } == ["EgressPolicy/shop/e#0: *.s3.example is shared"])
  }

  @Test(arguments: [
    ([], ["unprotected db", "unprotected shop"]),
    ([networkPolicy("[]")], ["unprotected db"]),
    ([networkPolicy("[]"), networkPolicy("[]", namespace: "db")], []),
    ([networkPolicy("[]", select: "{matchLabels: {app: web}}")], ["unprotected db", "unprotected shop"]),
    // A rule that allows everything is wide, but it is said.
    ([networkPolicy("[{}]"), networkPolicy("[]", namespace: "db")], []),
    // What passes because no rule matched was not said.
    ([EgressFirewallTests.firewall("[{type: Deny, to: {cidrSelector: 203.0.113.0/24}}]"), networkPolicy("[]", namespace: "db")], ["unprotected shop"]),
    ([EgressFirewallTests.firewall("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]"), networkPolicy("[]", namespace: "db")], []),
  ])
  func `namespaces whose pods may send to anywhere are told`(_ manifests: [String], _ found: [String]) {
    #expect(Self.audit(manifests, inventory(shopInventory), only: [.unprotected]) == found)
    #expect(Self.audit(manifests, only: [.unprotected]) == [])
  }

  static let block = "to: [{ipBlock: {cidr: 10.0.0.0/8}}]"

  static let shadows: [([String], [String])] = [
    ([networkPolicy("[{\(block)}, {\(block)}]")], ["duplicate NetworkPolicy/shop/p#1"]),
    ([networkPolicy("[{\(block)}]"), networkPolicy("[{\(block)}]", name: "a")], ["duplicate NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{\(block)}]"), networkPolicy("[{\(block)}]", namespace: "db")], []),
    ([networkPolicy("[{\(block)}]", select: "{matchLabels: {app: web}}"), networkPolicy("[{\(block)}]", name: "a", select: "{matchLabels: {app: cart}}")], []),
    // A policy for all pods covers one for some of them, not the other way round.
    ([networkPolicy("[{\(block)}]", select: "{matchLabels: {app: web}}"), networkPolicy("[{\(block)}]", name: "z")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{\(block), ports: [{port: 443}]}, {\(block)}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{\(block), ports: [{port: 443}]}, {\(block), ports: [{port: 400, endPort: 500}]}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{\(block), ports: [{port: 443}]}, {\(block), ports: [{port: 443, protocol: UDP}]}]")], []),
    ([networkPolicy("[{to: [{ipBlock: {cidr: 10.1.0.0/16}}]}, {\(block)}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{to: [{ipBlock: {cidr: 10.1.0.0/16}}]}, {to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.2.0/24]}}]}]")], []),
    ([networkPolicy("[{to: [{ipBlock: {cidr: 10.1.0.0/16}}]}, {to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.2.0.0/16]}}]}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{to: [{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.2.0/23]}}]}, {to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.2.0/24]}}]}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{to: [{podSelector: {matchLabels: {app: web, tier: x}}}]}, {to: [{podSelector: {matchLabels: {app: web}}}]}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{to: [{podSelector: {}}]}, {to: [{namespaceSelector: {}}]}]")], ["shadowed NetworkPolicy/shop/p#0"]),
    ([networkPolicy("[{to: [{namespaceSelector: {matchLabels: {a: b}}}]}, {to: [{podSelector: {}}]}]")], []),
    ([networkPolicy("[{}, {\(block)}]")], ["shadowed NetworkPolicy/shop/p#1"]),
    // In order: what comes later is not reached, whatever it does.
    ([EgressFirewallTests.firewall("[{type: Deny, to: {cidrSelector: 0.0.0.0/0}}, {type: Allow, to: {cidrSelector: 10.0.0.0/8}}]")], ["shadowed EgressFirewall/shop/default#1"]),
    ([EgressFirewallTests.firewall("[{type: Allow, to: {cidrSelector: 10.0.0.0/8}}, {type: Deny, to: {cidrSelector: 0.0.0.0/0}}]")], []),
    ([EgressFirewallTests.firewall("[{type: Allow, to: {dnsName: '*.a.com'}}, {type: Deny, to: {dnsName: x.a.com}}]")], ["shadowed EgressFirewall/shop/default#1"]),
    ([ClusterNetworkPolicyTests.policy("[{action: Pass, to: [{namespaces: {}}]}]"), ClusterNetworkPolicyTests.policy("[{action: Deny, to: [{namespaces: {}}]}]", name: "d", priority: 11)],
      ["shadowed ClusterNetworkPolicy/d#0"]),
    ([ClusterNetworkPolicyTests.policy("[{action: Pass, to: [{namespaces: {}}]}]"), ClusterNetworkPolicyTests.policy("[{action: Deny, to: [{namespaces: {}}]}]", name: "d")], []),
    ([ClusterNetworkPolicyTests.policy("[{action: Pass, to: [{namespaces: {}}]}]"), ClusterNetworkPolicyTests.policy("[{action: Deny, to: [{namespaces: {}}]}]", name: "d", tier: "Baseline", priority: 11)], []),
    ([ClusterNetworkPolicyTests.policy("[{action: Accept, to: [{domainNames: ['*.a.com']}]}, {action: Accept, to: [{domainNames: [x.y.a.com]}]}]")], ["shadowed ClusterNetworkPolicy/c#1"]),
    ([FQDNNetworkPolicyTests.policy("[{matches: [{pattern: '*'}]}, {matches: [{name: a.com}], ports: [{port: 443}]}]")], ["shadowed FQDNNetworkPolicy/shop/names#1"]),
  ]

  @Test(arguments: shadows.indices)
  func `rules that others cover are told, whatever order the manifests come in`(_ index: Int) {
    let (manifests, found) = Self.shadows[index]
    #expect(Self.audit(manifests, only: [.shadowed, .duplicate]) == found, "\(Self.shadows[index])")
    #expect(Self.audit(manifests.reversed(), only: [.shadowed, .duplicate]) == found, "\(Self.shadows[index])")
  }

  @Test func `selectors that nothing matches are told where there are pods`() {
    let manifests = [
      networkPolicy("[]", select: "{matchLabels: {app: gone}}"), networkPolicy("[{to: [{podSelector: {matchLabels: {app: pg}}}]}]", name: "q"),
      networkPolicy("[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}}]}]", name: "r"), EgressFirewallTests.firewall("[]", metadata: "{name: default, namespace: none}"),
    ]
    #expect(Self.audit(manifests, inventory(shopInventory), only: [.unmatched]) == ["unmatched NetworkPolicy/shop/p", "unmatched NetworkPolicy/shop/q#0", "unmatched EgressFirewall/none/default"])
    #expect(Self.audit(manifests, only: [.unmatched]) == [])
  }

  @Test func `names without a way to look them up are told`() {
    let names = FQDNNetworkPolicyTests.policy("[{matches: [{name: a.com}]}]")
    let toDNS = networkPolicy("[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}], ports: [{port: 53, protocol: UDP}]}]")
    #expect(Self.audit([names], inventory(shopInventory, Self.dns), only: [.noDNS]) == ["no-dns FQDNNetworkPolicy/shop/names"])
    #expect(Self.audit([names, toDNS], inventory(shopInventory, Self.dns), only: [.noDNS]) == [])
    #expect(Self.audit([names], inventory(shopInventory), only: [.noDNS]) == [])
  }

  @Test(arguments: [("rules: {dns: [{matchPattern: '*'}]}", [String]()), ("", ["no-dns CiliumNetworkPolicy/shop/c"])])
  func `for toFQDNs Cilium must see the look-ups`(_ rules: String, _ found: [String]) {
    let policy = """
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: c, namespace: shop}
      spec:
        endpointSelector: {}
        egress:
        - toFQDNs: [{matchName: a.com}]
          toPorts: [{ports: [{port: "443", protocol: TCP}]}]
        - toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}]
          toPorts: [{ports: [{port: "53", protocol: ANY}], \(rules)}]
      """
    #expect(Self.audit([policy], only: [.noDNS]) == found)
  }

  @Test(arguments: [
    ("policyTypes: [Ingress]\n  egress: [{}]", ["inert NetworkPolicy/shop/p"]), ("egress: []", ["inert NetworkPolicy/shop/p"]), ("policyTypes: [Egress]\n  egress: []", []),
    ("egress: [{ports: [{port: 1}]}]", []), ("policyTypes: [Ingress]", []), ("{}", []),
  ] as [(String, [String])])
  func `what is written about egress and has no effect is told`(_ spec: String, _ found: [String]) {
    let text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n  \(spec == "{}" ? "podSelector: {}" : "podSelector: {}\n  " + spec)\n"
    #expect(Self.audit([text], only: [.inert]) == found)
  }

  @Test(arguments: [
    ("[{}]", 1), ("[{ports: [{port: 80}]}]", 1), ("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", 1), ("[{from: [{podSelector: {}}, {ipBlock: {cidr: '::/0'}}]}]", 1),
    ("[{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]", 0), ("[{from: [{podSelector: {}}]}]", 0), ("[]", 0),
  ])
  func `ingress from wide sources is told`(_ ingress: String, _ count: Int) {
    let text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}, ingress: \(ingress)}\n"
    #expect(Self.audit([text], only: [.wideIngress]).count == count)
    // Without the type Ingress the rules are without effect.
    #expect(Self.audit([text.replacing("podSelector: {},", with: "podSelector: {}, policyTypes: [Egress],")], only: [.wideIngress]).isEmpty)
  }

  @Test func `what is not understood and what nothing enforces is told`() {
    let unknown = "{apiVersion: example.com/v1, kind: FooPolicy, metadata: {name: x, namespace: shop}}"
    #expect(Self.audit([unknown, IstioTests.entry(IstioTests.tls)]) == ["not-enforced ServiceEntry/shop/e", "not-understood FooPolicy/shop/x"])
    #expect(Self.audit([IstioTests.mesh("REGISTRY_ONLY"), IstioTests.entry(IstioTests.tls)], only: [.notEnforced]) == [])
    let cilium = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: shop}\nspec: {endpointSelector: {}, egress: [{toCIDR: [10.0.0.0/8]}]}\n"
    #expect(Self.audit([cilium, FQDNNetworkPolicyTests.policy("[{matches: [{name: a.com}]}]")], only: [.notEnforced]) == ["not-enforced FQDNNetworkPolicy/shop/names"])
  }
}
