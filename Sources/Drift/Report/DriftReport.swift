public import EgressModel
public import Policy

/// What was observed in a window against what the policies allow.
public struct DriftReport: Sendable {
  /// Folded by subject and kind; the most severe first, then by kind, then by bytes.
  public var findings: [Finding]
  /// The third parties of the window, most bytes out first.
  public var vendors: [VendorSummary]
  /// Every third-party conversation that was looked at, with findings or without, in a stable order.
  public var subjects: [Subject]
  public var coverage: Coverage
  /// The rules of the policies, for where they stand in the manifests.
  public var rules: [RuleReference: RuleDescription]

  /// - Parameters:
  ///   - judge: computes every verdict anew; without one, the verdicts that the endpoints carry are taken.
  ///   - policies: what `judge` judges by, or the daemon judged by; nil when there are none.
  ///   - coverage: the window as the store knows it. Its shares of third parties and of encrypted resolvers are counted here, from `endpoints`.
  ///   - catalogue: tells which wildcards unrelated tenants share.
  ///   - isWholeWindow: false when the endpoints were filtered; then nothing can be said of unused rules.
  ///   - isNew: whether an endpoint was first used in the window and no approval covers it.
  public init(
    endpoints: some Sequence<Endpoint>, judge: Judge?, policies: PolicySet?, coverage: Coverage, catalogue: VendorCatalogue? = nil,
    isWholeWindow: Bool = true, isNew: (Endpoint) -> Bool
  ) {
    let rules = policies?.rules ?? []
    let detector = FindingDetector(rules: rules, catalogue: catalogue)
    var folded = FoldedFindings()
    var summaries = VendorSummaries(detector: detector)
    var coverage = coverage.withoutShares
    var subjects: Set<Subject> = []
    // A rule that only denies is not stale for want of use.
    var usedRules = Set(rules.lazy.filter(\.denies).map(\.reference))
    for var endpoint in endpoints {
      if let judge { endpoint.verdict = judge.judge(endpoint.workload, endpoint.destination) }
      usedRules.formUnion(endpoint.verdict?.by ?? [])
      coverage.count(endpoint)
      summaries.add(endpoint)
      if endpoint.isThirdParty { subjects.insert(Subject(workload: endpoint.workload, destination: endpoint.destination)) }
      for finding in detector.findings(in: endpoint, isNew: isNew(endpoint)) { folded.add(finding) }
    }
    let unused = isWholeWindow ? rules.filter { !usedRules.contains($0.reference) } : []
    findings = folded.sorted + unused.map { Finding(unused: $0, coverage: coverage) }
    findings.sort { $0.precedes($1) }
    vendors = summaries.sorted
    self.subjects = subjects.sorted()
    self.coverage = coverage
    self.rules = Dictionary(rules.map { ($0.reference, $0) }) { first, _ in first }
  }

  /// Adds up to three flows to each finding about a conversation.
  public mutating func attachSamples(_ flows: (Finding) throws -> [FlowRecord]) rethrows {
    for index in findings.indices where findings[index].workload != nil {
      findings[index].samples = Array(try flows(findings[index]).prefix(3))
    }
  }
}

extension Finding {
  init(unused rule: RuleDescription, coverage: Coverage) {
    let span = TimeSpan(nanoseconds: coverage.until.since(coverage.from))
    let restarts = coverage.restarts == 1 ? "1 restart" : "\(coverage.restarts) restarts"
    self.init(
      kind: .stale, severity: .info, title: "nothing used \(rule.reference) (\(rule.summary)) in \(span)", rule: rule.reference,
      reason: "0 hits in \(span), \(coverage.watchedPercent)% watched, \(restarts) covered")
  }

  /// The order of a report.
  func precedes(_ other: Finding) -> Bool {
    if severity != other.severity { return severity > other.severity }
    if kind != other.kind { return kind.rank < other.kind.rank }
    let (mine, others) = (bytes.total, other.bytes.total)
    if mine != others { return mine > others }
    if let subject, let theirs = other.subject, subject != theirs { return subject < theirs }
    if let rule, let theirs = other.rule { return rule < theirs }
    return title < other.title
  }
}

extension FindingKind {
  var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}

extension FlowCounterPair {
  /// Both ways; saturates.
  public var total: UInt64 {
    let (sum, overflow) = out.addingReportingOverflow(`in`)
    return overflow ? .max : sum
  }
}
