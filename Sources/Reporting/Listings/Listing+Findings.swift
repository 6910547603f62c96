import Drift
public import EgressModel
public import Policy

extension Listing where Record == Finding {
  /// `report`, `audit`: `egress-obs.finding.v1`.
  ///
  /// `rules` says of a rule that a finding is about what it allows.
  ///
  ///     NEW     shop/checkout → api.segment.io:443                 sni  no rule allows it (nearest cnp/shop/egress#1 *.segment.com)
  ///     STALE   cnp/shop/egress#4 legacy-api.partner.com           -    0 hits in 31d, 100% watched, 4 restarts covered
  public static func findings(rules: [RuleReference: RuleDescription] = [:]) -> Listing {
    Listing(
      "findings", hasTitles: false,
      columns: [
        Column("finding", .people, width: 13, colour: { $0.severity.colour }) { .text($0.kind.rawValue.uppercased()) },
        Column("finding", .csv) { .text($0.kind.rawValue) },
        Column("severity", .details) { .text($0.severity.rawValue) },
        Column("subject", .people, width: 44) { .text($0.subjectWording(rules)) },
        Column("workload", .csv) { Cell(text: $0.workload?.group) },
        Column("name", .csv) { Cell(text: $0.destination?.provenName?.name.text) },
        Column("address", .details, width: 16) { Cell(text: $0.destination?.address.description) },
        Column("port", .csv) { Cell(count: $0.destination?.port) },
        Column("transport", .csv) { Cell(text: $0.destination?.transport.description) },
        Column("named_by", .people, width: 8) { Cell(text: $0.destination?.names.first?.wording) },
        Column("name_source", .csv) { Cell(text: $0.destination?.names.first?.source.rawValue) },
        Column("confidence", .csv) { Cell(text: $0.destination?.names.first?.confidence.rawValue) },
        Column("vendor", .details, width: 16) { Cell(text: $0.vendor?.name) },
        Column("first_seen", .details, width: 20) { Cell(time: $0.firstSeen) },
        Column("last_seen", .details, width: 20) { Cell(time: $0.lastSeen) },
        Column("flows", .details, isNumeric: true) { .count($0.flows) },
        Column("bytes_out", .details, isNumeric: true) { .bytes($0.bytes.out) },
        Column("bytes_in", .details, isNumeric: true) { .bytes($0.bytes.in) },
        Column("rule", .csv) { Cell(text: $0.rule?.description) },
        Column("enforcement", .csv) { Cell(text: $0.enforcement?.rawValue) },
        Column("title", .csv) { .text($0.title) },
        Column("why", .people, width: 24) { Cell(text: $0.why) },
        Column("reason", .csv) { Cell(text: $0.reason) },
      ],
      json: \.json)
  }
}

extension Finding {
  /// Who talks to what, or the rule it is about, as tables show it.
  func subjectWording(_ rules: [RuleReference: RuleDescription]) -> String {
    if let subject { return subject.description }
    guard let rule else { return title }
    return rule.shortName + (rules[rule].map { " \($0.summary)" } ?? "")
  }

  /// The reason, after what became of the packets where that matters.
  var why: String? {
    guard let enforcement else { return reason }
    return reason.map { "\(enforcement.rawValue): \($0)" } ?? enforcement.rawValue
  }
}
