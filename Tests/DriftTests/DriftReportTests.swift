import Drift
import EgressModel
import Policy
import Testing

@Suite struct DriftReportTests {
  private static let coverage = Coverage(
    from: Timestamp(seconds: 0), until: Timestamp(seconds: 3600), packets: 100, restarts: 2,
    gaps: [.init(from: Timestamp(seconds: 0), until: Timestamp(seconds: 36), reason: "not running")],
    // Counted anew from the endpoints.
    externalFlows: 77, unnamedFlows: 77, externalBytes: 77, unnamedBytes: 77)

  private func report(_ endpoints: [Endpoint], judge: Judge? = try? Shop.judge(), isWholeWindow: Bool = true, isNew: Bool = false) throws -> DriftReport {
    DriftReport(
      endpoints: endpoints, judge: judge, policies: try Shop.policies(), coverage: Self.coverage, catalogue: try Shop.vendors(),
      isWholeWindow: isWholeWindow, isNew: { _, _ in isNew })
  }

  @Test func `addresses of one name and pods of one controller fold into one line`() throws {
    var other = Shop.web
    other.name = "web-2"
    let name = Shop.name("a.example")
    let report = try report(
      [
        Shop.endpoint(Shop.web, "192.0.2.1", name: name, flows: 2, answered: 0, bytes: 5000, at: 200),
        Shop.endpoint(Shop.web, "192.0.2.2", name: name, flows: 3, answered: 1, bytes: 70, at: 100),
        Shop.endpoint(Shop.web, "192.0.2.3", name: name, flows: 1, answered: 0, bytes: 30, at: 400),
        Shop.endpoint(Shop.web, "192.0.2.1", 80, name: name),
        Shop.endpoint(Shop.web, "192.0.2.1", name: name, transport: .udp),
        Shop.endpoint(Shop.web, "192.0.2.1", name: Shop.name("p.example", .ptr, .hint)),
        Shop.endpoint(Shop.web, "192.0.2.2", name: Shop.name("p.example", .ptr, .hint)),
      ], isWholeWindow: false)
    let denied = report.findings.filter { $0.kind == .denied }
    #expect(denied.count == 5, "name:443/tcp, name:80, name:443/udp and two addresses that only hints name")
    let folded = try #require(denied.first { $0.flows == 6 })
    #expect(folded.enforcement == .reached, "one of its addresses was")
    #expect(folded.severity == .critical)
    #expect(folded.bytes == FlowCounterPair(out: 5100, in: 30))
    #expect(folded.firstSeen == Timestamp(seconds: 100))
    #expect(folded.lastSeen == Timestamp(seconds: 450))
    #expect(folded.destination?.address.description == "192.0.2.2")
    #expect(report.subjects.count == 5)
  }

  @Test func `the gravest comes first, then the kind, then the bytes`() throws {
    let report = try report(
      [
        Shop.endpoint(Shop.free, "192.0.2.1", name: Shop.name("small.example"), bytes: 10),
        Shop.endpoint(Shop.free, "192.0.2.1", name: Shop.name("big.example"), bytes: 10_000),
        Shop.endpoint(Shop.web, "192.0.2.1", 9, name: Shop.name("blocked.example"), answered: 0),
        Shop.endpoint(Shop.web, "192.0.2.1", 9, name: Shop.name("reached.example")),
      ], isWholeWindow: false)
    #expect(
      report.findings.map { "\($0.kind) \($0.destination?.provenName?.name.text ?? "")" } == [
        "denied reached.example", "denied blocked.example", "unprotected big.example", "unprotected small.example",
      ])
  }

  @Test func `a rule that nothing used is stale, with how well the window was covered`() throws {
    let used = try report([Shop.endpoint(Shop.web, "203.0.113.9", name: Shop.name("a.example"))])
    let stale = used.findings.filter { $0.kind == .stale }
    #expect(stale.compactMap(\.rule).map(\.shortName) == ["EgressPolicy/shop/pay#0", "EgressPolicy/shop/pay#1", "netpol/shop/web#1", "netpol/shop/web#2"])
    #expect(stale.first?.reason == "0 hits in 60m, 99% watched, 2 restarts covered, none of its workloads seen")
    #expect(stale.last?.reason == "0 hits in 60m, 99% watched, 2 restarts covered, 1 of its workloads seen (1 pod)")
    #expect(stale.first?.workload == nil)
    // One that only denies is as it should be.
    #expect(used.rules.keys.contains { $0.policy == "EgressFirewall/other/default" })
    #expect(used.rules[try #require(stale.last?.rule)]?.file == "policies/shop.yaml")
  }

  @Test func `a stale rule tells of the pods and the schedules that were seen under its policy`() throws {
    var nightly = Shop.web
    (nightly.name, nightly.owner) = ("web-2", .init(kind: "CronJob", name: "nightly"))
    let endpoints = try [Shop.web, nightly].map { try Shop.endpoint($0, "203.0.113.9") }
    let stale = try report(endpoints.map { endpoint in
      var endpoint = endpoint
      endpoint.verdict = Verdict(decision: .allowed, selectedBy: ["NetworkPolicy/shop/web"])
      return endpoint
    }, judge: nil).findings.filter { $0.rule?.policy == "NetworkPolicy/shop/web" }
    #expect(stale.first?.reason == "0 hits in 60m, 99% watched, 2 restarts covered, 2 of its workloads seen (2 pods; by schedule shop/nightly)")
  }

  @Test func `a wide rule tells what it was really used for`() throws {
    let wide = try report(
      ["a", "b", "c", "d"].map { try Shop.endpoint(Shop.web, "192.0.2.1", 8443, name: Shop.name("\($0).example")) }
        + [Shop.endpoint(Shop.pay, "192.0.2.1", name: Shop.name("x.co.uk"))], isWholeWindow: false
    ).findings.filter { $0.kind == .wide }
    #expect(Set(wide.compactMap(\.reason)) == [
      "0.0.0.0/0 is every IPv4 address (netpol/shop/web#1); really used for a.example:8443, b.example:8443 and 2 more",
      "*.co.uk is shared by many registrants (EgressPolicy/shop/pay#1); really used for x.co.uk:443",
    ])
  }

  @Test func `what has no name may have been looked up where nobody sees it`() throws {
    let report = try report([
      Shop.endpoint(Shop.web, "203.0.113.9", application: nil), Shop.endpoint(Shop.free, "203.0.113.8", application: nil),
      Shop.endpoint(Shop.web, "203.0.113.7", 853, name: Shop.name("dns.example"), application: .dot),
    ], isWholeWindow: false)
    let reasons = report.findings.filter { $0.kind == .unnamed }.map { "\($0.workload?.name ?? "") \($0.reason ?? "")" }
    #expect(Set(reasons) == ["web-1 never looked up, encrypted DNS in use", "free never looked up"])
  }

  @Test func `use inside of the cluster is use`() throws {
    let report = try report([Shop.endpoint(Shop.web, "203.0.113.9", scope: .cluster)])
    #expect(!report.findings.contains { $0.kind == .stale && $0.rule?.description == "NetworkPolicy/shop/web#0" })
  }

  @Test func `nothing is said of unused rules when endpoints were left out`() throws {
    #expect(try report([], isWholeWindow: false).findings.isEmpty)
    #expect(try report([]).findings.count == 5)
  }

  @Test func `without a judge the stored verdict is taken`() throws {
    var endpoint = try Shop.endpoint(Shop.web, "203.0.113.9", name: Shop.name("a.example"))
    endpoint.verdict = Verdict(decision: .denied)
    let report = DriftReport(endpoints: [endpoint], judge: nil, policies: nil, coverage: Self.coverage) { _, _ in false }
    #expect(report.findings.map(\.kind) == [.denied])
  }

  @Test func `shares of third parties are counted from the endpoints`() throws {
    let report = try report([
      Shop.endpoint(Shop.web, "203.0.113.9", name: Shop.name("a.example"), flows: 3, bytes: 90),
      Shop.endpoint(Shop.web, "203.0.113.8", flows: 2, bytes: 40),
      Shop.endpoint(Shop.web, "10.0.0.8", scope: .private, flows: 2, bytes: 40),
      Shop.endpoint(Shop.web, "203.0.113.7", 853, name: Shop.name("dns.example"), application: Application(rawValue: "dot"), flows: 1, bytes: 0),
      Shop.endpoint(Shop.web, "203.0.113.6", 853, name: Shop.name("dns.example"), application: Application(rawValue: "dot"), flows: 1, bytes: 0),
    ])
    #expect(report.coverage.externalFlows == 7)
    #expect(report.coverage.unnamedFlows == 2)
    #expect(report.coverage.externalBytes == 90 + 40 + 40)
    #expect(report.coverage.unnamedBytes == 50)
    #expect(report.coverage.encryptedDNSClients == ["shop/web"])
  }

  @Test func `sums of absurd counters do not trap`() throws {
    let endpoint = try Shop.endpoint(Shop.web, "192.0.2.1", flows: .max, bytes: .max)
    let report = try report([endpoint, endpoint])
    #expect(report.findings.first?.flows == .max)
    #expect(report.vendors.first?.bytes.out == .max)
  }

  @Test func `samples are asked for once a finding and are three at most`() throws {
    var report = try report([Shop.endpoint(Shop.web, "192.0.2.1", name: Shop.name("a.example"))])
    let flow = FlowRecord(
      id: 1, start: Timestamp(seconds: 0), end: Timestamp(seconds: 0), transport: .tcp, source: SocketAddress(ip: IPAddress(v4: 1)),
      destination: SocketAddress(ip: IPAddress(v4: 2)), out: FlowCounters(), in: FlowCounters(), state: .closed)
    var asked = 0
    report.attachSamples { _ in
      asked += 1
      return [flow, flow, flow, flow]
    }
    #expect(asked == 1, "not for stale rules")
    #expect(report.findings.first?.samples.count == 3)
  }

  @Test func `vendors are summed by catalogue, then by registrable domain, and what nothing names stands alone`() throws {
    let report = try report([
      Shop.endpoint(Shop.pay, "192.0.2.1", name: Shop.name("api.stripe.example"), flows: 9, bytes: 900),
      Shop.endpoint(Shop.pay, "192.0.2.2", name: Shop.name("js.stripe.example", .dns, .resolved), flows: 1, bytes: 100),
      Shop.endpoint(Shop.web, "192.0.2.3", 8443, name: Shop.name("a.unknown.co.uk"), bytes: 50),
      Shop.endpoint(Shop.free, "192.0.2.3", name: Shop.name("b.unknown.co.uk"), bytes: 50),
      Shop.endpoint(Shop.web, "203.0.113.3", flows: 3, bytes: 20),
      Shop.endpoint(Shop.web, "203.0.113.4", name: Shop.name("outer.stripe.example"), ech: .outer, flows: 1, bytes: 20),
      Shop.endpoint(Shop.web, "10.0.0.3", scope: .private),
      Shop.endpoint(Shop.web, "10.1.0.3", name: Shop.name("web.shop.svc"), scope: .cluster),
      Shop.endpoint(Shop.pay, "10.2.0.3", name: Shop.name("git.corp.example"), scope: .private, bytes: 1),
    ])
    #expect(report.vendors.map(\.title) == ["Stripe", "unknown.co.uk", "(unnamed)", "corp.example"])
    let stripe = report.vendors[0]
    #expect(stripe.category == "payments")
    #expect(stripe.domain?.text == "stripe.example")
    #expect(stripe.flows == 10)
    #expect(stripe.bytes.out == 1000)
    #expect(stripe.namedBy == [.tlsSNI: 9, .dns: 1])
    #expect(stripe.standing == .denied, "js.stripe.example is not allowed")
    #expect(report.vendors[1].workloads == ["shop/Deployment/web", "shop/pod/free"])
    #expect(report.vendors[1].standing == .unprotected, "graver than wide")
    #expect(report.vendors[2].unnamed == [.noSNI: 3, .encryptedHello: 1])
    #expect(report.vendors[2].standing == .allowed(RuleReference(policy: "NetworkPolicy/shop/web", rule: 0)))
  }

  @Test func `a window of no length is wholly watched`() {
    var coverage = Self.coverage
    coverage.until = coverage.from
    #expect(coverage.watchedShare == 1)
    #expect(Self.coverage.watchedShare == 0.99)
  }
}
