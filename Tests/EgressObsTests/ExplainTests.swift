import Foundation
import Testing

/// `explain`, on the shipped sample: of what was seen, and from manifests alone.
@Suite struct ExplainTests {
  private let scratch: TemporaryDirectory
  private let database: String

  init() throws {
    scratch = try TemporaryDirectory()
    database = scratch / "shop.db"
    let outcome = try Program.egressObs(["replay", Sample.capture, "--db", database, "--emit", "nothing"] + Sample.declared)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  private func explain(_ arguments: String...) throws -> String {
    let outcome = try Program.egressObs(["explain"] + arguments)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return outcome.output
  }

  private func verdict(_ arguments: String...) throws -> [String: Any]? {
    try objects(try Program.egressObs(["explain"] + arguments + Sample.declared + ["-o", "ndjson"]).output).first?.at("verdict") as? [String: Any]
  }

  @Test func `the chain begins with the look-up and ends with what came of it`() throws {
    let text = try explain("shop/checkout", "api.segment.io", "--db", database, "--policies", Sample.policies, "--inventory", Sample.inventory)
    let order = [
      "shop/checkout → api.segment.io:443", "looked up   ", "A api.segment.io → ", "198.51.100.200", "seen        1 flow, 1 answered", "(sni, confirmed)",
      "outside the cluster", "by the name it said, api.segment.io: denied", "netpol/shop/checkout-egress", "fails: 198.51.100.200 is not in 198.51.100.0/25",
      "verdict     denied", "answered all the same", "to allow it netpol/shop/checkout-egress#0", "coverage: ",
    ]
    var rest = text[...]
    for words in order {
      let found = try #require(rest.range(of: words), "\(words) is not, or not there, in\n\(text)")
      rest = rest[found.upperBound...]
    }
  }

  @Test func `manifests alone are enough, and an address that nothing tells is asked for`() throws {
    #expect(try verdict("shop/checkout", "api.stripe.com", "--address", "198.51.100.10")?.text("decision") == "allowed")
    #expect(try verdict("shop/checkout", "api.stripe.com", "--address", "192.0.2.200")?.text("decision") == "denied")
    #expect(try verdict("shop/checkout", "198.51.100.10:443/udp")?.text("decision") == "denied")
    #expect(try verdict("shop/checkout", "api.stripe.com")?.text("decision") == "undecidable")
    #expect(try verdict("payments/worker", "api.stripe.com")?.text("decision") == "allowed", "its policy is about names")
    #expect(try explain("shop/checkout", "api.stripe.com", "--policies", Sample.policies, "--inventory", Sample.inventory).contains("give it with --address"))
  }

  @Test func `who is meant must be known, and one`() throws {
    let outcome = try Program.egressObs(["explain", "checkout", "api.stripe.com"] + Sample.declared)
    #expect(outcome.status == 2 && outcome.errors.contains("checkout is no workload; write namespace/pod"))
    #expect(try verdict("shop/nobody", "api.stripe.com")?.text("reason") == "pod shop/nobody is not in the inventory; pass --inventory")
  }

  @Test func `without policies the verdicts stand that were kept`() throws {
    #expect(try explain("shop/checkout", "api.segment.io", "--db", database).contains("verdict     denied: no rule allows it"))
    #expect(try explain("shop/checkout", "api.segment.io:8443", "--db", database).contains("undecidable: it was not judged"))
  }
}
