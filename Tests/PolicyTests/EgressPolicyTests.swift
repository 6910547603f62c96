import EgressModel
import Testing

@testable import Policy

@Suite struct EgressPolicyTests {
  func policy(_ allow: String, select: String = "pods: {podSelector: {matchLabels: {app: web}}}", metadata: String = "{name: web, namespace: shop}") -> String {
    "apiVersion: egress-obs.dev/v1\nkind: EgressPolicy\nmetadata: \(metadata)\nspec:\n  select: {\(select)}\n  allow: \(allow)\n"
  }

  @Test(arguments: [
    ("api.example.com", "api.example.com", true), ("API.Example.com.", "api.example.com", true), ("api.example.com", "API.EXAMPLE.COM.", true),
    ("api.example.com", "xapi.example.com", false), ("example.com", "api.example.com", false),
    ("*.example.com", "api.example.com", true), ("*.example.com", "eu.api.example.com", false), ("*.example.com", "example.com", false),
    ("*.example.com", ".example.com", false), ("*.example.com", "badexample.com", false), ("*.example.com", "a.b.example.com.", false),
    ("**.example.com", "api.example.com", true), ("**.example.com", "eu.api.example.com", true), ("**.example.com", "example.com", false),
    ("**.example.com", "badexample.com", false), ("*", "localhost", true), ("*", "a.b", false), ("**", "a.b.c", true), ("**", ".", false), ("*", ".", false),
    ("_dmarc.example.com", "_dmarc.example.com", true), ("*.example.com", "a\\046b.example.com", true),
  ])
  func `a name pattern matches whole labels`(_ pattern: String, _ name: String, _ matches: Bool) throws {
    #expect(try #require(NamePattern(pattern)).matches(DomainName(presentation: name)) == matches)
  }

  @Test(arguments: ["", ".", "a..b", "a.*.b", "a*.b", "*a.b", "***.a", "*.*.a", "a b.c", "https://a.b", "a.b:443", "ä.example", String(repeating: "a", count: 64) + ".b",
    String(repeating: "a.", count: 127) + "bc"])
  func `what is no name pattern is refused`(_ pattern: String) {
    #expect(NamePattern(pattern) == nil)
  }

  @Test(arguments: [
    ("a*c", "abc", true), ("a*c", "ac", true), ("a*c", "acb", false), ("*", "", true), ("app-*.service", "app-x.service", true), ("app-*.service", "app-.servic", false),
    ("a?c", "abc", true), ("a?c", "ac", false), ("*a*b*", "xxaxxbxx", true), ("*a*b", "aXbXa", false), ("", "", true), ("", "a", false), ("**", "abc", true),
  ])
  func `a glob matches the whole text`(_ pattern: String, _ text: String, _ matches: Bool) {
    #expect(Glob(pattern).matches(text) == matches)
  }

  @Test func `a glob of many stars takes no exponential time`() {
    #expect(!Glob(String(repeating: "*a", count: 200) + "b").matches(String(repeating: "a", count: 5000)))
  }

  static let verdicts: [(allow: String, port: UInt16?, transport: Transport, names: [NameEvidence], allowed: Bool, reason: String?)] = [
    ("[{names: [api.stripe.com]}]", 443, .tcp, [name("api.stripe.com", .confirmed)], true, nil),
    ("[{names: [api.stripe.com]}]", 443, .tcp, [name("api.stripe.com", .resolved, .dns)], true, nil),
    ("[{names: [api.stripe.com]}]", 443, .tcp, [name("other.com", .shared, .dns), name("api.stripe.com", .shared, .dns)], true, nil),
    // What was said in the connection decides alone.
    ("[{names: [api.stripe.com]}]", 443, .tcp, [name("evil.example", .confirmed), name("api.stripe.com", .resolved, .dns)], false,
      "EgressPolicy/shop/web#0: name evil.example does not match api.stripe.com"),
    ("[{names: [api.stripe.com]}]", 443, .tcp, [name("api.stripe.com", .confirmed), name("evil.example", .confirmed, .httpHost)], false,
      "EgressPolicy/shop/web#0: name evil.example does not match api.stripe.com"),
    ("[{names: [a.com]}, {names: [b.com]}]", 443, .tcp, [name("a.com", .confirmed), name("b.com", .confirmed, .httpHost)], true, nil),
    // A hint is no evidence, and neither is a canonical name.
    ("[{names: [api.stripe.com]}]", 443, .tcp, [name("api.stripe.com", .hint, .ptr)], false,
      "EgressPolicy/shop/web#0: only a hint (ptr api.stripe.com) names 203.0.113.9, which cannot match api.stripe.com"),
    ("[{names: [api.stripe.com, '*.b.com']}]", 443, .tcp, [], false,
      "EgressPolicy/shop/web#0: nothing names 203.0.113.9, so it cannot match api.stripe.com or another name"),
    ("[{names: [cdn.example]}]", 443, .tcp,
      [NameEvidence(name: DomainName(presentation: "a.com"), source: .dns, confidence: .resolved, chain: [DomainName(presentation: "cdn.example")])], false,
      "EgressPolicy/shop/web#0: name a.com does not match cdn.example"),
    // Blocks.
    ("[{cidrs: [203.0.113.0/24]}]", 443, .tcp, [], true, nil), ("[{cidrs: [203.0.113.0/24]}]", 443, .tcp, [name("evil.example", .confirmed)], true, nil),
    ("[{cidrs: [203.0.113.0/24], except: [203.0.113.8/31]}]", 443, .tcp, [], false, "EgressPolicy/shop/web#0: 203.0.113.9 is in except 203.0.113.8/31"),
    ("[{cidrs: ['2001:db8::/32', 10.0.0.0/8]}]", 443, .tcp, [], false, "EgressPolicy/shop/web#0: 203.0.113.9 is not in 2001:db8::/32, 10.0.0.0/8"),
    ("[{names: [a.com], cidrs: [203.0.113.9/32]}]", 443, .tcp, [name("b.com", .confirmed)], true, nil),
    ("[{names: [a.com], cidrs: [203.0.113.8/32]}]", 443, .tcp, [name("b.com", .confirmed)], false,
      "EgressPolicy/shop/web#0: name b.com does not match a.com, and 203.0.113.9 is not in 203.0.113.8/32"),
    // Ports and transports.
    ("[{ports: [443, 8000-8100]}]", 8100, .udp, [], true, nil), ("[{ports: ['443', \"8000-8100\"]}]", 443, .tcp, [], true, nil),
    ("[{ports: [443]}]", 444, .tcp, [], false, "EgressPolicy/shop/web#0: port 444/tcp is not 443/tcp|udp|sctp"),
    ("[{ports: [443], transports: [tcp]}]", 443, .udp, [], false, "EgressPolicy/shop/web#0: port 443/udp is not 443/tcp"),
    ("[{ports: [443]}]", nil, .icmp, [], false, "EgressPolicy/shop/web#0: icmp is not 443/tcp|udp|sctp"),
    ("[{transports: [icmp]}]", nil, .icmp, [], true, nil), ("[{transports: [icmp]}]", nil, .icmpv6, [], true, nil),
    ("[{transports: [icmp, udp]}]", 1, .tcp, [], false, "EgressPolicy/shop/web#0: port 1/tcp is not icmp, udp"),
    ("[{transports: [any]}]", nil, Transport(rawValue: 47), [], true, nil), ("[{transports: [any], ports: [5]}]", 5, .sctp, [], true, nil), ("[{}]", 9, .tcp, [], true, nil),
    // Nothing.
    ("[]", 443, .tcp, [], false, "EgressPolicy/shop/web selects the workload and allows nothing"),
    ("null", 443, .tcp, [], false, "EgressPolicy/shop/web selects the workload and allows nothing"),
    // The nearest rule: destination before port, a name that resembles before one that does not.
    ("[{names: [a.com], ports: [443]}, {names: ['*.segment.com'], ports: [443]}]", 443, .tcp, [name("api.segment.io", .confirmed)], false,
      "EgressPolicy/shop/web#1: name api.segment.io does not match *.segment.com"),
    ("[{names: [a.com], ports: [80]}, {names: [b.com], ports: [443]}]", 443, .tcp, [name("a.com", .confirmed)], false,
      "EgressPolicy/shop/web#0: port 443/tcp is not 80/tcp|udp|sctp"),
  ]

  @Test(arguments: verdicts.indices)
  func `a flow is judged by names, blocks, ports and transports`(_ index: Int) throws {
    let (allow, port, transport, names, allowed, reason) = Self.verdicts[index]
    let judge = Judge(policies: policySet(policy(allow)), inventory: inventory(shopInventory))
    var there = try destination("203.0.113.9", port, transport)
    there.names = names
    let verdict = judge.judge(pod("shop", "web-1"), there)
    #expect(verdict.decision == (allowed ? .allowed : .denied), "\(Self.verdicts[index])")
    #expect(verdict.reason == reason)
    #expect(judge.judge(pod("shop", "cart-1"), there).decision == .unprotected)
  }

  @Test func `two names said in one connection are told with the rules of both`() throws {
    let judge = Judge(policies: policySet(policy("[{names: [a.com]}, {names: [b.com]}]")), inventory: inventory(shopInventory))
    let verdict = judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", 443, .tcp, name("a.com", .confirmed), name("b.com", .confirmed, .httpHost)))
    #expect(verdict.by.map(\.rule) == [0, 1])
  }

  @Test(arguments: [
    ("pods: {}", "{name: x}", true, true, true), ("pods: {namespaces: [shop]}", "{name: x}", true, false, true), ("pods: {namespaces: ['sh*', nope]}", "{name: x}", true, false, true),
    ("pods: {namespaces: ['d?'], podSelector: {matchLabels: {app: pg}}}", "{name: x}", false, true, false), ("pods: {}", "{name: x, namespace: db}", false, true, false),
    ("hosts: {units: ['*']}", "{name: x}", false, false, false),
  ])
  func `pods are selected by namespace and labels, on the host network, too`(_ select: String, _ metadata: String, _ web: Bool, _ pg: Bool, _ agent: Bool) throws {
    let judge = Judge(policies: policySet(policy("[]", select: select, metadata: metadata)), inventory: inventory(shopInventory))
    let there = try destination("203.0.113.9", 443)
    for (workload, selected) in [(pod("shop", "web-1"), web), (pod("db", "pg-0"), pg), (pod("shop", "agent"), agent)] {
      #expect(judge.judge(workload, there).decision == (selected ? .denied : .unprotected), "\(workload.name)")
    }
  }

  @Test(arguments: [
    ("units: [nginx.service]", Workload(kind: .systemd, name: "nginx.service"), Verdict.Decision.denied), ("units: [nginx.service]", Workload(kind: .systemd, name: "ssh.service"), .unprotected),
    ("units: ['app-*.service']", Workload(kind: .systemd, name: "app-7.service"), .denied), ("units: ['*']", Workload(kind: .container, name: "worker"), .unprotected),
    ("containers: ['work*']", Workload(kind: .container, name: "worker"), .denied), ("units: ['*'], containers: ['*']", Workload(kind: .process, name: "curl"), .unprotected),
    ("units: ['*'], nodes: ['node-*']", Workload(kind: .systemd, name: "a.service", node: "node-1"), .denied),
    ("units: ['*'], nodes: ['node-*']", Workload(kind: .systemd, name: "a.service", node: "other"), .unprotected),
    ("units: ['*'], nodes: ['node-*']", Workload(kind: .systemd, name: "a.service"), .undecidable), ("units: ['*']", pod("shop", "web-1"), .unprotected),
  ])
  func `units and containers of hosts are selected by name and node`(_ hosts: String, _ workload: Workload, _ decision: Verdict.Decision) throws {
    let judge = Judge(policies: policySet(policy("[]", select: "hosts: {\(hosts)}", metadata: "{name: x}")), inventory: inventory(shopInventory))
    #expect(judge.judge(workload, try destination("203.0.113.9", 443)).decision == decision)
  }

  @Test func `a flow passes only if NetworkPolicy and EgressPolicy both let it`() throws {
    let policies = policySet(networkPolicy("[{ports: [{port: 443}]}]", select: "{matchLabels: {app: web}}"), policy("[{names: [a.com]}]"))
    let judge = Judge(policies: policies, inventory: inventory(shopInventory))
    let web = pod("shop", "web-1")
    let both = judge.judge(web, try destination("203.0.113.9", 443, .tcp, name("a.com", .confirmed)))
    #expect(both.decision == .allowed)
    #expect(both.by.map(\.policy) == ["EgressPolicy/shop/web", "NetworkPolicy/shop/p"])
    #expect(both.selectedBy == ["EgressPolicy/shop/web", "NetworkPolicy/shop/p"])
    #expect(judge.judge(web, try destination("203.0.113.9", 443, .tcp, name("b.com", .confirmed))).nearest?.policy == "EgressPolicy/shop/web")
    #expect(judge.judge(web, try destination("203.0.113.9", 80, .tcp, name("a.com", .confirmed))).nearest?.policy == "NetworkPolicy/shop/p")
    #expect(judge.judge(pod("shop", "cart-1"), try destination("203.0.113.9", 80)).decision == .unprotected)
  }

  @Test(arguments: [
    ("[]", "", "{name: x}", "spec.select", "selects nothing"), ("[]", "pods: {}, hosts: {units: ['*']}", "{name: x}", "spec.select", "exclude each other"),
    ("[]", "hosts: {units: ['*']}", "{name: x, namespace: z}", "spec.select.hosts", "no namespace"), ("[]", "hosts: {nodes: [a]}", "{name: x}", "spec.select.hosts", "selects nothing"),
    ("[]", "hosts: {units: []}", "{name: x}", "spec.select.hosts.units", "empty"), ("[]", "pods: {namespaces: [a]}", "{name: x, namespace: z}", "spec.select.pods.namespaces", "selects only there"),
    ("[]", "pods: {labels: {}}", "{name: x}", "spec.select.pods.labels", "unknown field"),
    ("[{names: [https://a.com]}]", "pods: {}", "{name: x}", "spec.allow[0].names[0]", "no domain name"), ("[{names: [10.0.0.1]}]", "pods: {}", "{name: x}", "spec.allow[0].names[0]", "is an address"),
    ("[{names: []}]", "pods: {}", "{name: x}", "spec.allow[0].names", "empty"), ("[{cidrs: [10.0.0.1]}]", "pods: {}", "{name: x}", "spec.allow[0].cidrs[0]", "no prefix length"),
    ("[{cidrs: [10.0.0.0/8], except: [11.0.0.0/16]}]", "pods: {}", "{name: x}", "spec.allow[0].except[0]", "strictly"),
    ("[{except: [11.0.0.0/16]}]", "pods: {}", "{name: x}", "spec.allow[0].except[0]", "strictly"),
    ("[{ports: [0]}]", "pods: {}", "{name: x}", "spec.allow[0].ports[0]", "not between"), ("[{ports: [90-80]}]", "pods: {}", "{name: x}", "spec.allow[0].ports[0]", "no port"),
    ("[{ports: [http]}]", "pods: {}", "{name: x}", "spec.allow[0].ports[0]", "no port"), ("[{ports: [443], transports: [icmp]}]", "pods: {}", "{name: x}", "spec.allow[0].transports", "no ports"),
    ("[{transports: [TCP]}]", "pods: {}", "{name: x}", "spec.allow[0].transports[0]", "none of tcp"), ("[{transports: [any, tcp]}]", "pods: {}", "{name: x}", "spec.allow[0].transports", "any stands for all"),
    ("[{deny: true}]", "pods: {}", "{name: x}", "spec.allow[0].deny", "unknown field"), ("[{note: 5}]", "pods: {}", "{name: x}", "spec.allow[0].note", "a string is expected"),
  ])
  func `a policy that cannot mean what it says is refused`(_ allow: String, _ select: String, _ metadata: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(policy(allow, select: select, metadata: metadata), file: "f.yaml")
    #expect(errors.map(\.path) == [path])
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
    #expect(policies.isEmpty)
  }

  @Test(arguments: [
    ("{names: [api.a.com, '*.b.com'], ports: [443, 8000-8100], transports: [tcp], note: pay}", "to api.a.com or *.b.com ports 443/tcp, 8000-8100/tcp", nil),
    ("{names: [api.a.com]}", "to api.a.com", "every port of api.a.com"), ("{names: ['*.com'], ports: [443]}", "to *.com ports 443/tcp|udp|sctp", "*.com is a whole top-level domain"),
    ("{names: ['**'], ports: [443]}", "to ** ports 443/tcp|udp|sctp", "** is every name"), ("{}", "to any destination", "any destination, every port"),
    ("{transports: [icmp]}", "to any destination ports icmp", "any destination, every port"),
    ("{cidrs: [10.0.0.0/8], except: [10.1.0.0/16]}", "to 10.0.0.0/8 except 10.1.0.0/16", nil), ("{cidrs: [0.0.0.0/0], ports: [53]}", "to 0.0.0.0/0 ports 53/tcp|udp|sctp", "0.0.0.0/0 is every IPv4 address"),
  ] as [(String, String, String?)])
  func `a rule is described in a line, with what is wide about it`(_ rule: String, _ summary: String, _ width: String?) {
    let rules = policySet(policy("[\(rule)]")).rules
    #expect(rules.map(\.summary) == [summary])
    #expect(rules.map(\.width) == [width])
    #expect(rules.first?.note == (rule.contains("note") ? "pay" : nil))
  }
}
