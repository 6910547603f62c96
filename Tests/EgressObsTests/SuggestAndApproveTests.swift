import Foundation
import Testing

/// The steps around the report, on the shipped sample.
@Suite struct SuggestAndApproveTests {
  private let scratch: TemporaryDirectory
  private let database: String

  init() throws {
    scratch = try TemporaryDirectory()
    database = scratch / "shop.db"
    let outcome = try Program.egressObs(["replay", Sample.capture, "--db", database, "--emit", "nothing"] + Sample.declared)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  private func run(_ arguments: String...) throws -> Program.Outcome { try Program.egressObs(arguments + ["--db", database]) }

  @Test func `a minute is too little for a policy, unless it is forced`() throws {
    let refused = try run("suggest", "shop/checkout", "--inventory", Sample.inventory)
    #expect(refused.status == 2 && refused.output.isEmpty && refused.errors.contains("only 64s were watched, less than 24h"))
    let forced = try run("suggest", "shop/checkout", "--inventory", Sample.inventory, "--force")
    #expect(forced.status == 0 && forced.errors.isEmpty && forced.output.contains("# doubt: only 64s were watched"))
  }

  @Test(arguments: ["networkpolicy", "cilium", "calico", "clusternetworkpolicy", "egresspolicy"])
  func `under the suggested policy alone, a report denies nothing but what was left out by a filter`(dialect: String) throws {
    let suggestion = try run(
      "suggest", "shop/checkout", "--inventory", Sample.inventory, "--force", "--dialect", dialect, "--not", "--name", "api.segment.io")
    try #require(suggestion.status == 0, "\(suggestion.errors)")
    let policy = try scratch.file("policy.yaml", suggestion.output)
    let report = try run("report", "--policies", policy, "--inventory", Sample.inventory, "--workload", "checkout", "--finding", "denied", "-o", "ndjson")
    let denied = try objects(report.output).filter { $0.text("finding") == "denied" }.map { $0.text("destination", "name") }
    // Both stand in one /24, which is all that a dialect without names can say.
    #expect(denied == (["networkpolicy", "calico"].contains(dialect) ? [] : ["api.segment.io"]))
  }

  @Test func `nothing is suggested for whom nothing was observed of`() throws {
    let outcome = try run("suggest", "shop/nobody", "--force")
    #expect(outcome.status == 2 && outcome.errors.contains("nothing was observed of shop/nobody; there is build/StatefulSet/runner"))
  }

  @Test func `approved endpoints are not new until they expire`() throws {
    let lock = scratch / "lock.yaml"
    let accept = ["--owner", "growth", "--reason", "funnel", "--by", "ann", "--baseline", lock]
    let all = ["report", "--db", database, "--baseline", lock, "--fail-on", "new", "-o", "ndjson", "--finding", "new"] + Sample.declared
    func new() throws -> (Int32, [String]) {
      let outcome = try Program.egressObs(all)
      return (outcome.status, try objects(outcome.output).compactMap { $0.text("destination", "name") ?? $0.text("destination", "ip") })
    }
    let one = try Program.egressObs(["approve", "api.segment.io", "--workload", "shop/Deployment/checkout", "--expires", "2099-01-01"] + accept)
    #expect(one.status == 0 && one.output == "approved shop/Deployment/checkout → api.segment.io\n")
    #expect(try new().0 == 1 && !new().1.contains("api.segment.io") && new().1.count == 11)

    // The expired one comes back with its reason, and everything that is new is approved at once.
    _ = try Program.egressObs(["approve", "api.segment.io", "--workload", "shop/Deployment/checkout", "--expires", "2026-01-01"] + accept)
    let expired = try Program.egressObs(all)
    let finding = try #require(try objects(expired.output).first { $0.text("destination", "name") == "api.segment.io" })
    #expect(finding.text("reason") == "the approval of growth (by ann: funnel) expired on 2026-01-01")
    let report = try scratch.file("report.ndjson", expired.output)
    let rest = try Program.egressObs(["approve", "--from-report", report, "--expires", "never"] + accept)
    #expect(rest.status == 0 && rest.output.split(separator: "\n").count == 12)
    #expect(try new() == (0, []))

    // A second run changes nothing.
    let text = try String(contentsOfFile: lock, encoding: .utf8)
    let again = try Program.egressObs(["approve", "--from-report", report, "--expires", "never"] + accept)
    #expect(again.output == "nothing to approve\n")
    #expect(try String(contentsOfFile: lock, encoding: .utf8) == text)
  }

  @Test func `a baseline that cannot be read or understood is trouble, named with its place`() throws {
    let bad = try scratch.file("bad.yaml", "apiVersion: egress-obs.dev/v1\nkind: EgressApprovals\napprovals:\n- {endpoint: x}\n")
    let outcome = try run("report", "--baseline", bad)
    #expect(outcome.status == 2 && outcome.output.isEmpty && outcome.errors.contains("bad.yaml:4 (document 1): approvals[0].workload: it is missing"))
    let gone = try run("report", "--baseline", scratch / "gone.yaml")
    #expect(gone.status == 2 && gone.errors.contains("gone.yaml"))
  }

  @Test(arguments: [
    ["approve", "x.com", "--owner", "o", "--reason", "r"], ["approve", "x.com", "--workload", "a/b", "--reason", "r"],
    ["approve", "--workload", "a/b", "--owner", "o", "--reason", "r"], ["approve", "a b", "--workload", "a/b", "--owner", "o", "--reason", "r"],
    ["approve", "x.com", "--workload", "web", "--owner", "o", "--reason", "r"], ["approve", "x.com", "--workload", "a/b", "--owner", " ", "--reason", "r"],
    ["approve", "x.com", "--workload", "a/b", "--owner", "o", "--reason", "r", "--expires", "soon"], ["suggest"], ["suggest", "a/b", "--dialect", "iptables"],
  ])
  func `an incomplete approval is wrong usage`(arguments: [String]) throws {
    let outcome = try Program.egressObs(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome)")
  }
}
