import Drift
public import EgressModel
public import Policy

extension AuditFinding {
  /// The shape `egress-obs.audit-finding.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.audit-finding.v1"),
      "check": .string(check.rawValue),
      "severity": .string(severity.rawValue),
      "subject": .string(subject),
      "rule": rule?.json,
      "reason": .string(reason),
      "fix": .string(fix),
      "file": file.map { .string($0) },
      "line": line.map { .integer(Int64($0)) },
    ])
  }

  /// `policies/shop.yaml:12`
  var place: String? { file.map { file in line.map { "\(file):\($0)" } ?? file } }

  /// As kubectl abbreviates kinds: `netpol/shop/web#1`, `namespace shop`.
  var subjectWording: String { rule?.shortName ?? (check == .unprotected ? "namespace \(subject)" : subject) }
}

extension Listing where Record == AuditFinding {
  /// `audit`.
  ///
  ///     UNPROTECTED  namespace build            its only pod may send to anywhere (runner): nothing denies by default
  ///     WIDE         netpol/monitoring/agent#0  0.0.0.0/0 is every IPv4 address
  public static var audit: Listing {
    Listing(
      "audit", hasTitles: false,
      columns: [
        Column("check", .people, width: 14, colour: { $0.severity.colour }) { .text($0.check.rawValue.uppercased()) },
        Column("check", .csv) { .text($0.check.rawValue) },
        Column("severity", .details) { .text($0.severity.rawValue) },
        Column("subject", .people, width: 32) { .text($0.subjectWording) },
        Column("subject", .csv) { .text($0.subject) },
        Column("rule", .csv) { Cell(text: $0.rule?.description) },
        Column("place", .people, width: 24) { Cell(text: $0.place) },
        Column("file", .csv) { Cell(text: $0.file) },
        Column("line", .csv) { Cell(count: $0.line) },
        Column("reason", width: 40) { .text($0.reason) },
        Column("fix", .details, width: 40) { .text($0.fix) },
      ],
      json: \.json)
  }
}
