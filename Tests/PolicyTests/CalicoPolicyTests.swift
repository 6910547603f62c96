import EgressModel
import Testing

@testable import Policy

@Suite struct CalicoPolicyTests {
  /// A Calico NetworkPolicy `shop/p` for `web` with this spec besides, in flow style.
  static func policy(_ spec: String, name: String = "p", select: String = "app == 'web'") -> String {
    "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: \(name), namespace: shop}, spec: {selector: \"\(select)\", \(spec)}}"
  }

  static func global(_ spec: String, name: String = "g", version: String = "projectcalico.org/v3") -> String {
    "{apiVersion: \(version), kind: GlobalNetworkPolicy, metadata: {name: \(name)}, spec: {\(spec)}}"
  }

  static func tier(_ name: String, _ spec: String) -> String { "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: \(name)}, spec: {\(spec)}}" }

  static func set(_ name: String, _ nets: String, labels: String, namespace: String? = nil) -> String {
    let metadata = "name: \(name), labels: \(labels)" + (namespace.map { ", namespace: \($0)" } ?? "")
    return "{apiVersion: projectcalico.org/v3, kind: \(namespace == nil ? "Global" : "")NetworkSet, metadata: {\(metadata)}, spec: {nets: [\(nets)]}}"
  }

  // The selector language.

  @Test(arguments: [
    ("", "", true), ("all()", "", true), ("a == 'b'", "a=b", true), ("a == 'b'", "", false), ("a != 'b'", "", true), ("a != 'b'", "a=b", false), ("has(a)", "a=", true), ("!has(a)", "", true),
    ("a in {'b', \"c\"}", "a=c", true), ("a in {}", "a=c", false), ("a in {'b',}", "a=b", true), ("a not in {'b'}", "", true), ("a notin {'b'}", "a=b", false), ("a not\tin{'b'}", "a=c", true),
    ("a contains 'x'", "a=1x2", true), ("a contains 'x'", "", false), ("a starts with 'x'", "a=xy", true), ("a startswith'x'", "a=yx", false), ("a ends  with 'x'", "a=yx", true), ("a ends with ''", "a=", true),
    ("a == 'b' && c == 'd'", "a=b", false), ("a == 'b' || c == 'd'", "a=b", true), ("a == 'x' || a == 'b' && c == 'd'", "a=b,c=d", true), ("(a == 'x' || a == 'b') && !(c == 'd')", "a=b,c=d", false),
    ("!!has(a)", "a=1", true), ("! a == 'b'", "a=c", true), ("in in {'x'}", "in=x", true), ("has == 'x'", "has=x", true), ("k8s.io/a-b_c == 'x'", "k8s.io/a-b_c=x", true), ("a == 'it is'", "a=it is", true),
  ])
  func `a selector is a sentence about labels`(_ text: String, _ labels: String, _ matches: Bool) throws {
    let pairs = labels.split(separator: ",").map { pair in
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      return (parts[0], parts[1])
    }
    let selector = try CalicoSelector(parsing: text)
    #expect(selector.matches(Dictionary(uniqueKeysWithValues: pairs)) == matches)
    // What it is shown as means the same.
    #expect(try CalicoSelector(parsing: selector.description).description == selector.description)
  }

  @Test(arguments: [
    ("a", 1), ("a == b", 5), ("a = 'b'", 2), ("a == 'b", 5), ("a == 'b' &", 9), ("a == 'b' &&", 11), ("(a == 'b'", 9), ("a == 'b')", 8), ("has (a)", 4), ("has(a", 5), ("all", 3), ("a in 'b'", 5),
    ("a in {b}", 6), ("a in {'b' 'c'}", 10), ("a starts 'b'", 9), ("'a' == 'b'", 0), ("a == 'b'\n", 8), ("%", 0), ("!", 1), ("a == 'b' c == 'd'", 9),
  ])
  func `what is wrong with a selector is told with its place`(_ text: String, _ offset: Int) {
    let error = #expect(throws: CalicoSelector.SyntaxError.self) { try CalicoSelector(parsing: text) }
    #expect(error?.offset == offset, "\(error?.problem ?? "")")
  }

  @Test(arguments: [("!", CalicoSelector.depth - 1, true), ("!", CalicoSelector.depth, false), ("(", CalicoSelector.depth - 1, true), ("(", CalicoSelector.depth, false), ("!", 100_000, false)])
  func `nesting has a bound, and a row of terms has none`(_ opening: String, _ depth: Int, _ fits: Bool) throws {
    let text = String(repeating: opening, count: depth) + "has(a)" + (opening == "(" ? String(repeating: ")", count: depth) : "")
    #expect(((try? CalicoSelector(parsing: text)) != nil) == fits)
    #expect(try CalicoSelector(parsing: String(repeating: "has(a) && ", count: 10_000) + "has(a)").matches(["a": ""]))
  }

  @Test(arguments: [512, 513])
  func `a label has at most 512 characters`(_ count: Int) {
    #expect(((try? CalicoSelector(parsing: "has(\(String(repeating: "a", count: count)))")) != nil) == (count == 512))
  }

  // Rules.

  struct Case: Sendable {
    /// Of the one policy, in flow style.
    var egress: String
    var to: String
    var port: UInt16? = 443
    var transport = Transport.tcp
    var names: [NameEvidence] = []
    var decision: Verdict.Decision
    var reason: String? = nil
  }

  static let external = "203.0.113.9"
  static let cart = "10.244.1.11"
  static let pg = "10.244.1.20"

  static let cases: [Case] = [
    Case(egress: "{action: Allow}", to: pg, port: nil, transport: .icmp, decision: .allowed),
    Case(egress: "{action: Allow, destination: {nets: [203.0.113.0/24]}}", to: external, decision: .allowed),
    Case(egress: "{action: Allow, destination: {nets: [10.0.0.0/8]}}", to: pg, decision: .allowed),
    Case(egress: "{action: Allow, destination: {nets: [203.0.113.0/24], notNets: [203.0.113.8/31]}}", to: external, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 203.0.113.9 is in notNets 203.0.113.8/31"),
    Case(egress: "{action: Allow, destination: {notNets: [203.0.113.8/31]}}", to: pg, decision: .allowed),
    Case(egress: "{action: Deny, destination: {nets: [203.0.113.0/24]}}, {action: Allow}", to: external, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0 denies traffic to 203.0.113.0/24"),
    Case(egress: "{action: Log}, {action: Allow}", to: external, decision: .allowed),
    Case(egress: "{action: Pass}", to: external, decision: .allowed),
    // Protocols and ports.
    Case(egress: "{action: Allow, protocol: TCP, destination: {ports: [443, '8000:8100']}}", to: external, port: 8100, decision: .allowed),
    Case(egress: "{action: Allow, protocol: TCP, destination: {ports: [443, '8000:8100']}}", to: external, port: 8101, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: port 8101/tcp is not 443/tcp, 8000-8100/tcp"),
    Case(egress: "{action: Allow, protocol: TCP, destination: {notPorts: [443]}}", to: external, decision: .denied, reason: "CalicoNetworkPolicy/shop/p#0: port 443/tcp is in notPorts"),
    Case(egress: "{action: Allow, protocol: TCP, destination: {ports: [pg]}}", to: pg, port: 5432, decision: .allowed),
    Case(egress: "{action: Allow, protocol: TCP, destination: {ports: [pg]}}", to: external, port: 5432, decision: .denied, reason: "CalicoNetworkPolicy/shop/p#0: port 5432/tcp is not pg/tcp"),
    Case(egress: "{action: Allow, protocol: 47}", to: external, port: nil, transport: Transport(rawValue: 47), decision: .allowed),
    Case(egress: "{action: Allow, notProtocol: UDP}", to: external, transport: .udp, decision: .denied, reason: "CalicoNetworkPolicy/shop/p#0: udp is not what the rule is about"),
    Case(egress: "{action: Allow, ipVersion: 6}", to: external, decision: .denied, reason: "CalicoNetworkPolicy/shop/p#0: 203.0.113.9 is not of IPv6"),
    Case(egress: "{action: Allow, protocol: ICMP, icmp: {type: 8, code: 0}}", to: external, port: nil, transport: .icmp, decision: .allowed),
    Case(egress: "{action: Allow, protocol: ICMP, icmp: {type: 3}}", to: external, port: nil, transport: .icmp, decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: the type of an ICMP message is not known"),
    Case(egress: "{action: Allow, protocol: ICMP, notICMP: {type: 8}}", to: external, port: nil, transport: .icmp, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: an echo request is excepted"),
    // Selectors: of the policy's own namespace, unless it says which.
    Case(egress: "{action: Allow, destination: {selector: has(app)}}", to: cart, decision: .allowed),
    Case(egress: "{action: Allow, destination: {selector: has(app)}}", to: pg, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, which (projectcalico.org/namespace == \"shop\" && has(app)) does not match"),
    Case(egress: "{action: Allow, destination: {selector: has(app)}}", to: external, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 203.0.113.9 is no pod's, and in no network set that (projectcalico.org/namespace == \"shop\" && has(app)) matches"),
    Case(egress: "{action: Allow, destination: {selector: app == 'pg', namespaceSelector: all()}}", to: pg, decision: .allowed),
    Case(egress: "{action: Allow, destination: {namespaceSelector: projectcalico.org/name == 'db'}}", to: pg, decision: .allowed),
    Case(egress: "{action: Allow, destination: {namespaceSelector: team == 'alpha'}}", to: pg, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, which pcns.team == \"alpha\" does not match"),
    Case(egress: "{action: Allow, destination: {namespaceSelector: global()}}", to: pg, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 10.244.1.20 is pod db/pg-0, which !has(projectcalico.org/namespace) does not match"),
    Case(egress: "{action: Allow, destination: {notSelector: app == 'cart'}}", to: cart, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 10.244.1.11 is pod shop/cart-1, which notSelector app == \"cart\" matches"),
    Case(egress: "{action: Allow, destination: {notSelector: app == 'cart'}}", to: external, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 203.0.113.9 is no pod's, and in no network set that projectcalico.org/namespace == \"shop\" matches"),
    Case(egress: "{action: Allow, destination: {serviceAccounts: {names: [default]}}}", to: cart, decision: .allowed),
    Case(egress: "{action: Allow, destination: {serviceAccounts: {selector: role == 'x'}}}", to: cart, decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: labels of service accounts are not in the inventory"),
    // Sets.
    Case(egress: "{action: Allow, destination: {selector: kind == 'pay'}}", to: "198.51.100.7", decision: .allowed),
    Case(egress: "{action: Allow, destination: {selector: kind == 'pay'}}", to: "198.51.100.64", decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 198.51.100.64 is no pod's, and in no network set that (projectcalico.org/namespace == \"shop\" && kind == \"pay\") matches"),
    Case(egress: "{action: Allow, destination: {selector: kind == 'pay', namespaceSelector: global()}}", to: "198.51.100.64", decision: .allowed),
    // The subject's own end.
    Case(egress: "{action: Allow, source: {selector: tier == 'front'}}", to: external, decision: .allowed),
    Case(egress: "{action: Allow, source: {notSelector: tier == 'front'}}", to: external, decision: .denied, reason: "CalicoNetworkPolicy/shop/p#0: the rule's source is not the pod"),
    Case(egress: "{action: Allow, source: {nets: [10.244.1.10/32]}}", to: external, decision: .allowed),
    Case(egress: "{action: Allow, source: {notNets: [10.244.0.0/16]}}", to: external, decision: .denied, reason: "CalicoNetworkPolicy/shop/p#0: the rule's source is not the pod"),
    Case(egress: "{action: Allow, protocol: TCP, source: {ports: [1000]}}", to: external, decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: the port that the workload sends from is not known"),
    // Services: their backends, at their ports.
    Case(egress: "{action: Allow, destination: {services: {name: cart}}}", to: "10.96.0.20", port: 80, decision: .allowed),
    Case(egress: "{action: Allow, destination: {services: {name: cart}}}", to: cart, port: 9090, decision: .allowed),
    Case(egress: "{action: Allow, destination: {services: {name: cart}}}", to: cart, port: 80, decision: .denied,
      reason: "CalicoNetworkPolicy/shop/p#0: 10.244.1.11 is pod shop/cart-1, and no backend of service shop/cart at this port"),
    Case(egress: "{action: Allow, destination: {services: {name: shop}}}", to: "10.96.0.21", decision: .allowed),
    Case(egress: "{action: Allow, destination: {services: {name: shop}}}", to: external, decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: where service shop/shop leads is not in the inventory"),
    Case(egress: "{action: Allow, destination: {nets: [10.0.0.0/8]}}", to: "10.96.0.21", decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: 10.96.0.21 is service shop/shop, which selects no pods: its endpoints are not known"),
    // What cannot be told does not matter where it would change nothing.
    Case(egress: "{action: Allow, destination: {services: {name: shop}}}, {action: Allow}", to: external, decision: .allowed),
    Case(egress: "{action: Deny, destination: {services: {name: shop}}}, {action: Allow}", to: external, decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: where service shop/shop leads is not in the inventory"),
    Case(egress: "{action: Pass, destination: {services: {name: shop}}}, {action: Allow}", to: external, decision: .undecidable,
      reason: "CalicoNetworkPolicy/shop/p#0: where service shop/shop leads is not in the inventory"),
  ]

  @Test(arguments: cases.indices)
  func `the first rule of which every condition holds decides`(_ index: Int) throws {
    let test = Self.cases[index]
    let policies = policySet(
      Self.policy("types: [Egress], egress: [\(test.egress)]"), Self.set("pay", "198.51.100.0/26", labels: "{kind: pay}", namespace: "shop"),
      Self.set("pay", "198.51.100.0/24", labels: "{kind: pay}"))
    let judge = Judge(policies: policies, inventory: inventory(shopInventory))
    var there = try destination(test.to, test.port, test.transport)
    there.names = test.names
    let verdict = judge.judge(pod("shop", "web-1"), there)
    #expect(verdict.decision == test.decision, "\(test) \(verdict)")
    #expect(verdict.reason == test.reason, "\(test)")
    #expect(judge.judge(pod("shop", "cart-1"), there).decision == .unprotected)
    #expect(judge.judge(pod("shop", "agent"), there).decision == .unprotected, "a pod on the host network is no endpoint")
  }

  // Tiers and order.

  /// What decides for `web` → 203.0.113.9:443.
  static let orders: [(policies: [String], decision: Verdict.Decision, by: [String])] = [
    ([policy("types: [Egress]")], .denied, []), ([policy("egress: []")], .unprotected, []), ([policy("ingress: [{action: Allow}]")], .unprotected, []),
    ([policy("types: [Ingress], egress: [{action: Deny}]")], .unprotected, []), ([policy("egress: [{action: Allow}]")], .allowed, ["CalicoNetworkPolicy/shop/p#0"]),
    // Order, then name; no order is last.
    ([policy("order: 2, egress: [{action: Deny}]", name: "a"), policy("order: 1.5, egress: [{action: Allow}]", name: "b")], .allowed, ["CalicoNetworkPolicy/shop/b#0"]),
    ([policy("egress: [{action: Deny}]", name: "a"), policy("order: 9, egress: [{action: Allow}]", name: "b")], .allowed, ["CalicoNetworkPolicy/shop/b#0"]),
    ([policy("egress: [{action: Allow}]", name: "b"), global("egress: [{action: Deny}]", name: "default.a")], .denied, ["GlobalNetworkPolicy/default.a#0"]),
    // Kubernetes' own stand at 1000.
    ([networkPolicy("[{}]", name: "k"), global("order: 999, egress: [{action: Deny}]")], .denied, ["GlobalNetworkPolicy/g#0"]),
    ([networkPolicy("[{}]", name: "k"), global("order: 1001, egress: [{action: Deny}]")], .allowed, ["NetworkPolicy/shop/k#0"]),
    ([networkPolicy("[]", name: "k"), global("order: 1001, egress: [{action: Allow}]")], .allowed, ["GlobalNetworkPolicy/g#0"]),
    ([networkPolicy("[]", name: "k"), global("order: 1, egress: [{action: Pass}]")], .allowed, []), ([networkPolicy("[]", name: "k"), global("egress: [{action: Log}]")], .denied, []),
    // Tiers.
    ([tier("sec", "order: 10"), global("tier: sec, egress: [{action: Pass}]", name: "sec.g"), policy("egress: [{action: Deny}]")], .denied, ["CalicoNetworkPolicy/shop/p#0"]),
    ([tier("sec", "order: 10"), global("tier: sec, egress: [{action: Pass}, {action: Deny}]", name: "sec.g")], .allowed, []),
    ([tier("sec", "order: 10"), global("tier: sec, egress: [{action: Log}]", name: "sec.g"), policy("egress: [{action: Allow}]")], .denied, []),
    ([tier("sec", "order: 10, defaultAction: Pass"), global("tier: sec, egress: [{action: Log}]", name: "sec.g"), policy("egress: [{action: Allow}]")], .allowed, ["CalicoNetworkPolicy/shop/p#0"]),
    ([tier("sec", "order: 10"), global("tier: sec, selector: app == 'cart', egress: [{action: Deny}]", name: "sec.g"), policy("egress: [{action: Allow}]")], .allowed, ["CalicoNetworkPolicy/shop/p#0"]),
    ([tier("late", "defaultAction: Deny"), global("tier: late, egress: [{action: Deny}]", name: "late.g"), policy("egress: [{action: Pass}]")], .denied, ["GlobalNetworkPolicy/late.g#0"]),
    // ClusterNetworkPolicy in tiers of its own, around those.
    ([cluster("Admin", "Accept"), policy("egress: [{action: Deny}]")], .allowed, ["ClusterNetworkPolicy/c#0"]), ([cluster("Baseline", "Deny"), policy("egress: [{action: Allow}]")], .allowed, ["CalicoNetworkPolicy/shop/p#0"]),
    ([cluster("Baseline", "Deny"), policy("egress: [{action: Pass}]")], .denied, ["ClusterNetworkPolicy/c#0"]),
    ([cluster("Baseline", "Deny"), policy("egress: [{action: Deny}]", select: "app == 'cart'")], .denied, ["ClusterNetworkPolicy/c#0"]),
    ([cluster("Admin", "Accept"), tier("first", "order: 5"), global("tier: first, egress: [{action: Deny}]", name: "first.g")], .denied, ["GlobalNetworkPolicy/first.g#0"]),
    // What is staged is not in force.
    ([global("egress: [{action: Deny}]").replacing("kind: Global", with: "kind: StagedGlobal"), policy("egress: [{action: Allow}]")], .allowed, ["CalicoNetworkPolicy/shop/p#0"]),
    ([policy("egress: [{action: Deny}], stagedAction: Set").replacing("kind: Network", with: "kind: StagedNetwork")], .unprotected, []),
    // What cannot be told.
    ([global("tier: nobody, egress: [{action: Deny}]", name: "nobody.g")], .undecidable, []), ([policy("serviceAccountSelector: a == 'b', egress: [{action: Deny}]")], .undecidable, []),
    ([policy("serviceAccountSelector: all(), egress: [{action: Deny}]")], .denied, ["CalicoNetworkPolicy/shop/p#0"]),
    // Who is selected.
    ([global("namespaceSelector: team == 'alpha', egress: [{action: Deny}]", version: "crd.projectcalico.org/v1")], .denied, ["GlobalNetworkPolicy/g#0"]),
    ([global("namespaceSelector: team != 'alpha', egress: [{action: Deny}]")], .unprotected, []), ([global("selector: projectcalico.org/namespace == 'shop' && pcns.team == 'alpha', egress: [{action: Deny}]")], .denied, ["GlobalNetworkPolicy/g#0"]),
  ]

  static func cluster(_ tier: String, _ action: String) -> String {
    "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c}, spec: {tier: \(tier), priority: 1, subject: {namespaces: {}}, "
      + "egress: [{action: \(action), to: [{networks: [0.0.0.0/0]}]}]}}"
  }

  @Test(arguments: orders.indices, [false, true])
  func `tiers, policies and rules are asked in order, whatever the order of manifests`(_ index: Int, _ isReversed: Bool) throws {
    let (manifests, decision, by) = Self.orders[index]
    var policies = PolicySet(engine: .calico)
    for (index, text) in (isReversed ? manifests.reversed() : manifests).enumerated() { #expect(policies.add(text, file: "p\(index)") == []) }
    let verdict = Judge(policies: policies, inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), try destination(Self.external, 443))
    #expect(verdict.decision == decision, "\(manifests) \(verdict)")
    #expect(verdict.by.map(\.description) == by, "\(manifests)")
  }

  @Test func `a denial names the tier that has no more to say`() throws {
    let judge = Judge(
      policies: policySet(Self.tier("sec", "order: 1"), Self.global("tier: sec, egress: [{action: Pass, destination: {nets: [10.0.0.0/8]}}]", name: "sec.g")), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination(Self.external, 443))
    #expect(verdict.reason == "GlobalNetworkPolicy/sec.g#0: 203.0.113.9 is not in 10.0.0.0/8; tier sec denies what no rule of it decides")
    #expect(verdict.nearest?.description == "GlobalNetworkPolicy/sec.g#0")
    #expect(verdict.selectedBy == ["GlobalNetworkPolicy/sec.g"])
  }

  // Staged policies.

  static let staging: [(policies: [String], decision: Verdict.Decision, would: Verdict.Decision?, by: [String])] = [
    ([global("egress: [{action: Deny}]").replacing("kind: Global", with: "kind: StagedGlobal")], .unprotected, .denied, ["StagedGlobalNetworkPolicy/g#0"]),
    ([global("egress: [{action: Allow}]"), global("egress: [{action: Deny}], stagedAction: Set").replacing("kind: Global", with: "kind: StagedGlobal")], .allowed, .denied, ["StagedGlobalNetworkPolicy/g#0"]),
    ([policy("egress: [{action: Deny}]"), policy("stagedAction: Delete").replacing("kind: Network", with: "kind: StagedNetwork")], .denied, .unprotected, []),
    ([policy("egress: [{action: Deny}]"), policy("stagedAction: Ignore, egress: [{action: Allow}]").replacing("kind: Network", with: "kind: StagedNetwork")], .denied, nil, []),
    ([policy("egress: [{action: Allow}]"), policy("egress: [{action: Allow}]", name: "q").replacing("kind: Network", with: "kind: StagedNetwork")], .allowed, nil, []),
    ([networkPolicy("[]", name: "k"), stagedNetworkPolicy("stagedAction: Set, egress: [{}]")], .denied, .allowed, ["StagedKubernetesNetworkPolicy/shop/k#0"]),
    ([networkPolicy("[]", name: "k"), stagedNetworkPolicy("stagedAction: Delete")], .denied, .unprotected, []), ([networkPolicy("[]", name: "k"), stagedNetworkPolicy("stagedAction: Learn")], .denied, nil, []),
  ]

  static func stagedNetworkPolicy(_ spec: String) -> String {
    "{apiVersion: projectcalico.org/v3, kind: StagedKubernetesNetworkPolicy, metadata: {name: k, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress], \(spec)}}"
  }

  @Test(arguments: staging.indices)
  func `a staged policy decides nothing, and what it would do is told`(_ index: Int) throws {
    let test = Self.staging[index]
    let policies = policySet(test.policies.joined(separator: "\n---\n"))
    let verdict = Judge(policies: policies, inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), try destination(Self.external, 443))
    #expect(verdict.decision == test.decision, "\(test) \(verdict)")
    #expect(verdict.would?.decision == test.would, "\(test)")
    #expect((verdict.would?.by ?? []).map(\.description) == test.by)
    #expect(!verdict.selectedBy.contains { $0.hasPrefix("Staged") })
    #expect(!policies.rules.contains { $0.reference.policy.hasPrefix("Staged") })
  }

  @Test func `what a staged policy would do matters only if every engine would let it`() throws {
    let own = "{apiVersion: egress-obs.dev/v1, kind: EgressPolicy, metadata: {name: e, namespace: shop}, spec: {select: {pods: {}}, allow: []}}"
    let policies = policySet(Self.policy("egress: [{action: Allow}]").replacing("kind: Network", with: "kind: StagedNetwork"), own, networkPolicy("[]"))
    let verdict = Judge(policies: policies, inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), try destination(Self.external, 443))
    #expect(verdict.decision == .denied)
    #expect(verdict.would == nil)
  }

  // Names.

  @Test(arguments: [
    ("a.com", "a.com", true), ("*.a.com", "x.y.a.com", true), ("*.a.com", "a.com", false), ("x*.com", "x.y.com", true), ("A.com.", "a.COM", true), ("a.com", "b.com", false),
  ])
  func `Calico Enterprise matches names, with a star for anything`(_ domain: String, _ name: String, _ isAllowed: Bool) throws {
    var policies = PolicySet(engine: .calicoEnterprise)
    #expect(policies.add(Self.policy("egress: [{action: Allow, destination: {domains: ['\(domain)']}}]"), file: "p") == [])
    let evidence = NameEvidence(name: DomainName(presentation: name), source: .tlsSNI, confidence: .confirmed)
    let verdict = Judge(policies: policies, inventory: inventory(shopInventory)).judge(pod("shop", "web-1"), try destination(Self.external, 443, .tcp, evidence))
    #expect(verdict.decision == (isAllowed ? .allowed : .denied))
  }

  @Test func `every name that is said must be allowed, by a rule or a set of names`() throws {
    var policies = PolicySet(engine: .calicoEnterprise)
    #expect(policies.add(Self.policy("egress: [{action: Allow, destination: {domains: [a.com]}}, {action: Allow, destination: {selector: kind == 'b'}}]"), file: "p") == [])
    #expect(policies.add(Self.set("b", "", labels: "{kind: b}", namespace: "shop").replacing("nets: []", with: "allowedEgressDomains: [b.com]"), file: "s") == [])
    let judge = Judge(policies: policies, inventory: inventory(shopInventory))
    let both = judge.judge(pod("shop", "web-1"), try destination(Self.external, 443, .tcp, name("a.com", .confirmed), name("b.com", .confirmed, .httpHost)))
    #expect(both.by.map(\.rule) == [0, 1])
    let other = judge.judge(pod("shop", "web-1"), try destination(Self.external, 443, .tcp, name("a.com", .confirmed), name("c.com", .confirmed, .httpHost)))
    #expect(other.reason == "CalicoNetworkPolicy/shop/p#0: name c.com does not match a.com")
  }

  // Manifests.

  @Test(arguments: [
    ("egress: [{}]", "spec.egress[0].action", "missing"), ("egress: [{action: allow}]", "spec.egress[0].action", "none of Allow"), ("egress: [{action: Allow, proto: TCP}]", "spec.egress[0].proto", "unknown field"),
    ("egress: [{action: Allow, protocol: tcp}]", "spec.egress[0].protocol", "none of TCP"), ("egress: [{action: Allow, protocol: 0}]", "spec.egress[0].protocol", "not between"),
    ("egress: [{action: Allow, ipVersion: 5}]", "spec.egress[0].ipVersion", "no IP version"), ("egress: [{action: Allow, protocol: ICMP, ipVersion: 6}]", "spec.egress[0].ipVersion", "IPv4"),
    ("egress: [{action: Allow, icmp: {type: 8}}]", "spec.egress[0].icmp", "not ICMP"), ("egress: [{action: Allow, protocol: ICMP, icmp: {code: 0}}]", "spec.egress[0].icmp.code", "goes with a type"),
    ("egress: [{action: Allow, destination: {ports: [80]}}]", "spec.egress[0].destination.ports", "no ports"), ("egress: [{action: Allow, protocol: TCP, destination: {ports: ['90:80']}}]", "spec.egress[0].destination.ports[0]", "greater"),
    ("egress: [{action: Allow, protocol: TCP, destination: {ports: ['a b']}}]", "spec.egress[0].destination.ports[0]", "is no port"), ("egress: [{action: Allow, protocol: TCP, destination: {ports: [70000]}}]", "spec.egress[0].destination.ports[0]", "not between"),
    ("egress: [{action: Allow, destination: {nets: [10.0.0.0/8, '::/0']}}]", "spec.egress[0].destination.nets", "both IPv4 and IPv6"), ("egress: [{action: Allow, ipVersion: 6, destination: {notNets: [10.0.0.0/8]}}]", "spec.egress[0].destination.notNets", "both"),
    ("egress: [{action: Allow, destination: {nets: [10.0.0.0]}}]", "spec.egress[0].destination.nets[0]", "no prefix length"), ("egress: [{action: Allow, destination: {selector: 'a'}}]", "spec.egress[0].destination.selector", "no selector"),
    ("egress: [{action: Allow, destination: {selector: global()}}]", "spec.egress[0].destination.selector", "namespaceSelector"), ("egress: [{action: Allow, destination: {namespaceSelector: 'global() || all()'}}]", "spec.egress[0].destination.namespaceSelector", "alone"),
    ("egress: [{action: Allow, destination: {namespaceSelector: 'x ='}}]", "spec.egress[0].destination.namespaceSelector", "no selector"), ("egress: [{action: Allow, http: {methods: [GET]}}]", "spec.egress[0].http", "no HTTP"),
    ("egress: [{action: Allow, destination: {services: {name: a}, nets: [10.0.0.0/8]}}]", "spec.egress[0].destination.services", "does not go with"), ("egress: [{action: Allow, source: {services: {name: a}}}]", "spec.egress[0].source.services", "other end"),
    ("egress: [{action: Allow, destination: {domains: [a.com]}}]", "spec.egress[0].destination.domains", "unknown field"), ("types: [Egress, Egress]", "spec.types", "twice"), ("types: []", "spec.types", "empty"),
    ("order: high", "spec.order", "a number is expected"), ("namespaceSelector: all()", "spec.namespaceSelector", "unknown field"), ("ingress: [{action: Maybe}]", "spec.ingress[0].action", "none of"), ("stagedAction: Set", "spec.stagedAction", "unknown field"),
  ])
  func `a policy that cannot mean what it says is refused`(_ spec: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(Self.policy(spec), file: "f.yaml")
    #expect(errors.map(\.path) == [path], "\(errors)")
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
    #expect(policies.isEmpty)
  }

  @Test(arguments: [
    (tier("default", "order: 5"), "spec.order", "built in"), (tier("x", "defaultAction: Allow"), "spec.defaultAction", "none of Deny"), (set("x", "10.0.0.0/33", labels: "{}"), "spec.nets[0]", "no address block"),
    (set("x", "10.0.0.1", labels: "{projectcalico.org/namespace: a}"), "metadata.labels", "own label"), (global("egress: [{action: Allow, destination: {services: {name: a}}}]"), "spec.egress[0].destination.services.namespace", "missing"),
    (global("stagedAction: Delete, egress: [{action: Allow}]").replacing("kind: Global", with: "kind: StagedGlobal"), "spec.stagedAction", "no rules"),
    (stagedNetworkPolicy("stagedAction: Maybe"), "spec.stagedAction", "none of Set"), (stagedNetworkPolicy("egress: [{to: [{}]}]"), "spec.egress[0].to[0]", "names nobody"),
  ])
  func `the same goes for tiers, sets, global and staged policies`(_ text: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(text, file: "f.yaml")
    #expect(errors.map(\.path) == [path], "\(errors)")
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
  }

  @Test(arguments: [
    ("{action: Allow}", "to any destination", "any destination, every port"), ("{action: Allow, protocol: UDP, destination: {ports: [53]}}", "to any destination ports 53/udp", "any destination"),
    ("{action: Allow, destination: {nets: [10.0.0.0/8]}}", "to 10.0.0.0/8", nil), ("{action: Allow, protocol: TCP, destination: {nets: [0.0.0.0/0], ports: [443]}}", "to 0.0.0.0/0 ports 443/tcp", "0.0.0.0/0 is every IPv4 address"),
    ("{action: Deny, destination: {notNets: [10.0.0.0/8]}}", "deny to any destination except 10.0.0.0/8", nil), ("{action: Allow, destination: {notNets: [10.0.0.0/8]}}", "to any destination except 10.0.0.0/8", "any destination but 10.0.0.0/8"),
    ("{action: Pass, ipVersion: 6, source: {selector: has(a)}}", "pass to any destination over IPv6 from (projectcalico.org/namespace == \"shop\" && has(a))", nil),
    ("{action: Allow, protocol: ICMP, icmp: {type: 8}, destination: {services: {name: cart}}}", "to service shop/cart icmp type 8", nil),
  ] as [(String, String, String?)])
  func `a rule is described in a line, with what is wide about it`(_ rule: String, _ summary: String, _ width: String?) {
    let rules = policySet(Self.policy("egress: [\(rule)]")).rules
    #expect(rules.map(\.summary) == [summary])
    #expect(rules.map(\.width) == [width])
    #expect(rules.map(\.denies) == [!rule.contains("Allow")])
  }
}
