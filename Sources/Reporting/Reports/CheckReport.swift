public import EgressModel
public import Policy

/// The verdicts that `check` gives, in the order of the flows it was given.
public struct CheckReport: Sendable {
  public var results: [CheckResult]
  /// The rules of the policies, for where they stand in the manifests.
  public var rules: [RuleReference: RuleDescription]

  public init(results: [CheckResult], policies: PolicySet) {
    self.results = results
    rules = Dictionary(policies.rules.map { ($0.reference, $0) }) { first, _ in first }
  }

  /// The results that differ from what was expected.
  public var mismatches: [CheckResult] { results.filter { !$0.isAsExpected } }

  public func render(as format: ReportFormat, style: TextStyle = TextStyle()) -> String {
    switch format {
    case .listing(.markdown): "**egress-obs check**: \(summary)\n\n" + Listing.checks.render(results, as: .markdown, style: style)
    case .listing(let format): Listing.checks.render(results, as: format, style: style)
    case .sarif: SARIFLog(findings: results.compactMap(\.finding), rules: rules, coverage: nil).text
    case .junit: JUnitSuite(self).text
    }
  }

  /// `3 allowed, 1 denied`, and how many were not as expected.
  public var summary: String {
    let counts = Verdict.Decision.allCases.compactMap { decision in
      let count = results.count { $0.verdict.decision == decision }
      return count > 0 ? "\(count) \(decision.rawValue)" : nil
    }
    let text = counts.isEmpty ? "no flows" : counts.joined(separator: ", ")
    return mismatches.isEmpty ? text : text + "; \(mismatches.count) not as expected"
  }
}

extension CheckResult {
  var title: String { "\(workload.pathName) → \(destination.description)/\(destination.transport)" }

  /// What is wrong with the result: not as expected or, when nothing is expected, denied.
  var failure: String? {
    if let expected, !isAsExpected { return "expected \(expected.rawValue), the policies give \(verdict.decision.rawValue)" }
    return expected == nil && verdict.decision == .denied ? "denied" : nil
  }

  /// What a policy denies or does not cover; nil for what is allowed, cannot be decided, or is as expected.
  var finding: Finding? {
    let kind: FindingKind
    switch verdict.decision {
    case .denied: kind = .denied
    case .unprotected: kind = .unprotected
    case .allowed, .undecidable: return nil
    }
    if expected != nil, isAsExpected { return nil }
    return Finding(
      kind: kind, severity: kind == .denied ? .critical : .warning,
      title: "\(title): \(failure ?? verdict.decision.rawValue)" + (verdict.reason.map { " (\($0))" } ?? ""), workload: workload,
      destination: destination, rule: rules.first, reason: verdict.reason)
  }
}
