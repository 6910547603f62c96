import Drift
import EgressModel
import Policy

/// Findings as a log of [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html): the rule ids are the words of
/// `FindingKind`, a place in a manifest is given where a rule decided or came nearest, and the workload is the logical location.
struct SARIFLog {
  private let findings: [Finding]
  private let rules: [RuleReference: RuleDescription]
  private let coverage: Coverage?

  init(findings: [Finding], rules: [RuleReference: RuleDescription], coverage: Coverage?) {
    self.findings = findings
    self.rules = rules
    self.coverage = coverage
  }

  var text: String { json.prettyText + "\n" }

  private var json: JSONValue {
    .object([
      "$schema": .string("https://json.schemastore.org/sarif-2.1.0.json"),
      "version": .string("2.1.0"),
      "runs": .array([
        .object([
          "tool": .object([
            "driver": .object(["name": .string("egress-obs"), "rules": .array(FindingKind.allCases.map(\.sarifRule))])
          ]),
          "results": .array(findings.map(result)),
          "properties": coverage.map { .object(["coverage": $0.json]) },
        ])
      ]),
    ])
  }

  private func result(_ finding: Finding) -> JSONValue {
    let message = finding.reason.map { finding.title.contains($0) ? finding.title : "\(finding.title): \($0)" } ?? finding.title
    let location = location(finding)
    return .object([
      "ruleId": .string(finding.kind.rawValue),
      "ruleIndex": .integer(Int64(FindingKind.allCases.firstIndex(of: finding.kind) ?? -1)),
      "level": .string(finding.severity.sarifLevel),
      "message": .object(["text": .string(Escaping.terminal(message))]),
      "locations": location.map { .array([$0]) },
      "partialFingerprints": .object(["egressObs/v1": .string(Self.fingerprint(finding))]),
      "properties": .object([
        "flows": .unsigned(finding.flows),
        "bytesOut": .unsigned(finding.bytes.out),
        "bytesIn": .unsigned(finding.bytes.in),
        "rule": finding.rule.map { .string($0.description) },
        "enforcement": finding.enforcement.map { .string($0.rawValue) },
      ]),
    ])
  }

  private func location(_ finding: Finding) -> JSONValue? {
    let physical: JSONValue? = finding.rule.flatMap { rules[$0] }.map { rule in
      .object([
        "artifactLocation": .object(["uri": .string(Self.uri(path: rule.file))]),
        "region": .object(["startLine": .integer(Int64(max(1, rule.line)))]),
      ])
    }
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
  fileprivate var sarifRule: JSONValue {
    .object(["id": .string(rawValue), "shortDescription": .object(["text": .string(meaning)])])
  }

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
