import EgressModel
import Policy
import Testing

@Suite struct NetworkPolicyJudgeTests {
  static let verdicts: [(egress: String, address: String, port: UInt16?, transport: Transport, decision: Verdict.Decision, reason: String?)] = [
    // No rule, and the rule that allows everything.
    ("[]", "203.0.113.9", 443, .tcp, .denied, "NetworkPolicy/shop/p selects the pod and has no egress rule"),
    ("[{}]", "203.0.113.9", nil, .icmp, .allowed, nil),
    // Ports.
    ("[{ports: [{port: 443}]}]", "203.0.113.9", 443, .tcp, .allowed, nil),
    ("[{ports: [{port: 443}]}]", "203.0.113.9", 443, .udp, .denied, "NetworkPolicy/shop/p#0: port 443/udp is not 443/tcp"),
    ("[{ports: [{port: 443}]}]", "203.0.113.9", 8443, .tcp, .denied, "NetworkPolicy/shop/p#0: port 8443/tcp is not 443/tcp"),
    ("[{ports: [{protocol: UDP}]}]", "203.0.113.9", 1, .udp, .allowed, nil),
    ("[{ports: [{}]}]", "203.0.113.9", nil, .icmp, .denied, "NetworkPolicy/shop/p#0: icmp has no port, and the rule allows only every port/tcp"),
    ("[{ports: [{port: 8000, endPort: 8100}]}]", "203.0.113.9", 8000, .tcp, .allowed, nil),
    ("[{ports: [{port: 8000, endPort: 8100}]}]", "203.0.113.9", 8100, .tcp, .allowed, nil),
    ("[{ports: [{port: 8000, endPort: 8100}]}]", "203.0.113.9", 8101, .tcp, .denied, "NetworkPolicy/shop/p#0: port 8101/tcp is not 8000-8100/tcp"),
    // Named ports are the destination pod's, of the same protocol.
    ("[{ports: [{port: http}]}]", "10.244.1.11", 9090, .tcp, .allowed, nil),
    ("[{ports: [{port: http}]}]", "10.244.1.11", 8080, .tcp, .denied, "NetworkPolicy/shop/p#0: port 8080/tcp is not http/tcp"),
    ("[{ports: [{port: dns}]}]", "10.244.1.11", 53, .tcp, .denied, "NetworkPolicy/shop/p#0: port 53/tcp is not dns/tcp"),
    ("[{ports: [{port: http}]}]", "203.0.113.9", 80, .tcp, .denied, "NetworkPolicy/shop/p#0: port 80/tcp is not http/tcp"),
    // Blocks, exceptions, families; pods have addresses, too.
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]", "10.1.2.3", 1, .tcp, .denied, "NetworkPolicy/shop/p#0: 10.1.2.3 is in except 10.1.0.0/16"),
    ("[{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}, {to: [{ipBlock: {cidr: 10.1.2.0/24}}]}]", "10.1.2.3", 1, .tcp, .allowed, nil),
    ("[{to: [{ipBlock: {cidr: 10.0.0.7/8}}]}]", "10.244.1.11", 1, .tcp, .allowed, nil),
    ("[{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", "2001:db8::1", 1, .tcp, .denied, "NetworkPolicy/shop/p#0: 2001:db8::1 is not in 0.0.0.0/0"),
    ("[{to: [{ipBlock: {cidr: '::/0'}}]}]", "192.0.2.1", 1, .tcp, .denied, "NetworkPolicy/shop/p#0: 192.0.2.1 is not in ::/0"),
    ("[{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]", "::ffff:192.0.2.1", 1, .tcp, .allowed, nil),
    // Pods: own namespace, AND within a peer, OR between peers.
    ("[{to: [{podSelector: {}}]}]", "10.244.1.11", 1, .sctp, .allowed, nil),
    ("[{to: [{podSelector: {}}]}]", "10.244.1.20", 1, .tcp, .denied, "NetworkPolicy/shop/p#0: the namespace of pod db/pg-0 does not match every pod of the namespace"),
    ("[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}}]}]", "10.244.1.20", 1, .tcp, .allowed, nil),
    ("[{to: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}]}]", "10.244.1.20", 1, .tcp, .allowed, nil),
    ("[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}, podSelector: {matchLabels: {app: cart}}}]}]", "10.244.1.20", 1, .tcp, .denied,
      "NetworkPolicy/shop/p#0: the labels of pod db/pg-0 do not match pods app=cart of namespaces kubernetes.io/metadata.name=db"),
    ("[{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: db}}}, {podSelector: {matchLabels: {app: cart}}}]}]", "10.244.1.20", 1, .tcp, .allowed, nil),
    ("[{to: [{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}}]}]", "10.244.1.11", 1, .tcp, .allowed, nil),
    ("[{to: [{podSelector: {matchLabels: {app: web}}, namespaceSelector: {}}]}]", "10.244.1.20", 1, .tcp, .denied,
      "NetworkPolicy/shop/p#0: the labels of pod db/pg-0 do not match pods app=web of every namespace"),
    // Nodes and pods on the host network are matched by no selector, but by blocks.
    ("[{to: [{podSelector: {}}]}]", "192.168.50.1", 1, .tcp, .denied,
      "NetworkPolicy/shop/p#0: 192.168.50.1 is no pod's address, and the rule wants every pod of the namespace"),
    ("[{to: [{ipBlock: {cidr: 192.168.50.1/32}}]}]", "192.168.50.1", 1, .tcp, .allowed, nil),
    // What never is subject to policy.
    ("[]", "127.0.0.1", 1, .tcp, .allowed, nil), ("[]", "::1", 1, .tcp, .allowed, nil), ("[]", "10.244.1.10", 1, .tcp, .allowed, nil),
    ("[]", "fd00::10", 1, .tcp, .allowed, nil),
    // Services are judged by their backends, at the backends' port.
    ("[{to: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: 9090}]}]", "10.96.0.20", 80, .tcp, .allowed, nil),
    ("[{to: [{podSelector: {matchLabels: {app: cart}}}], ports: [{port: 80}]}]", "10.96.0.20", 80, .tcp, .denied, "NetworkPolicy/shop/p#0: port 9090/tcp is not 80/tcp"),
    ("[{to: [{podSelector: {matchLabels: {app: cart}}}]}]", "10.96.0.20", 53, .udp, .allowed, nil),
    ("[{to: [{podSelector: {}}]}]", "10.96.0.20", 81, .tcp, .undecidable, "10.96.0.20 is service shop/cart, which has no port 81/tcp"),
    ("[{to: [{podSelector: {}}]}]", "10.96.0.21", 443, .tcp, .undecidable, "10.96.0.21 is service shop/shop, which selects no pods: its endpoints are not known"),
    ("[{}]", "10.96.0.21", 443, .tcp, .allowed, nil),
    ("[]", "10.96.0.21", 443, .tcp, .denied, "NetworkPolicy/shop/p selects the pod and has no egress rule"),
    // The nearest rule is the one whose destination fits; then the one whose port fits; then the first.
    ("[{ports: [{port: 80}], to: [{ipBlock: {cidr: 192.0.2.0/24}}]}, {ports: [{port: 443}], to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]", "203.0.113.9", 80, .tcp, .denied,
      "NetworkPolicy/shop/p#1: port 80/tcp is not 443/tcp"),
    ("[{ports: [{port: 443}], to: [{ipBlock: {cidr: 192.0.2.0/24}}]}, {ports: [{port: 80}], to: [{ipBlock: {cidr: 203.0.113.0/24}}, {podSelector: {}}]}]", "198.51.100.1", 80, .tcp,
      .denied, "NetworkPolicy/shop/p#1: 198.51.100.1 is not in 203.0.113.0/24, nor does the other peer fit"),
  ]

  @Test(arguments: verdicts.indices)
  func `a pod's flow is judged by the rules of the policies that select it`(_ index: Int) throws {
    let (egress, address, port, transport, decision, reason) = Self.verdicts[index]
    let judge = Judge(policies: policySet(networkPolicy(egress)), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination(address, port, transport))
    #expect(verdict.decision == decision, "\(Self.verdicts[index])")
    #expect(verdict.reason == reason)
    #expect(verdict.selectedBy == ["NetworkPolicy/shop/p"])
    #expect((verdict.nearest == nil) == (decision != .denied || egress == "[]"))
  }

  @Test(arguments: [
    // The policy type Egress: given, or implied by rules.
    ("{}", "", "[{}]", Verdict.Decision.allowed), ("{}", "", "[]", .unprotected), ("{}", "policyTypes: [Ingress]", "[{}]", .unprotected),
    ("{}", "policyTypes: [Egress]", "[]", .denied), ("{}", "policyTypes: []", "[{}]", .allowed), ("{}", "policyTypes: [Ingress, Egress]", "null", .denied),
    // Selection.
    ("{matchLabels: {app: web}}", "", "[{}]", .allowed), ("{matchLabels: {app: cart}}", "", "[{}]", .unprotected),
    ("{matchLabels: {app: web}, matchExpressions: [{key: gone, operator: Exists}]}", "", "[{}]", .unprotected),
    ("{matchExpressions: [{key: gone, operator: NotIn, values: [x]}, {key: tier, operator: In, values: [front, back]}]}", "", "[{}]", .allowed),
    ("null", "", "[{}]", .allowed),
  ])
  func `a policy isolates the pods it selects, if it is about egress`(_ selector: String, _ types: String, _ egress: String, _ decision: Verdict.Decision) throws {
    let text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n  podSelector: \(selector)\n  egress: \(egress)\n  \(types)\n"
    let judge = Judge(policies: policySet(text), inventory: inventory(shopInventory))
    let there = try destination("203.0.113.9", 443)
    #expect(judge.judge(pod("shop", "web-1"), there).decision == decision)
    #expect(judge.judge(pod("db", "pg-0"), there).decision == .unprotected)
    // On the host network a pod's traffic is the node's.
    #expect(judge.judge(pod("shop", "agent"), there).decision == .unprotected)
  }

  @Test func `every rule that allows is told, in order, whatever policy it is of`() throws {
    let policies = policySet(networkPolicy("[{}, {ports: [{port: 80}]}, {ports: [{port: 443}]}]", name: "z"), networkPolicy("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]", name: "a"))
    let verdict = Judge(policies: policies, inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), try destination("203.0.113.9", 443))
    #expect(verdict.by.map(\.description) == ["NetworkPolicy/shop/a#0", "NetworkPolicy/shop/z#0", "NetworkPolicy/shop/z#2"])
    #expect(verdict.selectedBy == ["NetworkPolicy/shop/a", "NetworkPolicy/shop/z"])
  }

  @Test func `the subject is found by uid, by name, by its controller, or by its address`() throws {
    let extra = """
      apiVersion: v1
      kind: Pod
      metadata:
        name: api-6f5d-abcde
        namespace: shop
        uid: u1
        labels: {app: api, pod-template-hash: 6f5d}
        ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-6f5d, controller: true}]
      spec: {}
      status: {phase: Running, podIP: 10.244.1.30}
      """
    let judge = Judge(policies: policySet(networkPolicy("[]", select: "{matchLabels: {app: api}}")), inventory: inventory(shopInventory, extra))
    let there = try destination("203.0.113.9", 443)
    let owner = Workload.Owner(kind: "Deployment", name: "api")
    for workload in [
      Workload(kind: .pod, namespace: "other", name: "x", uid: "u1"), pod("shop", "api-6f5d-abcde"),
      Workload(kind: .pod, namespace: "shop", name: "api-gone", uid: "u0", owner: owner), Workload(address: try #require(IPAddress("10.244.1.30"))),
    ] {
      #expect(judge.judge(workload, there).decision == .denied, "\(workload)")
    }
    let unknown = judge.judge(pod("shop", "nobody"), there)
    #expect(unknown.decision == .undecidable)
    #expect(unknown.reason == "pod shop/nobody is not in the inventory; pass --inventory")
    #expect(judge.judge(pod("elsewhere", "nobody"), there).decision == .unprotected)
    #expect(judge.judge(Workload(address: try #require(IPAddress("10.9.9.9"))), there).reason == "no workload is known for 10.9.9.9; pass --inventory")
    #expect(judge.judge(Workload(kind: .systemd, name: "nginx.service"), there).decision == .unprotected)
  }

  @Test func `candidates of an ambiguous workload must agree`() throws {
    let judge = Judge(policies: policySet(networkPolicy("[]", select: "{matchLabels: {app: web}}")), inventory: inventory(shopInventory))
    let there = try destination("203.0.113.9", 443)
    func verdict(_ candidates: [Workload]) -> Verdict { judge.judge(Workload(kind: .ambiguous, name: "x", candidates: candidates), there) }
    #expect(verdict([pod("shop", "cart-1"), Workload(kind: .systemd, name: "a.service")]).decision == .unprotected)
    #expect(verdict([pod("shop", "web-1")]).decision == .denied)
    #expect(verdict([]).decision == .undecidable)
    let mixed = verdict([pod("shop", "web-1"), pod("shop", "cart-1")])
    #expect(mixed.decision == .undecidable)
    #expect(mixed.reason == "whose flow it is could not be told: shop/web-1 is denied, shop/cart-1 is unprotected")
  }

  @Test func `backends that the policies treat differently make a service undecidable`() throws {
    let second = "{apiVersion: v1, kind: Pod, metadata: {name: cart-2, namespace: shop, labels: {app: cart, v: b}}, spec: {containers: [{ports: [{name: http, containerPort: 9090}]}]}, status: {phase: Running, podIP: 10.244.1.12}}"
    let judge = Judge(
      policies: policySet(networkPolicy("[{to: [{podSelector: {matchLabels: {v: b}}}]}]")), inventory: inventory(shopInventory, second))
    let verdict = judge.judge(pod("shop", "web-1"), try destination("10.96.0.20", 80))
    #expect(verdict.decision == .undecidable)
    #expect(verdict.reason?.hasPrefix("10.96.0.20 leads to several pods") == true)
  }

  @Test func `without any policy everything is unprotected, inventory or not`() throws {
    let judge = Judge(policies: PolicySet(), inventory: Inventory())
    #expect(judge.judge(pod("a", "b"), try destination("192.0.2.1", 1)) == Verdict(decision: .unprotected))
  }

  @Test func `only the engines that are there can be named`() throws {
    #expect(try Engine(named: "Generic") == .generic)
    let error = #expect(throws: PolicyError.self) { try Engine(named: "windows") }
    #expect(error?.description == "engine \"windows\" is not supported; supported: auto, generic, cilium, calico, calico-enterprise")
  }
}
