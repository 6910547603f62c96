import Drift
import EgressModel
import Policy
import Testing

@Suite struct FindingDetectorTests {
  private func findings(_ endpoint: Endpoint, isNew: Bool = false, judged: Bool = true) throws -> [Finding] {
    var endpoint = endpoint
    if judged { endpoint.verdict = try Shop.judge().judge(endpoint.workload, endpoint.destination) }
    return FindingDetector(rules: try Shop.policies().rules, catalogue: try Shop.vendors()).findings(in: endpoint, isNew: isNew)
  }

  private func kinds(_ endpoint: Endpoint, isNew: Bool = false, judged: Bool = true) throws -> [FindingKind] {
    try findings(endpoint, isNew: isNew, judged: judged).map(\.kind)
  }

  @Test func `what a rule names is no news, even the first time`() throws {
    #expect(try kinds(Shop.endpoint(Shop.web, "203.0.113.9", name: Shop.name("a.example")), isNew: true) == [])
    #expect(try kinds(Shop.endpoint(Shop.pay, "192.0.2.1", name: Shop.name("api.stripe.example")), isNew: true) == [])
  }

  @Test func `an endpoint used for the first time is new unless it was declared`() throws {
    let finding = try #require(try findings(Shop.endpoint(Shop.free, "192.0.2.1", name: Shop.name("api.segment.example")), isNew: true, judged: false).first)
    #expect(finding.kind == .new)
    #expect(finding.severity == .warning)
    #expect(finding.title == "shop/free talks to api.segment.example:443 for the first time")
    #expect(finding.reason == nil)
    #expect(try kinds(Shop.endpoint(Shop.free, "192.0.2.1", name: Shop.name("a.example")), isNew: true) == [.new, .unprotected])
    #expect(try kinds(Shop.endpoint(Shop.free, "192.0.2.1", name: Shop.name("a.example")), isNew: false, judged: false) == [])
  }

  @Test func `a denied endpoint is reached when it was answered, else blocked`() throws {
    let reached = try #require(try findings(Shop.endpoint(Shop.web, "192.0.2.1", name: Shop.name("a.example")), isNew: true).last)
    #expect(reached.kind == .denied)
    #expect(reached.enforcement == .reached)
    #expect(reached.severity == .critical)
    #expect(reached.rule?.policy == "NetworkPolicy/shop/web")
    #expect(reached.reason?.isEmpty == false)
    let new = try #require(try findings(Shop.endpoint(Shop.web, "192.0.2.1", name: Shop.name("a.example")), isNew: true).first)
    #expect(new.reason?.hasPrefix("no rule allows it (nearest netpol/shop/web#") == true)

    let blocked = try #require(try findings(Shop.endpoint(Shop.web, "192.0.2.1", name: Shop.name("a.example"), answered: 0)).last)
    #expect(blocked.enforcement == .blocked)
    #expect(blocked.severity == .warning)
  }

  @Test func `only wide rules are wide, and say why`() throws {
    let finding = try #require(try findings(Shop.endpoint(Shop.web, "192.0.2.1", 8443, name: Shop.name("a.example"))).first)
    #expect(finding.kind == .wide)
    #expect(finding.reason?.hasPrefix("0.0.0.0/0") == true)
    #expect(finding.reason?.hasSuffix("(netpol/shop/web#1)") == true)
    #expect(try kinds(Shop.endpoint(Shop.web, "192.0.2.1", 8443, name: Shop.name("a.example")), isNew: true) == [.new, .wide])
  }

  @Test(arguments: [
    ("x.cdn.example", "*.cdn.example is shared by many tenants"), ("shop.co.uk", "*.co.uk is shared by many registrants"),
  ])
  func `a wildcard that unrelated tenants share is wide`(name: String, reason: String) throws {
    let finding = try #require(try findings(Shop.endpoint(Shop.pay, "192.0.2.1", name: Shop.name(name))).first)
    #expect(finding.kind == .wide)
    #expect(finding.reason?.hasPrefix(reason) == true)
  }

  @Test func `an allowing rule that is not wide outweighs a wide one`() throws {
    var endpoint = try Shop.endpoint(Shop.web, "203.0.113.9", name: Shop.name("a.example"))
    let wide = RuleReference(policy: "NetworkPolicy/shop/web", rule: 1)
    let narrow = RuleReference(policy: "NetworkPolicy/shop/web", rule: 0)
    endpoint.verdict = Verdict(decision: .allowed, by: [wide, narrow])
    #expect(try kinds(endpoint, judged: false) == [])
    endpoint.verdict = Verdict(decision: .allowed, by: [wide])
    #expect(try kinds(endpoint, judged: false) == [.wide])
    endpoint.verdict = Verdict(decision: .allowed, by: [])
    #expect(try kinds(endpoint, judged: false) == [])
  }

  @Test(arguments: [
    (nil, Application.tls, TLSFacts.ECH.none, NamingGap.noSNI), (nil, .quic, .none, .noSNI), (nil, .tls, .outer, .encryptedHello),
    (Shop.name("ech.example"), .tls, .outer, .encryptedHello), (Shop.name("203.0.113.1", .httpHost), .http, .none, .addressLiteral),
    (nil, .http, .none, .addressLiteral), (nil, .dns, .none, .addressLiteral), (nil, .ssh, .none, .neverLookedUp),
    (Shop.name("p.example", .ptr, .hint), .ssh, .none, .neverLookedUp), (Shop.name("p.example", .dns, .hint), .tls, .none, .noSNI),
    (Shop.name("real.example", .dns, .resolved), .tls, .outer, nil), (Shop.name("a.example", .dns, .shared), .ssh, .none, nil),
    (Shop.name("a.example"), .tls, .grease, nil),
  ] as [(NameEvidence?, Application, TLSFacts.ECH, NamingGap?)])
  func `an endpoint without a proven name says why`(name: NameEvidence?, application: Application, ech: TLSFacts.ECH, gap: NamingGap?) throws {
    let endpoint = try Shop.endpoint(Shop.web, "203.0.113.9", name: name, application: application, ech: ech)
    #expect(endpoint.namingGap == gap)
    let findings = try findings(endpoint)
    #expect(findings.map(\.kind) == (gap == nil ? [] : [.unnamed]))
    #expect(findings.first?.reason == gap?.rawValue)
  }

  @Test(arguments: [("dot", true), ("doh", true), ("doq", true), ("dns", false), ("tls", false)])
  func `an encrypted resolver is reported when it was recognised`(application: String, isReported: Bool) throws {
    let endpoint = try Shop.endpoint(
      Shop.web, "203.0.113.9", 853, name: Shop.name("dns.example", .dns, .resolved), application: Application(rawValue: application))
    #expect(try kinds(endpoint, judged: false) == (isReported ? [.encryptedDNS] : []))
  }

  @Test(arguments: [
    (Scope.external, [FindingKind.new, .denied, .unnamed]), (.private, [.new, .denied]), (.cluster, [.denied]), (.node, [.denied]), (.local, []),
  ])
  func `findings are about third parties, denied about everything but the host itself`(scope: Scope, kinds: [FindingKind]) throws {
    var endpoint = try Shop.endpoint(Shop.web, "192.0.2.1", scope: scope)
    endpoint.verdict = Verdict(decision: .denied)
    #expect(try self.kinds(endpoint, isNew: true, judged: false) == kinds)
    endpoint.verdict = Verdict(decision: .unprotected)
    #expect(try self.kinds(endpoint, judged: false).contains(.unprotected) == (scope == .external || scope == .private))
  }

  @Test func `a flow is judged like its endpoint and is its own sample`() throws {
    let address = try #require(IPAddress("192.0.2.7"))
    var flow = FlowRecord(
      id: 1, start: Timestamp(seconds: 5), end: Timestamp(seconds: 6), transport: .tcp,
      source: SocketAddress(ip: try #require(IPAddress("10.0.0.1")), port: 40000), destination: SocketAddress(ip: address, port: 443),
      out: FlowCounters(packets: 3, bytes: 300), in: FlowCounters(packets: 2, bytes: 200), state: .refused,
      names: [Shop.name("a.example"), Shop.name("b.example", .dns, .shared)])
    flow.verdict = Verdict(decision: .denied, reason: "port 443 is not 80")
    let detector = FindingDetector()
    let findings = detector.findings(detector.kinds(in: flow, isNew: true), in: flow)
    #expect(findings.map(\.kind) == [.new, .denied])
    #expect(findings.allSatisfy { $0.samples == [flow] && $0.destination?.names == flow.names && $0.workload?.kind == .address })
    #expect(findings.last?.enforcement == .blocked)
    #expect(findings.last?.reason == "port 443 is not 80")
    #expect(findings.last?.bytes == FlowCounterPair(out: 300, in: 200))
  }

  @Test func `what another name's rule let through is a bypass, unless nothing came back`() throws {
    var endpoint = try Shop.endpoint(Shop.web, "192.0.2.1", name: Shop.name("evil.example"))
    let rule = RuleReference(policy: "CiliumNetworkPolicy/shop/web", rule: 2)
    endpoint.verdict = Verdict(decision: .denied, reason: "no rule names evil.example", bypass: rule)
    let finding = try #require(try findings(endpoint, judged: false).first)
    #expect(finding.kind == .bypass)
    #expect(finding.severity == .critical)
    #expect(finding.rule == rule)
    #expect(finding.reason?.contains("web#2 allows another name of 192.0.2.1") == true)
    endpoint.answered = 0
    #expect(try kinds(endpoint, judged: false) == [.denied])
  }

  @Test(arguments: FlowState.allCases)
  func `a refusal is no answer`(state: FlowState) {
    #expect(state.isAnswered == ![FlowState.attempted, .unanswered, .refused].contains(state))
  }

  @Test func `rules are abbreviated as kubectl does`() {
    #expect(RuleReference(policy: "NetworkPolicy/shop/web", rule: 1).shortName == "netpol/shop/web#1")
    #expect(RuleReference(policy: "EgressPolicy/shop/pay", rule: 0).shortName == "EgressPolicy/shop/pay#0")
  }
}
