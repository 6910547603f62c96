public import Policy

/// What `audit` found, in its order.
public struct AuditReport: Sendable {
  public var findings: [AuditFinding]

  public init(_ audit: Audit) { findings = audit.findings }

  /// - Parameter failOn: for JUnit, the findings that are failures; every finding when empty.
  public func render(as format: ReportFormat, style: TextStyle = TextStyle(), failOn: FailureBar<AuditFinding.Check> = []) -> String {
    switch format {
    case .listing(.markdown): "**egress-obs audit**: \(summary)\n\n" + Listing.audit.render(findings, as: .markdown, style: style)
    case .listing(let format): Listing.audit.render(findings, as: format, style: style)
    case .sarif: SARIFLog(findings).text
    case .junit: JUnitSuite(self, failOn: failOn).text
    }
  }

  /// `2 unprotected, 1 wide`, or `no findings`.
  public var summary: String {
    let counts = AuditFinding.Check.allCases.compactMap { check in
      let count = findings.count { $0.check == check }
      return count > 0 ? "\(count) \(check.rawValue)" : nil
    }
    return counts.isEmpty ? "no findings" : counts.joined(separator: ", ")
  }
}
