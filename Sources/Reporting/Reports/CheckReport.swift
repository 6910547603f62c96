public import EgressModel
public import Policy

/// The verdicts that `check` gives, in the order of the flows it was given.
public struct CheckReport: Sendable {
  public var results: [CheckResult]
  /// The rules of the policies, for where they stand in the manifests.
  public var rules: [RuleReference: RuleDescription]
  /// What is a failure where nothing is expected.
  public var failOn: Set<Verdict.Decision>

  public init(results: [CheckResult], policies: PolicySet, failOn: Set<Verdict.Decision> = []) {
    self.results = results
    self.failOn = failOn
    rules = Dictionary(policies.rules.map { ($0.reference, $0) }) { first, _ in first }
  }

  /// The results that differ from what was expected.
  public var mismatches: [CheckResult] { results.filter { !$0.isAsExpected } }

  /// The results of which nothing was expected, and that are what `failOn` names.
  public var failures: [CheckResult] { results.filter { $0.expected == nil && failOn.contains($0.verdict.decision) } }

  /// What is wrong with a result: not as expected; where nothing is, what `failOn` names, or denied when it names nothing.
  func failure(of result: CheckResult) -> String? {
    if let expected = result.expected {
      return result.isAsExpected ? nil : "expected \(expected.rawValue), the policies give \(result.verdict.decision.rawValue)"
    }
    let decision = result.verdict.decision
    return (failOn.isEmpty ? decision == .denied : failOn.contains(decision)) ? decision.rawValue : nil
  }

  public func render(as format: ReportFormat, style: TextStyle = TextStyle()) -> String {
    switch format {
    case .listing(.markdown): "**egress-obs check**: \(summary)\n\n" + Listing.checks.render(results, as: .markdown, style: style)
    case .listing(let format): Listing.checks.render(results, as: format, style: style)
    case .sarif: SARIFLog(findings: results.compactMap(finding), rules: rules, coverage: nil).text
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
}

extension CheckReport {
  /// What a policy denies or does not cover; nil for what is allowed, cannot be decided, or is as expected.
  private func finding(_ result: CheckResult) -> Finding? {
    let verdict = result.verdict
    let kind: FindingKind
    switch verdict.decision {
    case .denied: kind = .denied
    case .unprotected: kind = .unprotected
    case .allowed, .undecidable: return nil
    }
    if result.expected != nil, result.isAsExpected { return nil }
    return Finding(
      kind: kind, severity: kind == .denied ? .critical : .warning,
      title: "\(result.title): \(failure(of: result) ?? verdict.decision.rawValue)" + (verdict.reason.map { " (\($0))" } ?? ""),
      workload: result.workload, destination: result.destination, rule: result.rules.first, reason: verdict.reason)
  }
}
