import EgressModel
import Policy
import Testing

@Suite struct ClusterNetworkPolicyTests {
  /// A ClusterNetworkPolicy over namespace shop with this egress section, in flow style.
  static func policy(_ egress: String, name: String = "c", tier: String = "Admin", priority: Int = 10, subject: String = "namespaces: {matchLabels: {team: alpha}}") -> String {
    """
    apiVersion: policy.networking.k8s.io/v1alpha2
    kind: ClusterNetworkPolicy
    metadata: {name: \(name)}
    spec:
      tier: \(tier)
      priority: \(priority)
      subject: {\(subject)}
      egress: \(egress)
    """
  }

  static func admin(_ egress: String) -> String {
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: a}\nspec:\n  priority: 5\n  subject: {namespaces: {}}\n  egress: \(egress)\n"
  }

  static func baseline(_ egress: String) -> String {
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec:\n  subject: {namespaces: {}}\n  egress: \(egress)\n"
  }

  static let refusals: [(String, String, String)] = [
    (policy("[{to: [{namespaces: {}}]}]"), "spec.egress[0].action", "missing"),
    (policy("[{action: Allow, to: [{namespaces: {}}]}]"), "spec.egress[0].action", "none of Accept"),
    (policy("[{action: Deny}]"), "spec.egress[0].to", "missing"),
    (policy("[{action: Deny, to: []}]"), "spec.egress[0].to", "empty"),
    (policy("[{action: Deny, to: [{}]}]"), "spec.egress[0].to[0]", "nothing is named"),
    (policy("[{action: Deny, to: [{networks: ['::/0'], nodes: {}}]}]"), "spec.egress[0].to[0]", "exclude each other"),
    (policy("[{action: Deny, to: [{networks: [10.0.0.0]}]}]"), "spec.egress[0].to[0].networks[0]", "no prefix length"),
    (policy("[{action: Deny, to: [{pods: {namespaceSelector: {}}}]}]"), "spec.egress[0].to[0].pods.podSelector", "missing"),
    (policy("[{action: Deny, to: [{domainNames: [a.com]}]}]"), "spec.egress[0].to[0].domainNames", "only for rules that Accept"),
    (policy("[{action: Accept, to: [{domainNames: ['a.*.com']}]}]"), "spec.egress[0].to[0].domainNames[0]", "no domain name"),
    (policy("[{action: Accept, to: [{domainNames: ['*.com']}]}]"), "spec.egress[0].to[0].domainNames[0]", "no domain name"),
    (policy("[{action: Accept, to: [{namespaces: {}}], protocols: []}]"), "spec.egress[0].protocols", "empty"),
    (policy("[{action: Accept, to: [{namespaces: {}}], protocols: [{tcp: {}}]}]"), "spec.egress[0].protocols[0].tcp.destinationPort", "missing"),
    (policy("[{action: Accept, to: [{namespaces: {}}], protocols: [{icmp: {}}]}]"), "spec.egress[0].protocols[0].icmp", "unknown field"),
    (policy("[{action: Accept, to: [{namespaces: {}}], protocols: [{udp: {destinationPort: {range: {start: 9, end: 9}}}}]}]"),
      "spec.egress[0].protocols[0].udp.destinationPort.range.end", "not greater"),
    (policy("[{action: Accept, to: [{nodes: {}}], protocols: [{destinationNamedPort: http}]}]"), "spec.egress[0]", "named port"),
    (policy("[{action: Accept, to: [{namespaces: {}}], ports: []}]"), "spec.egress[0].ports", "unknown field"),
    (policy("[]", tier: "admin"), "spec.tier", "none of Admin"), (policy("[]", priority: 1001), "spec.priority", "not between 0 and 1000"),
    (policy("[]", subject: ""), "spec.subject", "nothing is named"), (policy("[]", subject: "pods: {}"), "spec.subject.pods.podSelector", "missing"),
    (policy("[]").replacing("name: c", with: "name: c, namespace: x"), "metadata.namespace", "in no namespace"),
    (admin("[{action: Accept, to: [{namespaces: {}}]}]"), "spec.egress[0].action", "none of Allow"),
    (admin("[{action: Allow, to: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP}}]}]"), "spec.egress[0].ports[0].portNumber.port", "missing"),
    (admin("[{action: Allow, to: [{namespaces: {}}], ports: [{portRange: {start: 9, end: 8}}]}]"), "spec.egress[0].ports[0].portRange.end", "not greater"),
    (baseline("[{action: Pass, to: [{namespaces: {}}]}]"), "spec.egress[0].action", "none of Allow, Deny"),
    (baseline("[{action: Allow, to: [{domainNames: [a.com]}]}]"), "spec.egress[0].to[0].domainNames", "unknown field"),
    (baseline("[]").replacing("name: default", with: "name: other"), "metadata.name", "called default"),
    (baseline("[]").replacing("subject:", with: "priority: 1\n  subject:"), "spec.priority", "unknown field"),
    (policy("[]").appending("  ingress: [{action: Deny, from: [{networks: [10.0.0.0/8]}]}]"), "spec.ingress[0].from[0].networks", "unknown field"),
  ]

  @Test(arguments: refusals.indices)
  func `what the CRD refuses is refused, with the field named`(_ index: Int) {
    let (text, path, problem) = Self.refusals[index]
    var policies = PolicySet()
    let errors = policies.add(text, file: "f.yaml")
    #expect(errors.map(\.path).contains(path), "\(errors)")
    #expect(errors.contains { $0.problem.contains(problem) }, "\(errors)")
    #expect(policies.isEmpty)
  }

  static let verdicts: [(String, String, UInt16?, Transport, [NameEvidence], Verdict.Decision, String?)] = [
    // The first match decides, what none matches passes.
    ("[{action: Accept, to: [{networks: [203.0.113.0/24]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "203.0.113.9", 443, .tcp, [], .allowed, nil),
    ("[{action: Accept, to: [{networks: [203.0.113.0/24]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "198.51.100.1", 443, .tcp, [], .denied,
      "ClusterNetworkPolicy/c#1 denies traffic to 0.0.0.0/0; ClusterNetworkPolicy/c#0: 198.51.100.1 is not in 203.0.113.0/24"),
    ("[{action: Deny, to: [{networks: [0.0.0.0/0]}]}, {action: Accept, to: [{networks: [203.0.113.0/24]}]}]", "203.0.113.9", 443, .tcp, [], .denied,
      "ClusterNetworkPolicy/c#0 denies traffic to 0.0.0.0/0; ClusterNetworkPolicy/c#1: it would accept this, but comes later"),
    ("[{action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "2001:db8::1", 443, .tcp, [], .allowed, nil),
    // Ports: any of them; none means everything, ICMP too.
    ("[{action: Deny, to: [{networks: [0.0.0.0/0]}], protocols: [{udp: {destinationPort: {number: 53}}}, {tcp: {destinationPort: {range: {start: 80, end: 90}}}}]}]",
      "203.0.113.9", 90, .tcp, [], .denied, "ClusterNetworkPolicy/c#0 denies traffic to 0.0.0.0/0 ports 53/udp, 80-90/tcp"),
    ("[{action: Deny, to: [{networks: [0.0.0.0/0]}], protocols: [{udp: {destinationPort: {number: 53}}}, {tcp: {destinationPort: {range: {start: 80, end: 90}}}}]}]",
      "203.0.113.9", 91, .tcp, [], .allowed, nil),
    ("[{action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "203.0.113.9", nil, .icmp, [], .denied, "ClusterNetworkPolicy/c#0 denies traffic to 0.0.0.0/0"),
    ("[{action: Deny, to: [{pods: {podSelector: {}}}], protocols: [{destinationNamedPort: http}]}]", "10.244.1.11", 9090, .tcp, [], .denied,
      "ClusterNetworkPolicy/c#0 denies traffic to every pod of every namespace ports http"),
    ("[{action: Deny, to: [{pods: {podSelector: {}}}], protocols: [{destinationNamedPort: http}]}]", "10.244.1.11", 8080, .tcp, [], .allowed, nil),
    // Peers: pods by labels and by blocks, nodes, never a pod that has ended.
    ("[{action: Deny, to: [{namespaces: {matchLabels: {kubernetes.io/metadata.name: db}}}]}]", "10.244.1.20", 5432, .tcp, [], .denied,
      "ClusterNetworkPolicy/c#0 denies traffic to every pod of namespaces kubernetes.io/metadata.name=db"),
    ("[{action: Deny, to: [{pods: {podSelector: {matchLabels: {app: web}}, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}}}]}]", "10.244.1.20", 5432, .tcp, [],
      .allowed, nil),
    ("[{action: Deny, to: [{networks: [10.244.0.0/16]}]}]", "10.244.1.20", 5432, .tcp, [], .denied, "ClusterNetworkPolicy/c#0 denies traffic to 10.244.0.0/16"),
    ("[{action: Deny, to: [{nodes: {}}]}]", "192.168.50.1", 6443, .tcp, [], .denied, "ClusterNetworkPolicy/c#0 denies traffic to every node"),
    ("[{action: Deny, to: [{nodes: {matchLabels: {pool: x}}}]}]", "192.168.50.1", 6443, .tcp, [], .allowed, nil),
    ("[{action: Deny, to: [{namespaces: {}}]}]", "192.168.50.1", 6443, .tcp, [], .allowed, nil),
    // A service's address is judged where it leads to.
    ("[{action: Deny, to: [{pods: {podSelector: {matchLabels: {app: cart}}}}], protocols: [{tcp: {destinationPort: {number: 9090}}}]}]", "10.96.0.20", 80, .tcp, [], .denied,
      "ClusterNetworkPolicy/c#0 denies traffic to pods app=cart of every namespace ports 9090/tcp"),
    ("[{action: Deny, to: [{namespaces: {}}]}]", "10.96.0.21", 443, .tcp, [], .undecidable, "10.96.0.21 is service shop/shop, which selects no pods: its endpoints are not known"),
    // Names: one or more labels below, never the name itself; what was said decides, and hints never do.
    ("[{action: Accept, to: [{domainNames: ['*.a.com']}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "203.0.113.9", 443, .tcp, [name("x.y.A.com.", .confirmed)], .allowed, nil),
    ("[{action: Accept, to: [{domainNames: ['*.a.com']}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .denied,
      "ClusterNetworkPolicy/c#1 denies traffic to 0.0.0.0/0; ClusterNetworkPolicy/c#0: name a.com does not match *.a.com"),
    ("[{action: Accept, to: [{domainNames: [b.com]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "203.0.113.9", 443, .tcp,
      [name("a.com", .confirmed), name("b.com", .shared, .dns)], .denied,
      "ClusterNetworkPolicy/c#1 denies traffic to 0.0.0.0/0; ClusterNetworkPolicy/c#0: name a.com does not match b.com"),
    ("[{action: Accept, to: [{domainNames: [b.com]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]", "203.0.113.9", 443, .tcp, [name("b.com", .hint, .ptr)], .denied,
      "ClusterNetworkPolicy/c#1 denies traffic to 0.0.0.0/0; ClusterNetworkPolicy/c#0: only a hint (ptr b.com) names 203.0.113.9, which cannot match b.com"),
  ]

  @Test(arguments: verdicts.indices)
  func `the first rule that matches decides`(_ index: Int) throws {
    let (egress, address, port, transport, names, decision, reason) = Self.verdicts[index]
    let judge = Judge(policies: policySet(Self.policy(egress)), inventory: inventory(shopInventory))
    var there = try destination(address, port, transport)
    there.names = names
    let verdict = judge.judge(pod("shop", "web-1"), there)
    #expect(verdict.decision == decision, "\(Self.verdicts[index])")
    #expect(verdict.reason == reason)
    #expect(verdict.selectedBy == ["ClusterNetworkPolicy/c"])
    #expect(judge.judge(pod("db", "pg-0"), there).decision == .unprotected)
    #expect(judge.judge(pod("shop", "agent"), there).decision == .unprotected)
  }

  static let everything = "to: [{networks: [0.0.0.0/0]}]"

  static let pipelines: [([String], Verdict.Decision, [String])] = [
    // The Admin tier comes before what a namespace says, unless it passes or does not match.
    ([policy("[{action: Accept, \(everything)}]"), networkPolicy("[]")], .allowed, ["ClusterNetworkPolicy/c#0"]),
    ([policy("[{action: Deny, \(everything)}]"), networkPolicy("[{}]")], .denied, ["ClusterNetworkPolicy/c#0"]),
    ([policy("[{action: Pass, \(everything)}, {action: Deny, \(everything)}]"), networkPolicy("[{}]")], .allowed, ["NetworkPolicy/shop/p#0"]),
    ([policy("[{action: Pass, \(everything)}]"), policy("[{action: Deny, \(everything)}]", name: "d", priority: 11), networkPolicy("[]")], .denied, []),
    // The Baseline tier is asked only where no NetworkPolicy selects the pod.
    ([policy("[{action: Deny, \(everything)}]", tier: "Baseline"), networkPolicy("[{}]")], .allowed, ["NetworkPolicy/shop/p#0"]),
    ([policy("[{action: Accept, \(everything)}]", tier: "Baseline"), networkPolicy("[]")], .denied, []),
    ([policy("[{action: Deny, \(everything)}]", tier: "Baseline")], .denied, ["ClusterNetworkPolicy/c#0"]),
    ([policy("[{action: Pass, \(everything)}, {action: Deny, \(everything)}]", tier: "Baseline")], .allowed, []),
    ([policy("[{action: Pass, \(everything)}]"), baseline("[{action: Deny, \(everything)}]")], .denied, ["BaselineAdminNetworkPolicy/default#0"]),
    // Priorities over both kinds; the lower is asked first.
    ([policy("[{action: Deny, \(everything)}]"), admin("[{action: Allow, \(everything)}]")], .allowed, ["AdminNetworkPolicy/a#0"]),
    ([policy("[{action: Deny, \(everything)}]", priority: 4), admin("[{action: Allow, \(everything)}]")], .denied, ["ClusterNetworkPolicy/c#0"]),
    ([policy("[{action: Deny, \(everything)}]", priority: 5), admin("[{action: Allow, \(everything)}]")], .undecidable, []),
    ([policy("[{action: Accept, \(everything)}]", priority: 5), admin("[{action: Allow, \(everything)}]")], .allowed, ["AdminNetworkPolicy/a#0"]),
    ([policy("[{action: Deny, to: [{nodes: {}}]}]", priority: 5), admin("[{action: Allow, \(everything)}]")], .allowed, ["AdminNetworkPolicy/a#0"]),
    // A baseline policy of the older kind has no priority and comes last.
    ([policy("[{action: Accept, \(everything)}]", tier: "Baseline", priority: 1000), baseline("[{action: Deny, \(everything)}]")], .allowed, ["ClusterNetworkPolicy/c#0"]),
    // A policy without egress rules is about ingress alone.
    ([policy("[]")], .unprotected, []),
  ]

  @Test(arguments: pipelines.indices)
  func `tiers stand around NetworkPolicy, in whatever order the manifests come`(_ index: Int) throws {
    let (manifests, decision, by) = Self.pipelines[index]
    for manifests in [manifests, manifests.reversed()] {
      var policies = PolicySet()
      for (number, manifest) in manifests.enumerated() { #expect(policies.add(manifest, file: "\(number).yaml") == []) }
      let verdict = Judge(policies: policies, inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), try destination("203.0.113.9", 443))
      #expect(verdict.decision == decision, "\(Self.pipelines[index])")
      #expect(verdict.by.map(\.description) == by)
    }
  }

  @Test func `a pod that is not in the inventory may be selected where its namespace's labels allow it`() throws {
    let judge = Judge(policies: policySet(Self.policy("[{action: Deny, to: [{nodes: {}}]}]")), inventory: inventory(shopInventory))
    let there = try destination("203.0.113.9", 443)
    #expect(judge.judge(pod("shop", "gone"), there).decision == .undecidable)
    #expect(judge.judge(pod("db", "gone"), there).decision == .unprotected)
    #expect(judge.judge(pod("unheard-of", "gone"), there).decision == .undecidable)
  }

  @Test func `rules are told with what they do and how wide they are`() {
    let rules = policySet(
      Self.policy(
        """
        [{action: Accept, name: web, to: [{domainNames: ['*.a.com', b.com]}], protocols: [{tcp: {destinationPort: {number: 443}}}]},
         {action: Accept, to: [{networks: ['0.0.0.0/0']}]}, {action: Deny, to: [{networks: ['0.0.0.0/0']}]}, {action: Pass, to: [{nodes: {}}, {namespaces: {}}]},
         {action: Accept, to: [{domainNames: [a.com]}]}]
        """)
    ).rules
    #expect(rules.map(\.summary) == ["to *.a.com or b.com ports 443/tcp", "to 0.0.0.0/0", "deny to 0.0.0.0/0", "pass to every node or every pod of every namespace", "to a.com"])
    #expect(rules.map(\.width) == [nil, "0.0.0.0/0 is every IPv4 address", nil, nil, "every port of a.com"])
    #expect(rules[0].wildcardDomains.map(\.text) == ["a.com"])
    #expect(rules.map(\.denies) == [false, false, true, false, false])
    #expect(rules[0].note == "web")
  }
}

extension String {
  fileprivate func appending(_ line: String) -> String { self + "\n" + line }
}
