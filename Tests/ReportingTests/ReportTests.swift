import Drift
import EgressModel
import Foundation
import FoundationXML
import Policy
@testable import Reporting
import Testing

@Suite struct ReportTests {
  private static let rule = RuleReference(policy: "NetworkPolicy/shop/egress", rule: 1)
  private static let checkout = Workload(kind: .pod, namespace: "shop", name: "checkout-1", owner: .init(kind: "Deployment", name: "checkout"))

  private static func policies() throws -> PolicySet {
    var policies = PolicySet()
    let errors = policies.add(
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: egress, namespace: shop}
      spec:
        podSelector: {}
        policyTypes: [Egress]
        egress:
        - to: [{ipBlock: {cidr: 10.0.0.0/8}}]
        - to: [{ipBlock: {cidr: 198.51.100.0/24}}]
          ports: [{port: 443}]
      """, file: "policies/my policy.yaml")
    try #require(errors.isEmpty)
    return policies
  }

  /// One denied and new endpoint, one that is fine, and a rule that nothing used.
  private static func report() throws -> DriftReport {
    func endpoint(_ name: String, _ address: UInt32, _ verdict: Verdict) -> Endpoint {
      Endpoint(
        workload: checkout, name: NameEvidence(name: DomainName(presentation: name), source: .tlsSNI, confidence: .confirmed),
        address: IPAddress(v4: address), port: 443, transport: .tcp, scope: .external, application: .tls, firstSeen: Timestamp(seconds: 10),
        lastSeen: Timestamp(seconds: 20), flows: 2, answered: 2, out: FlowCounters(packets: 1, bytes: 1_200_000), verdict: verdict)
    }
    return DriftReport(
      endpoints: [
        endpoint("api.segment.io", 0xcb00_7109, Verdict(decision: .denied, reason: "no block holds 203.0.113.9", nearest: rule)),
        endpoint("ok.example", 0xcb00_710a, Verdict(decision: .allowed, by: [RuleReference(policy: rule.policy, rule: 1)])),
      ], judge: nil, policies: try policies(), coverage: Coverage(from: Timestamp(seconds: 0), until: Timestamp(seconds: 2_678_400), restarts: 4)
    ) { endpoint, _ in endpoint.name?.name.text == "api.segment.io" }
  }

  @Test func `a report reads as its users asked for`() throws {
    #expect(
      try Self.report().render(as: .listing(.table)) == """
        DENIED  shop/checkout → api.segment.io:443  sni  reached: no block holds 203.0.113.9
        NEW     shop/checkout → api.segment.io:443  sni  no rule allows it (nearest netpol/shop/egress#1 to 198.51.100.0/24 ports 443/tcp)
        STALE   netpol/shop/egress#0 to 10.0.0.0/8  -    0 hits in 31d, 100% watched, 4 restarts covered, 1 of its workloads seen (1 pod)
        coverage: 31d of 31d, 0.00% dropped, 0% of third-party bytes unnamed, 4 restarts

        """)
  }

  @Test func `vendors read as their users asked for`() throws {
    let lines = try Self.report().renderVendors(as: .table).split(separator: "\n")
    #expect(lines[0] == "VENDOR      CATEGORY  WORKLOADS  BYTES OUT  POLICY                        NAMED BY")
    #expect(lines[1] == "ok.example  -                 1     1.2 MB  allowed netpol/shop/egress#1  sni 100%")
    #expect(lines[2] == "segment.io  -                 1     1.2 MB  denied                        sni 100%")
    #expect(lines[3].hasPrefix("coverage: "))
  }

  @Test func `Markdown begins with a summary and ends with the coverage`() throws {
    let lines = try Self.report().render(as: .listing(.markdown)).split(separator: "\n")
    #expect(lines.first == "**egress-obs**: 1 new, 1 denied, 1 stale")
    #expect(lines.last?.hasPrefix("coverage: 31d of 31d") == true)
  }

  @Test func `SARIF names rules by the words of the contract and points into the manifests`() throws {
    let log = try #require(try JSONSerialization.jsonObject(with: Data(Self.report().render(as: .sarif).utf8)) as? [String: Any])
    #expect(log["version"] as? String == "2.1.0")
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
    #expect(driver["name"] as? String == "egress-obs")
    let ids = try #require(driver["rules"] as? [[String: Any]]).compactMap { $0["id"] as? String }
    #expect(ids == FindingKind.allCases.map(\.rawValue))
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.compactMap { $0["ruleId"] as? String } == ["denied", "new", "stale"])
    #expect(results.compactMap { $0["level"] as? String } == ["error", "warning", "note"])
    for result in results {
      #expect(ids[try #require(result["ruleIndex"] as? Int)] == result["ruleId"] as? String)
      #expect(((result["message"] as? [String: Any])?["text"] as? String)?.isEmpty == false)
      let location = try #require((result["locations"] as? [[String: Any]])?.first)
      let place = try #require(location["physicalLocation"] as? [String: Any])
      #expect((place["artifactLocation"] as? [String: Any])?["uri"] as? String == "policies/my%20policy.yaml")
      let line = try #require((place["region"] as? [String: Any])?["startLine"] as? Int)
      #expect(line == (result["ruleId"] as? String == "stale" ? 8 : 9))
    }
    let logical = ((results[0]["locations"] as? [[String: Any]])?.first?["logicalLocations"] as? [[String: Any]])?.first
    #expect(logical?["fullyQualifiedName"] as? String == "shop/Deployment/checkout")
    let prints = Set(results.compactMap { ($0["partialFingerprints"] as? [String: String])?["egressObs/v1"] })
    #expect(prints.count == 3)
    #expect(prints.allSatisfy { $0.count == 16 })
  }

  @Test func `a fingerprint stays when counts and times change, and differs when the subject does`() throws {
    let finding = try #require(try Self.report().findings.first)
    var later = finding
    later.flows = 99
    later.lastSeen = Timestamp(seconds: 9999)
    later.reason = "other"
    later.workload?.name = "checkout-2"
    #expect(SARIFLog.fingerprint(later) == SARIFLog.fingerprint(finding))
    later.destination?.port = 80
    #expect(SARIFLog.fingerprint(later) != SARIFLog.fingerprint(finding))
    #expect(SARIFLog.fingerprint(finding) == "2cf2c0054466f848")
  }

  @Test(arguments: [
    ("policies/a b.yaml", "policies/a%20b.yaml"), ("/etc/ü.yaml", "file:///etc/%C3%BC.yaml"), ("a:b#c?d", "a%3Ab%23c%3Fd"), ("-", "-"), ("a\u{1}", "a%01"),
  ])
  func `a path becomes a reference`(path: String, uri: String) {
    #expect(SARIFLog.uri(path: path) == uri)
  }

  @Test func `JUnit has a case for each conversation and a failure for what is wrong with it`() throws {
    let document = try XMLDocument(xmlString: try Self.report().render(as: .junit))
    let cases = try document.nodes(forXPath: "/testsuites/testsuite/testcase").compactMap { $0 as? XMLElement }
    #expect(
      cases.compactMap { $0.attribute(forName: "name")?.stringValue } == [
        "shop/checkout → api.segment.io:443", "shop/checkout → ok.example:443", "NetworkPolicy/shop/egress#0",
      ])
    #expect(cases.map { $0.elements(forName: "failure").count } == [1, 0, 1])
    #expect(cases[0].elements(forName: "failure").first?.attribute(forName: "type")?.stringValue == "denied new")
    let suite = try #require(try document.nodes(forXPath: "/testsuites/testsuite").first as? XMLElement)
    #expect(suite.attribute(forName: "tests")?.stringValue == "3")
    #expect(suite.attribute(forName: "failures")?.stringValue == "2")
    #expect(suite.elements(forName: "system-out").first?.stringValue?.hasPrefix("coverage: ") == true)
  }

  @Test func `JUnit fails only for what was asked to fail`() throws {
    let document = try XMLDocument(xmlString: try Self.report().render(as: .junit, failOn: [.new]))
    let failures = try document.nodes(forXPath: "//failure").compactMap { $0 as? XMLElement }
    #expect(failures.compactMap { $0.attribute(forName: "type")?.stringValue } == ["new"])
    #expect(try document.nodes(forXPath: "//testcase/system-out").count == 2)
  }

  @Test func `hostile texts leave SARIF and JUnit whole`() throws {
    let checks = Hostile.checks
    for xml in [Hostile.report.render(as: .junit), checks.render(as: .junit)] {
      let document = try XMLDocument(xmlString: xml)
      #expect(try document.nodes(forXPath: "//script").isEmpty)
      #expect(try !document.nodes(forXPath: "//testcase").isEmpty)
    }
    for log in [Hostile.report.render(as: .sarif), checks.render(as: .sarif)] {
      #expect(try JSONSerialization.jsonObject(with: Data(log.utf8)) is [String: Any])
    }
  }

  @Test func `a check answers in the shape of the contract`() throws {
    let address = try #require(IPAddress("203.0.113.10"))
    let destination = Destination(
      address: address, port: 443, transport: .tcp,
      names: [NameEvidence(name: DomainName(presentation: "api.example.net"), source: .tlsSNI, confidence: .confirmed)])
    let denied = CheckResult(
      id: "f1", workload: Workload(kind: .pod, namespace: "shop", name: "cart-1"), destination: destination,
      verdict: Verdict(decision: .denied, reason: "no block holds 203.0.113.10", nearest: Self.rule))
    var allowed = denied
    allowed.id = "f2"
    allowed.verdict = Verdict(decision: .allowed, by: [Self.rule])
    var unexpected = allowed
    unexpected.id = "f3"
    unexpected.expected = .denied
    var undecidable = denied
    undecidable.id = "f4"
    undecidable.verdict = Verdict(decision: .undecidable, reason: "pass --inventory")
    let report = CheckReport(results: [denied, allowed, unexpected, undecidable], policies: try Self.policies())
    #expect(
      report.render(as: .listing(.ndjson)) == """
        {"id":"f1","decision":"denied","by":[{"policy":"NetworkPolicy/shop/egress","rule":1}],"reason":"no block holds 203.0.113.10"}
        {"id":"f2","decision":"allowed","by":[{"policy":"NetworkPolicy/shop/egress","rule":1}]}
        {"id":"f3","decision":"allowed","expected":"denied","by":[{"policy":"NetworkPolicy/shop/egress","rule":1}]}
        {"id":"f4","decision":"undecidable","reason":"pass --inventory"}

        """)
    #expect(report.mismatches.map(\.id) == ["f3"])
    #expect(report.summary == "2 allowed, 1 denied, 1 undecidable; 1 not as expected")
    let cases = try XMLDocument(xmlString: report.render(as: .junit)).nodes(forXPath: "//testcase").compactMap { $0 as? XMLElement }
    #expect(cases.map { $0.elements(forName: "failure").count } == [1, 0, 1, 0])
    #expect(cases.map { $0.elements(forName: "skipped").count } == [0, 0, 0, 1])
    #expect(cases.first?.attribute(forName: "name")?.stringValue == "f1 shop/cart-1 → api.example.net (203.0.113.10:443)/tcp")
    let log = try #require(try JSONSerialization.jsonObject(with: Data(report.render(as: .sarif).utf8)) as? [String: Any])
    let results = try #require((log["runs"] as? [[String: Any]])?.first?["results"] as? [[String: Any]])
    #expect(results.compactMap { $0["ruleId"] as? String } == ["denied"])
  }

  @Test func `metrics are lines that Prometheus reads`() {
    let families = [
      MetricFamily(
        "egress_obs_flows_total", help: "Flows by namespace.\nTwo lines.",
        samples: [.init(3, ["namespace": "shop", "verdict": "denied"]), .init(.max, ["namespace": "a\"b\\c\nd"])]),
      MetricFamily("egress_obs_live_flows", help: "Now.", kind: .gauge, samples: [.init(0)]),
    ]
    #expect(
      families.metricsText == #"""
        # HELP egress_obs_flows_total Flows by namespace.\nTwo lines.
        # TYPE egress_obs_flows_total counter
        egress_obs_flows_total{namespace="shop",verdict="denied"} 3
        egress_obs_flows_total{namespace="a\"b\\c\nd"} 18446744073709551615
        # HELP egress_obs_live_flows Now.
        # TYPE egress_obs_live_flows gauge
        egress_obs_live_flows 0

        """#)
  }
}
