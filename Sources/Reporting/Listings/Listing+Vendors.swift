public import Drift
public import EgressModel

extension Listing where Record == VendorSummary {
  /// `vendors`: `egress-obs.vendor.v1`.
  public static var vendors: Listing {
    Listing(
      "vendors",
      columns: [
        Column("vendor", width: 20) { .text($0.title) },
        Column("domain", .details, width: 20) { Cell(text: $0.domain?.text) },
        Column("category", width: 12) { Cell(text: $0.category) },
        Column("workloads", isNumeric: true) { Cell(count: $0.workloads.count) },
        Column("workload_groups", .csv) { Cell(text: $0.workloads.listWording) },
        Column("flows", .details, isNumeric: true) { .count($0.flows) },
        Column("bytes_out", isNumeric: true) { .bytes($0.bytes.out) },
        Column("bytes_in", .details, isNumeric: true) { .bytes($0.bytes.in) },
        Column("policy", width: 24, colour: { $0.standing.colour }) { Cell(text: $0.standing.wording) },
        Column("named_by", width: 20) { .text($0.naming) },
      ],
      json: \.json)
  }
}

extension VendorSummary.Standing {
  /// `allowed netpol/shop/egress#2`, `0.0.0.0/0 only`, `denied`, `unprotected`; nil when nothing was judged.
  public var wording: String? {
    switch self {
    case .unjudged: nil
    case .allowed(let rule): "allowed \(rule.shortName)"
    case .undecidable: "undecidable"
    // What is wide, without why: `0.0.0.0/0 is every IPv4 address`.
    case .wide(let width): "\(width.firstRange(of: " is ").map { width[..<$0.lowerBound] } ?? width[...]) only"
    case .unprotected: "unprotected"
    case .denied: "denied"
    }
  }

  /// The word of a verdict, or `wide`.
  var word: String? {
    switch self {
    case .unjudged: nil
    case .allowed: "allowed"
    case .undecidable: "undecidable"
    case .wide: "wide"
    case .unprotected: "unprotected"
    case .denied: "denied"
    }
  }

  var colour: Colour? {
    switch self {
    case .unjudged: nil
    case .allowed: .green
    case .undecidable, .wide, .unprotected: .yellow
    case .denied: .red
    }
  }
}

extension VendorSummary {
  /// `sni 97% dns 3%`, or `none (ECH 1, no SNI 3)` with flows counted.
  var naming: String {
    if namedBy.isEmpty {
      let reasons = NamingGap.allCases.compactMap { gap in unnamed[gap].map { "\(gap.wording) \($0)" } }
      return reasons.isEmpty ? "none" : "none (\(reasons.joined(separator: ", ")))"
    }
    var words: [String] = []
    var counts: [String: UInt64] = [:]
    for source in NameSource.allCases {
      guard let count = namedBy[source] else { continue }
      if counts[source.shortName] == nil { words.append(source.shortName) }
      counts[source.shortName, default: 0] += min(count, .max / 16)
    }
    let total = counts.values.reduce(0, +)
    // An endpoint may have been stored before its first flow was counted.
    guard total > 0 else { return words.joined(separator: " ") }
    return words.map { "\($0) \(Quantity.percent(counts[$0, default: 0], of: total))" }.joined(separator: " ")
  }

  /// The shape `egress-obs.vendor.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.vendor.v1"),
      "vendor": vendor.map { .string($0) },
      "category": category.map { .string($0) },
      "domain": domain.map { .string($0.text) },
      "workloads": .strings(workloads),
      "flows": .unsigned(flows),
      "bytes": .object(["out": .unsigned(bytes.out), "in": .unsigned(bytes.in)]),
      "policy": standing.json,
      "named_by": namedBy.isEmpty
        ? nil
        : .object(NameSource.allCases.compactMap { source in namedBy[source].map { .init(source.rawValue, .unsigned($0)) } }),
      "unnamed": unnamed.isEmpty
        ? nil : .object(NamingGap.allCases.compactMap { gap in unnamed[gap].map { .init(gap.rawValue, .unsigned($0)) } }),
    ])
  }
}

extension VendorSummary.Standing {
  fileprivate var json: JSONValue? {
    guard let word else { return nil }
    var rule: RuleReference?
    var width: String?
    switch self {
    case .allowed(let reference): rule = reference
    case .wide(let reason): width = reason
    case .unjudged, .undecidable, .unprotected, .denied: break
    }
    return .object(["decision": .string(word), "rule": rule?.json, "reason": width.map { .string($0) }])
  }
}
