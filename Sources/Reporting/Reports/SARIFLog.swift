import Drift
import EgressModel
import Policy

/// Findings as a log of [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html): the rule ids are the words of
/// `FindingKind` or of an audit's checks, a place in a manifest is given where there is one, and the workload is the logical location.
struct SARIFLog {
  private let kinds: [JSONValue]
  private let results: [JSONValue]
  private let coverage: Coverage?

  /// A place in a manifest is given where a rule decided or came nearest.
  init(findings: [Finding], rules: [RuleReference: RuleDescription], coverage: Coverage?) {
    kinds = FindingKind.allCases.map { Self.kind($0.rawValue, $0.meaning) }
    results = findings.map { Self.result($0, rules) }
    self.coverage = coverage
  }

  init(_ findings: [AuditFinding]) {
    kinds = AuditFinding.Check.allCases.map { Self.kind($0.rawValue, $0.meaning) }
    results = findings.map(Self.result)
    coverage = nil
  }

  var text: String { json.prettyText + "\n" }

  private var json: JSONValue {
    .object([
      "$schema": .string("https://json.schemastore.org/sarif-2.1.0.json"),
      "version": .string("2.1.0"),
      "runs": .array([
        .object([
          "tool": .object(["driver": .object(["name": .string("egress-obs"), "rules": .array(kinds)])]),
          "results": .array(results),
          "properties": coverage.map { .object(["coverage": $0.json]) },
        ])
      ]),
    ])
  }

  private static func kind(_ id: String, _ meaning: String) -> JSONValue {
    .object(["id": .string(id), "shortDescription": .object(["text": .string(meaning)])])
  }

  private static func result(_ finding: AuditFinding) -> JSONValue {
    let logical: JSONValue = .object([
      "name": .string(Escaping.terminal(finding.subject)), "fullyQualifiedName": .string(Escaping.terminal(finding.subject)), "kind": .string("resource"),
    ])
    return .object([
      "ruleId": .string(finding.check.rawValue),
      "ruleIndex": .integer(Int64(AuditFinding.Check.allCases.firstIndex(of: finding.check) ?? -1)),
      "level": .string(finding.severity.sarifLevel),
      "message": .object(["text": .string(Escaping.terminal("\(finding.subject): \(finding.reason); \(finding.fix)"))]),
      "locations": .array([.object(["physicalLocation": finding.file.map { place($0, finding.line ?? 1) }, "logicalLocations": .array([logical])])]),
      "partialFingerprints": .object(["egressObs/v1": .string(hash([finding.check.rawValue, finding.subject]))]),
    ])
  }

  private static func place(_ file: String, _ line: Int) -> JSONValue {
    .object([
      "artifactLocation": .object(["uri": .string(uri(path: file))]),
      "region": .object(["startLine": .integer(Int64(max(1, line)))]),
    ])
  }

  private static func result(_ finding: Finding, _ rules: [RuleReference: RuleDescription]) -> JSONValue {
    let message = finding.reason.map { finding.title.contains($0) ? finding.title : "\(finding.title): \($0)" } ?? finding.title
    let location = location(finding, rules)
    return .object([
      "ruleId": .string(finding.kind.rawValue),
      "ruleIndex": .integer(Int64(FindingKind.allCases.firstIndex(of: finding.kind) ?? -1)),
      "level": .string(finding.severity.sarifLevel),
      "message": .object(["text": .string(Escaping.terminal(message))]),
      "locations": location.map { .array([$0]) },
      "partialFingerprints": .object(["egressObs/v1": .string(fingerprint(finding))]),
      "properties": .object([
        "flows": .unsigned(finding.flows),
        "bytesOut": .unsigned(finding.bytes.out),
        "bytesIn": .unsigned(finding.bytes.in),
        "rule": finding.rule.map { .string($0.description) },
        "enforcement": finding.enforcement.map { .string($0.rawValue) },
      ]),
    ])
  }

  private static func location(_ finding: Finding, _ rules: [RuleReference: RuleDescription]) -> JSONValue? {
    let physical = finding.rule.flatMap { rules[$0] }.map { place($0.file, $0.line) }
    let logical: JSONValue? = finding.workload.map { workload in
      .array([
        .object([
          "name": .string(Escaping.terminal(workload.shortName)),
          "fullyQualifiedName": .string(Escaping.terminal(workload.group)),
          "kind": .string("resource"),
        ])
      ])
    }
    guard physical != nil || logical != nil else { return nil }
    return .object(["physicalLocation": physical, "logicalLocations": logical])
  }

  /// The same for the same finding in every run: what it is about, not when or how often.
  static func fingerprint(_ finding: Finding) -> String {
    var parts = [finding.kind.rawValue]
    if let subject = finding.subject {
      parts += [subject.group, subject.destination, subject.transport.description]
    } else if let rule = finding.rule {
      parts.append(rule.description)
    }
    return hash(parts)
  }

  private static func hash(_ parts: [String]) -> String {
    // FNV-1a, 64 bits: Swift's own hashes differ from process to process.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in parts.joined(separator: "\u{0}").utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  /// A relative path stays a relative reference ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986)), for the tool that knows the root of the
  /// sources.
  static func uri(path: String) -> String {
    var uri = path.utf8.first == UInt8(ascii: "/") ? "file://" : ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
        uri.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        uri += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
    }
    return uri
  }
}

extension Severity {
  fileprivate var sarifLevel: String {
    switch self {
    case .info: "note"
    case .warning: "warning"
    case .critical: "error"
    }
  }
}

extension FindingKind {
  /// One sentence.
  var meaning: String {
    switch self {
    case .new: "A workload talks to an endpoint that it never talked to before and that nothing approved."
    case .denied: "A policy denies what a workload talks to."
    case .bypass: "Let through only because an address is shared: the name said in the connection is not one that the policy allows."
    case .unprotected: "No egress policy selects the workload."
    case .wide: "Allowed only by a rule so wide that it says nothing."
    case .stale: "Nothing used the rule in the window."
    case .unnamed: "No evidence names a third party."
    case .encryptedDNS: "A workload asks a resolver outside the cluster over an encrypted channel."
    }
  }
}
