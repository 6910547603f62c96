import Drift
public import EgressModel

extension Listing where Record == Finding {
  /// `report`, `audit`: `egress-obs.finding.v1`.
  ///
  ///     NEW     shop/checkout → api.segment.io:443                 sni  no rule allows it (nearest cnp/shop/egress#1 *.segment.com)
  ///     STALE   cnp/shop/egress#4 legacy-api.partner.com           -    0 hits in 31d, 100% watched, 4 restarts covered
  public static var findings: Listing {
    Listing(
      "findings", hasTitles: false,
      columns: [
        Column("finding", .people, width: 13, colour: { $0.severity.colour }) { .text($0.kind.rawValue.uppercased()) },
        Column("finding", .csv) { .text($0.kind.rawValue) },
        Column("severity", .details) { .text($0.severity.rawValue) },
        Column("subject", .people, width: 44) { .text($0.subject?.description ?? $0.title) },
        Column("workload", .csv) { Cell($0.workload?.group) },
        Column("name", .csv) { Cell($0.destination?.provenName?.name.text) },
        Column("address", .details, width: 16) { Cell($0.destination?.address.description) },
        Column("port", .csv) { Cell($0.destination?.port) },
        Column("transport", .csv) { Cell($0.destination?.transport.description) },
        Column("named_by", .people, width: 8) { Cell($0.destination?.names.first?.wording) },
        Column("name_source", .csv) { Cell($0.destination?.names.first?.source.rawValue) },
        Column("confidence", .csv) { Cell($0.destination?.names.first?.confidence.rawValue) },
        Column("vendor", .details, width: 16) { Cell($0.vendor?.name) },
        Column("first_seen", .details, width: 20) { Cell($0.firstSeen) },
        Column("last_seen", .details, width: 20) { Cell($0.lastSeen) },
        Column("flows", .details, isNumeric: true) { .count($0.flows) },
        Column("bytes_out", .details, isNumeric: true) { .bytes($0.bytes.out) },
        Column("bytes_in", .details, isNumeric: true) { .bytes($0.bytes.in) },
        Column("rule", .csv) { Cell($0.rule?.description) },
        Column("enforcement", .csv) { Cell($0.enforcement?.rawValue) },
        Column("title", .csv) { .text($0.title) },
        Column("why", .people, width: 24) { Cell($0.why) },
        Column("reason", .csv) { Cell($0.reason) },
      ],
      json: \.json)
  }
}

extension Finding {
  /// The reason, after what became of the packets where that matters.
  var why: String? {
    guard let enforcement else { return reason }
    return reason.map { "\(enforcement.rawValue): \($0)" } ?? enforcement.rawValue
  }
}
