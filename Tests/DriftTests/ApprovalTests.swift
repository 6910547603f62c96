import Drift
import EgressModel
import Policy
import Testing

@Suite struct ApprovalTests {
  static let now = Timestamp(seconds: 1_800_000_000)

  static func approval(_ endpoint: String, _ workload: String = "shop/Deployment/web", owner: String = "growth", expires: Timestamp? = nil) throws -> Approval {
    Approval(endpoint: try #require(Approval.Endpoint(endpoint)), workload: workload, owner: owner, reason: "funnel: yes", ticket: "SEC-1", expires: expires, by: "ann")
  }

  @Test(arguments: [
    ("api.segment.io", "api.segment.io"), ("API.Segment.io.:443", "api.segment.io:443"), ("api.segment.io:443/tcp", "api.segment.io:443"),
    ("0.pool.ntp.org:123/udp", "0.pool.ntp.org:123/udp"), ("192.0.2.53:53/udp", "192.0.2.53:53/udp"), ("[2001:db8::1]:443", "[2001:db8::1]:443"),
    ("2001:db8::1", "2001:db8::1"), ("192.0.2.1/icmp", "192.0.2.1/icmp"), ("db_1.example.com/tcp", "db_1.example.com/tcp"),
  ])
  func `an endpoint is written as people write it, and read back as the same`(text: String, canonical: String) throws {
    let endpoint = try #require(Approval.Endpoint(text))
    #expect(endpoint.description == canonical)
    #expect(Approval.Endpoint(canonical) == endpoint)
  }

  @Test(arguments: ["", ":", ":443", "a b", "x.com:0", "x.com:70000", "x.com:443/quick", "*.x.com", "x..com", "x.com/", String(repeating: "a", count: 64)])
  func `what is no endpoint is refused`(text: String) { #expect(Approval.Endpoint(text) == nil) }

  @Test func `an approval covers the name or the address that it says, and no other name of the address`() throws {
    func covers(_ text: String, _ address: String, _ port: UInt16? = 443, _ transport: Transport = .tcp, name: NameEvidence? = nil) throws -> Bool {
      let destination = Destination(address: try #require(IPAddress(address)), port: port, transport: transport, names: name.map { [$0] } ?? [])
      return try #require(Approval.Endpoint(text)).covers(destination)
    }
    #expect(try covers("api.x.com", "192.0.2.1", name: Shop.name("api.x.com")))
    #expect(try covers("api.x.com:443", "192.0.2.1", name: Shop.name("api.x.com", .dns, .shared)))
    #expect(try !covers("api.x.com:80", "192.0.2.1", name: Shop.name("api.x.com")))
    #expect(try !covers("api.x.com:443", "192.0.2.1", 443, .udp, name: Shop.name("api.x.com")))
    #expect(try !covers("api.x.com", "192.0.2.1", name: Shop.name("api.x.com", .ptr, .hint)))
    #expect(try !covers("api.x.com", "192.0.2.1", name: Shop.name("x.com")))
    #expect(try covers("192.0.2.1", "192.0.2.1"))
    #expect(try covers("192.0.2.1:443", "192.0.2.1", name: Shop.name("192.0.2.1", .httpHost)))
    #expect(try !covers("192.0.2.1", "192.0.2.1", name: Shop.name("evil.example")))
  }

  @Test func `the file is the same in whatever order it was filled, and reads back as what was written`() throws {
    let list = try [
      Self.approval("b.x.com:443"), Self.approval("a.x.com", expires: Timestamp(dateOrTime: "2027-03-01")), Self.approval("z.x.com", "build/pod/ci"),
      Self.approval("192.0.2.9", owner: "yes: # no"), Self.approval("a.x.com:53/udp", expires: Timestamp("2027-03-01T12:30:00Z")),
    ]
    var texts: Set<String> = []
    for seed in 0..<12 {
      var approvals = Approvals()
      for index in list.indices { approvals.add(list[(index * 7 + seed) % list.count]) }
      texts.insert(approvals.text)
      let (read, errors) = Approvals.read(approvals.text, file: "lock.yaml")
      #expect(errors == [] && read == approvals)
    }
    let text = try #require(texts.first)
    #expect(texts.count == 1)
    #expect(text.contains("- workload: shop/Deployment/web\n  endpoint: a.x.com\n  owner: growth\n  reason: \"funnel: yes\"\n  ticket: SEC-1\n  expires: 2027-03-01\n  by: ann\n"))
    #expect(Approvals.read(Approvals().text, file: "lock.yaml").approvals.isEmpty)
  }

  @Test(arguments: [
    ("owner: o\n  reason: r\n  by: b", "approvals[0].endpoint", "missing"), ("endpoint: x.com\n  owner: o\n  reason: r\n  by: b\n  note: x", "approvals[0].note", "unknown field"),
    ("endpoint: x.com\n  owner: o\n  reason: r\n  by: b\n  expires: soon", "approvals[0].expires", "no date"),
    ("endpoint: '*.x.com'\n  owner: o\n  reason: r\n  by: b", "approvals[0].endpoint", "no endpoint"), ("endpoint: x.com\n  owner: ''\n  reason: r\n  by: b", "approvals[0].owner", "empty"),
    ("endpoint: x.com\n  owner: o\n  reason: 1\n  by: b", "approvals[0].reason", "not the number 1"),
    ("endpoint: x.com\n  owner: o\n  reason: r\n  by: b\n- workload: a/b\n  endpoint: x.com\n  owner: p\n  reason: r\n  by: b", "approvals[1]", "already approved"),
  ])
  func `what is wrong in a lock file is told with its place`(fields: String, path: String, problem: String) throws {
    let text = "apiVersion: egress-obs.dev/v1\nkind: EgressApprovals\napprovals:\n- workload: a/b\n  \(fields)\n"
    let errors = Approvals.read(text, file: "lock.yaml").errors
    let error = try #require(errors.first)
    #expect(errors.count == 1 && error.path == path && error.problem.contains(problem) && error.line > 3 && error.file == "lock.yaml", "\(errors)")
  }

  @Test(arguments: ["", "[]", "{apiVersion: v1, kind: Pod}", "{apiVersion: egress-obs.dev/v1, kind: EgressApprovals}", "a: ["])
  func `what is no lock file is refused`(text: String) { #expect(Approvals.read(text, file: "lock.yaml").errors.count == 1) }

  @Test func `what is approved is not new, and what has expired is new again with the reason`() throws {
    let endpoints = try [Shop.endpoint(Shop.free, "192.0.2.7", name: Shop.name("a.example.org")), Shop.endpoint(Shop.free, "192.0.2.8", name: Shop.name("b.example.org"))]
    func new(_ expires: Timestamp?, wasKnown: Bool = false) throws -> [String?] {
      var approvals = Approvals()
      approvals.add(try Self.approval("a.example.org", "shop/pod/free", expires: expires))
      let report = DriftReport(
        endpoints: endpoints, judge: nil, policies: nil, coverage: Coverage(from: Timestamp(seconds: 0), until: Timestamp(seconds: 1)),
        approvals: approvals, at: Self.now, isNew: { _, _ in !wasKnown })
      return report.findings.filter { $0.kind == .new }.map { "\($0.destination?.label ?? "") \($0.reason ?? "-")" }.sorted { $0 ?? "" < $1 ?? "" }
    }
    #expect(try new(nil) == ["b.example.org:443 -"])
    #expect(try new(Self.now.adding(nanoseconds: 1)) == ["b.example.org:443 -"])
    let expired = "a.example.org:443 the approval of growth (by ann: funnel: yes) expired on 2026-01-01"
    #expect(try new(Timestamp(dateOrTime: "2026-01-01")) == [expired, "b.example.org:443 -"])
    #expect(try new(Timestamp(dateOrTime: "2026-01-01"), wasKnown: true) == [expired])
  }
}
