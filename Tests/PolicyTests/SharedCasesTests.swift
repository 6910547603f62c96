import EgressModel
import Foundation
import Testing

@testable import Policy

/// Verdicts of other implementations, kept beside the repository; they are judged where they are to be found.
@Suite struct SharedCasesTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/policies")
  static let exists = FileManager.default.fileExists(atPath: folder.path)

  static func entries(_ path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: path).path)) ?? []).sorted()
  }

  static func text(_ path: String) throws -> String { try String(contentsOf: folder.appending(path: path), encoding: .utf8) }

  /// The kinds whose engine is found from the manifests.
  static let cases = ["networkpolicy", "adminnetworkpolicy", "clusternetworkpolicy", "egressfirewall", "fqdnnetworkpolicy", "istio", "mixed", "cilium", "calico"].flatMap { kind in
    entries(kind).map { "\(kind)/\($0)" }
  }

  @Test(.enabled(if: exists), arguments: cases)
  func `verdicts are those of the other implementations`(_ name: String) throws {
    var policies = PolicySet()
    for file in Self.entries("\(name)/manifests") {
      #expect(policies.add(try Self.text("\(name)/manifests/\(file)"), file: file) == [])
    }
    #expect(policies.notUnderstood.isEmpty)
    let judge = Judge(policies: policies, inventory: inventory(try Self.text("\(name)/inventory.yaml")))
    let (queries, errors) = FlowQuery.read(try Self.text("\(name)/flows.ndjson"), file: "flows.ndjson")
    #expect(errors == [])
    struct Expectation: Decodable { var id: String, decision: String, unconfirmed: Bool? }
    let expected = try Self.text("\(name)/expected.ndjson").split(separator: "\n").map {
      try JSONDecoder().decode(Expectation.self, from: Data($0.utf8))
    }
    #expect(queries.map(\.id) == expected.map(\.id))
    for (query, expectation) in zip(queries, expected) where expectation.unconfirmed != true {
      let verdict = judge.judge(query.from, query.destination)
      #expect(verdict.decision.rawValue == expectation.decision, "\(query.id) \(verdict)")
    }
  }

  @Test(.enabled(if: exists), arguments: entries("invalid"))
  func `what must be refused is refused`(_ name: String) throws {
    var policies = PolicySet()
    let errors = policies.add(try Self.text("invalid/\(name)/manifest.yaml"), file: "manifest.yaml")
    #expect(!errors.isEmpty)
  }

  struct NameVector: Decodable {
    var pattern: String
    var field: String?
    var name: String?
    var string: String?
    var match: Bool?
  }

  @Test(.enabled(if: exists), arguments: ["cilium-fqdn-selector", "cilium-matchpattern-upstream"])
  func `Cilium's names match as its own code says`(_ file: String) throws {
    for line in try Self.text("vectors/\(file).jsonl").split(separator: "\n") {
      let vector = try JSONDecoder().decode(NameVector.self, from: Data(line.utf8))
      guard let name = vector.name ?? vector.string, !name.isEmpty, let match = vector.match else { continue }
      let pattern = try #require(vector.field == "matchName" ? CiliumNamePattern(name: vector.pattern) : CiliumNamePattern(pattern: vector.pattern))
      #expect(pattern.matches(DomainName(presentation: name)) == match, "\(line)")
    }
  }

  struct ValidationVector: Decodable {
    /// `rules.dns`, else `toFQDNs`.
    var `where`: String?
    var value: String?
    var matchName: String?
    var matchPattern: String?
    var valid: Bool
  }

  @Test(.enabled(if: exists))
  func `Cilium's names are refused where its own code refuses them`() throws {
    for line in try Self.text("vectors/cilium-fqdn-validation.jsonl").split(separator: "\n") {
      let vector = try JSONDecoder().decode(ValidationVector.self, from: Data(line.utf8))
      let members = [("matchName", vector.matchName), ("matchPattern", vector.value ?? vector.matchPattern)].compactMap { key, value in
        value.flatMap { $0.isEmpty ? nil : "\"\(key)\": \"\($0)\"" }
      }
      let name = "{\(members.joined(separator: ", "))}"
      let rule = vector.where == "rules.dns" ? "{toPorts: [{ports: [{port: \"53\"}], rules: {dns: [\(name)]}}]}" : "{toFQDNs: [\(name)]}"
      var policies = PolicySet()
      let errors = policies.add(
        "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: shop}, spec: {endpointSelector: {}, egress: [\(rule)]}}", file: "p.yaml")
      #expect(errors.isEmpty == vector.valid, "\(line): \(errors)")
    }
  }

  struct SelectorVector: Decodable {
    var selector: String
    var labels: [String: String]?
    var match: Bool?
    var canonical: String?
  }

  @Test(.enabled(if: exists), arguments: ["calico-selector", "calico-selector-canonical", "calico-selector-invalid"])
  func `Calico's selectors match as its own tests say`(_ file: String) throws {
    for line in try Self.text("vectors/\(file).jsonl").split(separator: "\n") {
      let vector = try JSONDecoder().decode(SelectorVector.self, from: Data(line.utf8))
      guard file != "calico-selector-invalid" else {
        #expect(throws: CalicoSelector.SyntaxError.self, "\(line)") { try CalicoSelector(parsing: vector.selector) }
        continue
      }
      let selector = try CalicoSelector(parsing: vector.selector)
      if let canonical = vector.canonical { #expect(selector.description == canonical) }
      if let match = vector.match { #expect(selector.matches(vector.labels ?? [:]) == match, "\(line)") }
    }
  }
}
