import EgressModel
import Testing

@testable import Policy

@Suite struct CiliumPolicyTests {
  /// A CiliumNetworkPolicy `shop/p` for `web` with this spec besides, in flow style.
  static func policy(_ spec: String, name: String = "p", select: String = "{matchLabels: {app: web}}") -> String {
    "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: \(name), namespace: shop}, spec: {endpointSelector: \(select), \(spec)}}"
  }

  static func clusterwide(_ spec: String, name: String = "c") -> String {
    "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: \(name)}, spec: {\(spec)}}"
  }

  static func group(_ name: String, _ blocks: String, labels: String = "{}", version: String = "v2") -> String {
    "{apiVersion: cilium.io/\(version), kind: CiliumCIDRGroup, metadata: {name: \(name), labels: \(labels)}, spec: {externalCIDRs: [\(blocks)]}}"
  }

  @Test(arguments: [
    ("*.example.com", "api.example.com", true), ("*.example.com", "a.b.example.com", false), ("*.example.com", "example.com", false), ("*.example.com", ".example.com", true),
    ("*example.com", "example.com", true), ("*example.com", "badexample.com", true), ("*example.com", "www.example.com", false),
    ("sub*.example.com", "sub.example.com", true), ("sub*.example.com", "subway.example.com", true), ("sub*.example.com", "sub.way.example.com", false),
    ("**.example.com", "a.b.example.com", true), ("**.example.com", "a.example.com", true), ("**.example.com", "example.com", false), ("**.example.com", ".example.com", false),
    ("a.**.com", "a.b.com", true), ("a.**.com", "a.b.c.com", false), ("*", "a.b.c", true), ("**", "localhost", true), ("*.", "a.b", true), ("*", ".", true), ("*.*", ".", false),
    ("API.example.COM.", "api.Example.com", true), ("a.example.com", "b.example.com", false), ("*.example.com", "a\\032b.example.com", false), ("*.*.com", "a.b.com", true),
  ])
  func `a star stands for characters of one label`(_ pattern: String, _ name: String, _ matches: Bool) throws {
    #expect(try #require(CiliumNamePattern(pattern: pattern)).matches(DomainName(presentation: name)) == matches)
  }

  @Test(arguments: ["", "a b", "{a,b}.com", "a/b", "ä.com", String(repeating: "a", count: 256)])
  func `what cannot be written in a pattern is none`(_ text: String) {
    #expect(CiliumNamePattern(pattern: text) == nil)
    #expect(CiliumNamePattern(name: text) == nil)
  }

  @Test(arguments: [("*.example.com", "example.com"), ("api*.example.com", "example.com"), ("a.*.com", "com"), ("**.x.io", "x.io"), ("*", ""), ("x.io", nil)] as [(String, String?)])
  func `a wildcard tells under which domain it lets names in`(_ pattern: String, _ domain: String?) throws {
    #expect(try #require(CiliumNamePattern(pattern: pattern)).wildcardDomain == domain)
  }

  struct Case: Sendable {
    var spec: String
    var to: String
    var port: UInt16? = 443
    var transport = Transport.tcp
    var names: [NameEvidence] = []
    var decision: Verdict.Decision
    var reason: String? = nil
  }

  static let external = "203.0.113.9"
  static let pg = "10.244.1.20"
  static let node = "192.168.50.1"

  static let cases: [Case] = [
    // Blocks and names are about what is outside the cluster.
    Case(spec: "egress: [{toCIDR: [203.0.113.0/24]}]", to: external, decision: .allowed),
    Case(spec: "egress: [{toCIDR: [0.0.0.0/0]}]", to: pg, decision: .denied, reason: "CiliumNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, and no block holds one"),
    Case(spec: "egress: [{toCIDR: [0.0.0.0/0]}]", to: node, decision: .denied, reason: "CiliumNetworkPolicy/shop/p#0: 192.168.50.1 is node node-1, and no block holds one"),
    Case(spec: "egress: [{toCIDR: [0.0.0.0/0]}]", to: "2001:db8::1", decision: .denied, reason: "CiliumNetworkPolicy/shop/p#0: 2001:db8::1 is not in 0.0.0.0/0"),
    Case(spec: "egress: [{toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.8/31]}]}]", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 203.0.113.9 is in except 203.0.113.8/31"),
    Case(spec: "egress: [{toFQDNs: [{matchPattern: '*.a.com'}]}]", to: external, names: [name("x.a.com", .confirmed)], decision: .allowed),
    Case(spec: "egress: [{toFQDNs: [{matchName: A.com}]}]", to: external, names: [name("a.com", .resolved, .dns)], decision: .allowed),
    Case(spec: "egress: [{toFQDNs: [{matchName: a.com}]}]", to: external, names: [name("b.com", .confirmed), name("a.com", .resolved, .dns)], decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: name b.com does not match a.com"),
    Case(spec: "egress: [{toFQDNs: [{matchName: a.com}, {matchName: b.com}]}]", to: external, names: [name("a.com", .hint, .ptr)], decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: only a hint (ptr a.com) names 203.0.113.9, which cannot match a.com or another name"),
    Case(spec: "egress: [{toFQDNs: [{matchName: a.com}]}, {toFQDNs: [{matchName: b.com}]}]", to: external,
      names: [name("a.com", .confirmed), name("b.com", .confirmed, .httpHost)], decision: .allowed),
    Case(spec: "egress: [{toFQDNs: [{matchName: a.com}]}]", to: external, names: [name("a.com", .confirmed), name("b.com", .confirmed, .httpHost)], decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: name b.com does not match a.com"),
    Case(spec: "egress: [{toFQDNs: [{matchPattern: '*'}]}]", to: pg, names: [name("pg.db", .confirmed)], decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, and no name stands for one"),
    // Entities.
    Case(spec: "egress: [{toEntities: [world]}]", to: external, decision: .allowed), Case(spec: "egress: [{toEntities: [world-ipv6]}]", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 203.0.113.9 is outside the cluster, not world-ipv6"),
    Case(spec: "egress: [{toEntities: [cluster]}]", to: pg, decision: .allowed), Case(spec: "egress: [{toEntities: [cluster]}]", to: node, decision: .allowed),
    Case(spec: "egress: [{toEntities: [host]}]", to: node, decision: .allowed), Case(spec: "egress: [{toEntities: [remote-node]}]", to: node, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 192.168.50.1 is node node-1, not remote-node"),
    Case(spec: "egress: [{toEntities: [all]}]", to: pg, transport: .sctp, decision: .allowed), Case(spec: "egress: [{toEntities: [none]}]", to: pg, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, not none"),
    Case(spec: "egress: [{toEntities: [kube-apiserver]}]", to: node, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: whether 192.168.50.1 is an API server's is not in the inventory"),
    Case(spec: "egress: [{toEntities: [kube-apiserver]}]", to: "10.96.0.1", decision: .allowed),
    Case(spec: "egress: [{toEntities: [host]}]", to: "10.96.0.1", decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: 10.96.0.1 is service default/kubernetes, which selects no pods: its endpoints are not known"),
    // Endpoints.
    Case(spec: "egress: [{toEndpoints: [{}]}]", to: "10.244.1.11", decision: .allowed), Case(spec: "egress: [{toEndpoints: [{}]}]", to: pg, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, which the rule's selector does not match"),
    Case(spec: "egress: [{toEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': db, 'any:app': pg}}]}]", to: pg, decision: .allowed),
    Case(spec: "egress: [{toEndpoints: [{matchExpressions: [{key: 'k8s:io.cilium.k8s.namespace.labels.team', operator: DoesNotExist}]}]}]", to: pg, decision: .allowed),
    Case(spec: "egress: [{toEndpoints: []}]", to: pg, decision: .denied, reason: "CiliumNetworkPolicy/shop/p#0: it is about no destination"),
    Case(spec: "egress: [{}]", to: external, decision: .denied, reason: "CiliumNetworkPolicy/shop/p#0: it is about no destination"),
    Case(spec: "egress: [{toEndpoints: [{matchLabels: {'reserved:host': ''}}]}]", to: node, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 192.168.50.1 is node node-1, which the rule's selector does not match"),
    // A Service's backends are judged.
    Case(spec: "egress: [{toEndpoints: [{matchLabels: {app: cart}}], toPorts: [{ports: [{port: http}]}]}]", to: "10.96.0.20", port: 80, decision: .allowed),
    Case(spec: "egress: [{toServices: [{k8sService: {serviceName: cart}}]}]", to: "10.244.1.11", decision: .allowed),
    Case(spec: "egress: [{toServices: [{k8sService: {serviceName: cart}}]}]", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 203.0.113.9 is outside the cluster, and none of the service's pods"),
    Case(spec: "egress: [{toServices: [{k8sService: {serviceName: nope}}]}]", to: external, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: where service shop/nope leads is not in the inventory"),
    Case(spec: "egress: [{toServices: [{k8sService: {serviceName: shop}}]}]", to: "10.96.0.21", decision: .allowed),
    Case(spec: "egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {a: b}}}}]}]", to: external, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: where services a=b of shop leads is not in the inventory"),
    Case(spec: "egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]", to: external, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: the addresses of toGroups are only known to the cloud's API"),
    Case(spec: "egress: [{toNodes: [{matchLabels: {pool: x}}]}]", to: node, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: 192.168.50.1 is node node-1, and the rule's selector of nodes does not match it"),
    Case(spec: "egress: [{toNodes: [{}]}]", to: node, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: toNodes counts only where Cilium labels nodes (enable-node-selector-labels)"),
    // What cannot be told does not matter where it would change nothing.
    Case(spec: "egress: [{toGroups: [{aws: {}}]}, {toCIDR: [203.0.113.0/24]}]", to: external, decision: .allowed),
    Case(spec: "egress: [{toEntities: [world]}], egressDeny: [{toGroups: [{aws: {}}]}]", to: external, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#1: the addresses of toGroups are only known to the cloud's API"),
    Case(spec: "egress: [{toGroups: [{aws: {}}], toPorts: [{ports: [{port: '80'}]}]}]", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: port 443/tcp is not 80"),
    // Ports.
    Case(spec: "egress: [{toPorts: [{ports: [{port: '443', protocol: ANY}]}]}]", to: external, transport: .sctp, decision: .allowed),
    Case(spec: "egress: [{toPorts: [{ports: [{port: '0'}]}]}]", to: external, port: nil, transport: .icmp, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: icmp has no port, and the rule is only about every port/tcp, every port/udp, every port/sctp"),
    Case(spec: "egress: [{toPorts: [{ports: [{port: '400', endPort: 443, protocol: TCP}]}]}]", to: external, decision: .allowed),
    Case(spec: "egress: [{toPorts: [{ports: [{port: '400', endPort: 442, protocol: TCP}]}]}]", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: port 443/tcp is not 400-442/tcp"),
    Case(spec: "egress: [{toPorts: [{ports: [{port: pg}]}]}]", to: pg, port: 5432, decision: .allowed),
    Case(spec: "egress: [{toPorts: [{ports: [{port: pg, protocol: UDP}]}]}]", to: pg, port: 5432, decision: .denied, reason: "CiliumNetworkPolicy/shop/p#0: port 5432/tcp is not pg/udp"),
    Case(spec: "egress: [{toPorts: [{ports: [{port: '443'}], serverNames: [a.com, '*.b.com']}]}]", to: external, names: [name("x.b.com", .confirmed)], decision: .allowed),
    Case(spec: "egress: [{toPorts: [{ports: [{port: '443'}], serverNames: [a.com]}]}]", to: external, names: [name("b.com", .confirmed)], decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: server name b.com is not a.com"),
    Case(spec: "egress: [{toPorts: [{ports: [{port: '443'}], serverNames: [a.com]}]}]", to: external, names: [name("a.com", .resolved, .dns)], decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: no TLS server name was said, and the rule wants a.com"),
    // ICMP.
    Case(spec: "egress: [{icmps: [{fields: [{type: 8}]}]}]", to: external, port: nil, transport: .icmp, decision: .allowed),
    Case(spec: "egress: [{icmps: [{fields: [{type: EchoRequest, family: IPv6}]}]}]", to: external, port: nil, transport: .icmp, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0: icmp is not what the rule allows, which is ICMP of some types"),
    Case(spec: "egress: [{icmps: [{fields: [{type: Redirect}]}]}]", to: external, port: nil, transport: .icmp, decision: .undecidable,
      reason: "CiliumNetworkPolicy/shop/p#0: the type of an ICMP message is not known"),
    Case(spec: "egress: [{toCIDR: [203.0.113.0/24]}]", to: external, port: nil, transport: .icmp, decision: .allowed),
    // Denying, and what is denied by default.
    Case(spec: "egress: [{toEntities: [all]}], egressDeny: [{toCIDR: [203.0.113.9/32]}]", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#1 denies traffic to 203.0.113.9/32"),
    Case(spec: "egressDeny: [{toCIDR: [203.0.113.9/32]}]", to: pg, decision: .denied, reason: "CiliumNetworkPolicy/shop/p selects the workload and has no rule that allows egress"),
    Case(spec: "egressDeny: [{toCIDR: [203.0.113.9/32]}], enableDefaultDeny: {egress: false}", to: pg, decision: .allowed),
    Case(spec: "egressDeny: [{toCIDR: [203.0.113.9/32]}], enableDefaultDeny: {egress: false}", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p#0 denies traffic to 203.0.113.9/32"),
    Case(spec: "ingress: [{}]", to: external, decision: .unprotected), Case(spec: "ingress: [{}], enableDefaultDeny: {egress: true}", to: external, decision: .denied,
      reason: "CiliumNetworkPolicy/shop/p selects the workload and has no rule that allows egress"),
  ]

  static let extra = """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: kubernetes, namespace: default}
    spec: {clusterIP: 10.96.0.1, ports: [{port: 443, targetPort: 6443}]}
    """

  @Test(arguments: cases.indices)
  func `a flow is judged by what its destination is`(_ index: Int) throws {
    let test = Self.cases[index]
    let judge = Judge(policies: policySet(Self.policy(test.spec)), inventory: inventory(shopInventory, Self.extra))
    var there = try destination(test.to, test.port, test.transport)
    there.names = test.names
    let verdict = judge.judge(pod("shop", "web-1"), there)
    #expect(verdict.decision == test.decision, "\(test) \(verdict)")
    #expect(verdict.reason == test.reason, "\(test)")
    #expect(judge.judge(pod("db", "pg-0"), there).decision == .unprotected)
    #expect(judge.judge(pod("shop", "agent"), there).decision == .unprotected, "a pod on the host network is the node's")
  }

  @Test func `a NetworkPolicy is one of the rules, and its blocks match no pod either`() throws {
    let policies = policySet(
      Self.policy("egress: [{toFQDNs: [{matchName: a.com}]}]"), networkPolicy("[{to: [{ipBlock: {cidr: 0.0.0.0/0}}, {podSelector: {matchLabels: {app: cart}}}], ports: [{port: 80}]}]", name: "net"))
    let judge = Judge(policies: policies, inventory: inventory(shopInventory))
    let web = pod("shop", "web-1")
    let named = judge.judge(web, try destination(Self.external, 443, .tcp, name("a.com", .confirmed)))
    #expect(named.by.map(\.description) == ["CiliumNetworkPolicy/shop/p#0"])
    #expect(named.selectedBy == ["CiliumNetworkPolicy/shop/p", "NetworkPolicy/shop/net"])
    #expect(judge.judge(web, try destination(Self.external, 80)).by.map(\.description) == ["NetworkPolicy/shop/net#0"])
    #expect(judge.judge(web, try destination("10.244.1.11", 80)).decision == .allowed)
    #expect(judge.judge(web, try destination(Self.pg, 80)).decision == .denied)
    #expect(judge.judge(pod("shop", "cart-1"), try destination(Self.external, 443)).decision == .denied)
  }

  @Test func `every pod's rules come from policies of its namespace and of the cluster`() throws {
    let policies = policySet(
      Self.clusterwide("endpointSelector: {matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': alpha}}, egress: [{toEndpoints: [{}, {matchLabels: {'reserved:host': ''}}]}]"),
      Self.clusterwide("nodeSelector: {matchLabels: {pool: front}}, egress: [{toCIDR: [203.0.113.0/24]}]", name: "nodes"))
    var nodes = inventory(shopInventory)
    nodes.nodes[0].labels = ["pool": "front"]
    let judge = Judge(policies: policies, inventory: nodes)
    #expect(judge.judge(pod("shop", "cart-1"), try destination(Self.pg, 1)).decision == .allowed)
    #expect(judge.judge(pod("shop", "cart-1"), try destination(Self.node, 1)).decision == .allowed)
    #expect(judge.judge(pod("shop", "cart-1"), try destination(Self.external, 1)).decision == .denied)
    #expect(judge.judge(pod("db", "pg-0"), try destination(Self.external, 1)).decision == .unprotected)
    // The node's own traffic: pods on the host network and units.
    #expect(judge.judge(pod("shop", "agent"), try destination(Self.external, 1)).by.map(\.description) == ["CiliumClusterwideNetworkPolicy/nodes#0"])
    #expect(judge.judge(pod("shop", "agent"), try destination("198.51.100.1", 1)).decision == .denied)
    var unit = Workload(kind: .systemd, name: "nginx.service")
    #expect(
      judge.judge(unit, try destination(Self.external, 1)).reason
        == "policies select nodes, and the node of systemd/nginx.service is not in the inventory")
    unit.node = "node-1"
    #expect(judge.judge(unit, try destination("198.51.100.1", 1)).decision == .denied)
    #expect(judge.judge(unit, try destination("127.0.0.1", 1)).decision == .unprotected)
  }

  @Test func `specs count each for itself, and their rules are numbered through`() throws {
    let text = """
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: s, namespace: shop}
      spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toEntities: [world]}], egressDeny: [{toCIDR: [198.51.100.0/24]}]}
      specs: [{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.com}], toPorts: [{ports: [{port: "443"}], rules: {http: [{method: GET}]}}]}]}]
      """
    let policies = policySet(text)
    #expect(policies.rules.map { "\($0.reference) \($0.summary)" } == [
      "CiliumNetworkPolicy/shop/s#0 to world", "CiliumNetworkPolicy/shop/s#1 deny to 198.51.100.0/24", "CiliumNetworkPolicy/shop/s#2 to a.com ports 443 (http rules not judged)",
    ])
    let judge = Judge(policies: policies, inventory: inventory(shopInventory))
    let there = try destination(Self.external, 443, .tcp, name("a.com", .confirmed))
    #expect(judge.judge(pod("shop", "web-1"), there).by.map(\.rule) == [0, 2])
    #expect(judge.judge(pod("shop", "web-1"), there).selectedBy == ["CiliumNetworkPolicy/shop/s"])
    #expect(judge.judge(pod("shop", "cart-1"), there).by.map(\.rule) == [2])
    #expect(judge.judge(pod("shop", "web-1"), try destination("198.51.100.7", 443)).by.map(\.rule) == [1])
  }

  @Test(arguments: ["v2", "v2alpha1"])
  func `a CIDR group is meant by name or by label, and a missing one holds nothing`(_ version: String) throws {
    let spec = "egress: [{toCIDRSet: [{cidrGroupRef: a, except: [203.0.113.8/31]}, {cidrGroupRef: nope}, {cidrGroupSelector: {matchLabels: {use: pay}}}]}]"
    let judge = Judge(
      policies: policySet(Self.policy(spec), Self.group("a", "203.0.113.0/24, 198.51.100.1/32", version: version), Self.group("b", "2001:db8::/32", labels: "{use: pay}")),
      inventory: inventory(shopInventory))
    for (address, allowed) in [("203.0.113.7", true), ("203.0.113.9", false), ("198.51.100.1", true), ("198.51.100.2", false), ("2001:db8::1", true)] {
      #expect(judge.judge(pod("shop", "web-1"), try destination(address, 443)).decision == (allowed ? .allowed : .denied), "\(address)")
    }
  }

  @Test func `kinds of another engine are named, and judge nothing`() throws {
    func set(_ engine: Engine) -> PolicySet {
      var policies = PolicySet(engine: engine)
      _ = policies.add(Self.policy("egress: [{toEntities: [world]}]"), file: "a")
      _ = policies.add("{apiVersion: k8s.ovn.org/v1, kind: EgressFirewall, metadata: {name: default, namespace: shop}, spec: {egress: [{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]}}", file: "b")
      return policies
    }
    let there = try destination(Self.external, 443)
    #expect(set(.auto).engine == .cilium)
    #expect(set(.auto).notEnforced == ["EgressFirewall/shop/default"])
    #expect(Judge(policies: set(.auto), inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), there).decision == .allowed)
    #expect(set(.generic).notEnforced == ["CiliumNetworkPolicy/shop/p"])
    #expect(set(.generic).rules.map(\.reference.policy) == ["EgressFirewall/shop/default"])
    #expect(Judge(policies: set(.generic), inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), there).decision == .denied)
  }

  @Test(arguments: [
    ("egress: [{}], order: 1", "spec.order", "unknown field"), ("egress: []", "spec", "no rule is given"), ("egress: {}", "spec.egress", "a list is expected"),
    ("egress: [{toCIDR: [10.0.0.0]}]", "spec.egress[0].toCIDR[0]", "no prefix length"), ("egress: [{toCIDR: [10.0.0.0/8], toEntities: [world]}]", "spec.egress[0]", "exclude each other"),
    ("egress: [{toCIDRSet: [{}]}]", "spec.egress[0].toCIDRSet[0]", "names no block"), ("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: a}]}]", "spec.egress[0].toCIDRSet[0]", "exclude"),
    ("egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/9]}]}]", "spec.egress[0].toCIDRSet[0].except[0]", "not lie within"),
    ("egress: [{toCIDRSet: [{cidrGroupRef: A_B}]}]", "spec.egress[0].toCIDRSet[0].cidrGroupRef", "no object name"),
    ("egress: [{toEntities: [internet]}]", "spec.egress[0].toEntities[0]", "none of all"), ("egressDeny: [{toFQDNs: [{matchName: a}]}]", "spec.egressDeny[0].toFQDNs", "unknown field"),
    ("egress: [{toFQDNs: [{}]}]", "spec.egress[0].toFQDNs[0]", "names nothing"), ("egress: [{toFQDNs: [{matchName: '*.a'}]}]", "spec.egress[0].toFQDNs[0].matchName", "invalid characters"),
    ("egress: [{toFQDNs: [{matchPattern: a..b}]}]", "spec.egress[0].toFQDNs[0].matchPattern", "empty labels"),
    ("egress: [{toFQDNs: [{matchName: a, matchPattern: b}]}]", "spec.egress[0].toFQDNs[0]", "only one of"),
    ("egress: [{toPorts: [{ports: [{port: 443}]}]}]", "spec.egress[0].toPorts[0].ports[0].port", "a string is expected"),
    ("egress: [{toPorts: [{ports: [{port: '70000'}]}]}]", "spec.egress[0].toPorts[0].ports[0].port", "is no port"),
    ("egress: [{toPorts: [{ports: [{port: '90', endPort: 80}]}]}]", "spec.egress[0].toPorts[0].ports[0].endPort", "less than port 90"),
    ("egress: [{toPorts: [{ports: [{port: http, endPort: 80}]}]}]", "spec.egress[0].toPorts[0].ports[0].endPort", "named port"),
    ("egress: [{toPorts: [{ports: [{port: '1', protocol: tcp}]}]}]", "spec.egress[0].toPorts[0].ports[0].protocol", "none of TCP"),
    ("egress: [{toPorts: [{ports: [{port: '1'}], rules: {dns: [{matchName: a}], http: []}}]}]", "spec.egress[0].toPorts[0].rules", "exclude"),
    ("egress: [{toPorts: [{ports: [{port: '1'}], rules: {dns: [{matchName: 'a b'}]}}]}]", "spec.egress[0].toPorts[0].rules.dns[0].matchName", "invalid characters"),
    ("egress: [{toPorts: [{ports: [{port: '1'}], serverNames: []}]}]", "spec.egress[0].toPorts[0].serverNames", "names nothing"),
    ("egressDeny: [{toPorts: [{ports: [{port: '1'}], serverNames: [a]}]}]", "spec.egressDeny[0].toPorts[0].serverNames", "unknown field"),
    ("egress: [{toPorts: [{ports: [{port: '1'}]}], icmps: [{fields: [{type: 8}]}]}]", "spec.egress[0].icmps", "does not go with toPorts"),
    ("egress: [{icmps: [{fields: [{type: 256}]}]}]", "spec.egress[0].icmps[0].fields[0].type", "not between"), ("egress: [{icmps: [{fields: [{type: Ping}]}]}]", "spec.egress[0].icmps[0].fields[0].type", "no ICMP type"),
    ("egress: [{toRequires: [{}]}]", "spec.egress[0].toRequires", "not judged"), ("egress: [{toServices: [{}]}]", "spec.egress[0].toServices[0].k8sServiceSelector", "missing"),
    ("egress: [{toEndpoints: [{matchLabels: {'k8s:-a': b}}]}]", "spec.egress[0].toEndpoints[0].matchLabels[\"k8s:-a\"]", "no label key"),
    ("ingress: [{fromCIDR: [x]}]", "spec.ingress[0].fromCIDR[0]", "no address block"), ("ingress: [{toFQDNs: []}]", "spec.ingress[0].toFQDNs", "unknown field"),
    ("egress: [{}], enableDefaultDeny: {egress: 'no'}", "spec.enableDefaultDeny.egress", "true or false"), ("egress: [{}], nodeSelector: {}", "spec.nodeSelector", "only a CiliumClusterwide"),
  ])
  func `a policy that cannot mean what it says is refused`(_ spec: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(Self.policy(spec), file: "f.yaml")
    #expect(errors.map(\.path) == [path], "\(errors)")
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
    #expect(policies.isEmpty)
  }

  @Test(arguments: [40, 41])
  func `forty ports go into a rule`(_ count: Int) {
    var policies = PolicySet()
    let ports = (1...count).map { "{port: '\($0)'}" }.joined(separator: ", ")
    #expect(policies.add(Self.policy("egress: [{toPorts: [{ports: [\(ports)]}]}]"), file: "f.yaml").isEmpty == (count == 40))
  }

  @Test(arguments: [
    ("{toCIDR: [10.0.0.0/8]}", "to 10.0.0.0/8", nil), ("{toEntities: [world], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}", "to world ports 443/tcp", "world is everything outside the cluster"),
    ("{toEntities: [all]}", "to all", "any destination, every port"), ("{toFQDNs: [{matchPattern: '*.com'}], toPorts: [{ports: [{port: '443'}]}]}", "to *.com ports 443", "*.com is a whole top-level domain"),
    ("{toFQDNs: [{matchName: a.com}]}", "to a.com", "every port of a.com"), ("{toPorts: [{ports: [{port: '53', protocol: UDP}]}]}", "to any destination ports 53/udp", "any destination"),
    ("{toEndpoints: [{}]}", "to pods io.kubernetes.pod.namespace=shop", nil), ("{icmps: [{fields: [{type: 8}]}]}", "to any destination icmp type 8", "any destination"),
    ("{toCIDRSet: [{cidrGroupRef: g, except: [10.0.0.0/9]}]}", "to CIDR group g except 10.0.0.0/9", nil), ("{}", "to nobody", nil),
    ("{toPorts: [{ports: [{port: '443'}], serverNames: [a.com]}]}", "to any destination ports 443 with server name a.com", "any destination"),
  ] as [(String, String, String?)])
  func `a rule is described in a line, with what is wide about it`(_ rule: String, _ summary: String, _ width: String?) {
    let rules = policySet(Self.policy("egress: [\(rule)]")).rules
    #expect(rules.map(\.summary) == [summary])
    #expect(rules.map(\.width) == [width])
  }
}
