public import Drift
public import EgressModel

extension DriftReport {
  /// The report as one text, with its coverage (which CSV cannot hold: see `CoverageText`).
  ///
  /// - Parameter failOn: for JUnit, the findings that are failures; every finding when empty.
  public func render(as format: ReportFormat, style: TextStyle = TextStyle(), failOn: FailureBar<FindingKind> = []) -> String {
    switch format {
    case .listing(.markdown):
      "**egress-obs**: \(summary)\n\n" + Listing.findings(rules: rules).render(findings, as: .markdown, style: style, coverage: coverage)
    case .listing(let format): Listing.findings(rules: rules).render(findings, as: format, style: style, coverage: coverage)
    case .sarif: SARIFLog(findings: findings, rules: rules, coverage: coverage).text
    case .junit: JUnitSuite(self, failOn: failOn).text
    }
  }

  /// The third parties instead of the findings.
  public func renderVendors(as format: OutputFormat, style: TextStyle = TextStyle()) -> String {
    Listing.vendors.render(vendors, as: format, style: style, coverage: coverage)
  }

  /// `3 new, 1 denied`, or `no findings`.
  public var summary: String {
    let counts = FindingKind.allCases.compactMap { kind in
      let count = findings.count { $0.kind == kind }
      return count > 0 ? "\(count) \(kind.rawValue)" : nil
    }
    return counts.isEmpty ? "no findings" : counts.joined(separator: ", ")
  }
}
