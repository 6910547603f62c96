import EgressModel
import Foundation
import FoundationXML
import Policy
import Reporting
import Testing

@Suite struct AuditReportTests {
  /// One finding of each gravity: an object that is not understood, and a wide rule.
  private static func report() throws -> AuditReport {
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
        - to: [{ipBlock: {cidr: 0.0.0.0/0}}]
      ---
      {apiVersion: example.com/v1, kind: FooPolicy, metadata: {name: x, namespace: shop}}
      """, file: "policies/my policy.yaml")
    try #require(errors.isEmpty)
    return AuditReport(Audit(policies: policies, inventory: Inventory()))
  }

  @Test func `a table says what, where and why`() throws {
    #expect(
      try Self.report().render(as: .listing(.table)) == """
        NOT-UNDERSTOOD  FooPolicy/shop/x      policies/my policy.yaml:10  example.com/v1 FooPolicy is no kind that is known here, so nothing of it is judged
        WIDE            netpol/shop/egress#0  policies/my policy.yaml:8   0.0.0.0/0 is every IPv4 address

        """)
    #expect(try Self.report().render(as: .listing(.markdown)).hasPrefix("**egress-obs audit**: 1 wide, 1 not-understood\n"))
  }

  @Test func `JSON has every fact, and leaves out what is absent`() throws {
    let lines = try Self.report().render(as: .listing(.ndjson)).split(separator: "\n")
    #expect(
      lines.last == """
        {"schema":"egress-obs.audit-finding.v1","check":"wide","severity":"info","subject":"NetworkPolicy/shop/egress#0",\
        "rule":{"policy":"NetworkPolicy/shop/egress","rule":0},"reason":"0.0.0.0/0 is every IPv4 address",\
        "fix":"name the destinations and ports that are needed","file":"policies/my policy.yaml","line":8}
        """)
    #expect(lines.first?.contains("\"rule\"") == false)
  }

  @Test func `SARIF names the checks and points into the manifests`() throws {
    let log = try #require(try JSONSerialization.jsonObject(with: Data(Self.report().render(as: .sarif).utf8)) as? [String: Any])
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    let rules = try #require(((run["tool"] as? [String: Any])?["driver"] as? [String: Any])?["rules"] as? [[String: Any]])
    #expect(rules.compactMap { $0["id"] as? String } == AuditFinding.Check.allCases.map(\.rawValue))
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.compactMap { $0["ruleId"] as? String } == ["not-understood", "wide"])
    #expect(results.compactMap { $0["level"] as? String } == ["warning", "note"])
    for result in results { #expect(rules[try #require(result["ruleIndex"] as? Int)]["id"] as? String == result["ruleId"] as? String) }
    let place = ((results[1]["locations"] as? [[String: Any]])?.first?["physicalLocation"] as? [String: Any])
    #expect((place?["artifactLocation"] as? [String: Any])?["uri"] as? String == "policies/my%20policy.yaml")
    #expect((place?["region"] as? [String: Any])?["startLine"] as? Int == 8)
  }

  @Test func `JUnit fails for what was asked to fail, and passes when there is nothing`() throws {
    func failures(_ report: AuditReport, _ failOn: FailureBar<AuditFinding.Check>) throws -> (cases: Int, failures: Int) {
      let document = try XMLDocument(xmlString: report.render(as: .junit, failOn: failOn))
      return (try document.nodes(forXPath: "//testcase").count, try document.nodes(forXPath: "//failure").count)
    }
    #expect(try failures(Self.report(), []) == (2, 2))
    #expect(try failures(Self.report(), [.wide]) == (2, 1))
    #expect(try failures(AuditReport(Audit(policies: PolicySet(), inventory: Inventory())), []) == (1, 0))
  }
}
