public import EgressModel
public import Policy

/// What was observed in a window against what the policies allow.
public struct DriftReport: Sendable {
  /// Folded by subject and kind; the most severe first, then by kind, then by bytes.
  public var findings: [Finding]
  /// The third parties of the window, most bytes out first.
  public var vendors: [VendorSummary]
  /// Every third-party conversation that was looked at, with findings or without.
  public var subjects: Set<Subject>
  public var coverage: Coverage
  /// The rules of the policies, for where they stand in the manifests.
  public var rules: [RuleReference: RuleDescription]

  /// - Parameters:
  ///   - judge: computes every verdict anew; without one, the verdicts that the endpoints carry are taken.
  ///   - policies: what `judge` judges by, or the daemon judged by; nil when there are none.
  ///   - coverage: the window as the store knows it. Its shares of third parties and of encrypted resolvers are counted here, from `endpoints`.
  ///   - catalogue: tells which wildcards unrelated tenants share.
  ///   - isWholeWindow: false when the endpoints were filtered; then nothing can be said of unused rules.
  ///   - approvals: what was accepted; at `time` what has expired is new again, however long it is known.
  ///   - isNew: whether an endpoint, with its subject, was first used in the window.
  public init(
    endpoints: some Sequence<Endpoint>, judge: Judge?, policies: PolicySet?, coverage: Coverage, catalogue: VendorCatalogue? = nil,
    isWholeWindow: Bool = true, approvals: Approvals = Approvals(), at time: Timestamp = Timestamp(nanoseconds: 0), isNew: (Endpoint, Subject) -> Bool
  ) {
    let rules = policies?.rules ?? []
    let detector = FindingDetector(rules: rules, catalogue: catalogue)
    var folded = FoldedFindings()
    var summaries = VendorSummaries(detector: detector)
    var coverage = coverage.withoutShares
    var subjects: Set<Subject> = []
    var usage = RuleUsage(rules)
    for var endpoint in endpoints {
      if let judge { endpoint.verdict = judge.judge(endpoint.workload, endpoint.destination) }
      coverage.count(endpoint)
      let subject = Subject(workload: endpoint.workload, destination: endpoint.destination)
      usage.add(endpoint, subject, isWide: endpoint.isThirdParty && detector.width(of: endpoint) != nil)
      summaries.add(endpoint, group: subject.group)
      if endpoint.isThirdParty { subjects.insert(subject) }
      let standing = approvals.isEmpty ? .unknown : approvals.standing(of: endpoint.destination, for: subject.group, at: time)
      let isUnapproved =
        switch standing {
        case .approved: false
        case .expired: true
        case .unknown: isNew(endpoint, subject)
        }
      for var finding in detector.findings(in: endpoint, isNew: isUnapproved) {
        if finding.kind == .new, case .expired(let approval) = standing { finding.reason = approval.expiryText }
        folded.add(finding, subject)
      }
    }
    let unused = isWholeWindow ? rules.filter { !usage.used.contains($0.reference) } : []
    // A finding is large, and there may be tens of thousands: they are changed where they are.
    var found = folded.take()
    for index in found.indices { found[index].complete(usage, encryptedDNSClients: coverage.encryptedDNSClients) }
    found += unused.map { Finding(unused: $0, coverage, usage) }
    findings = found.inReportOrder
    vendors = summaries.sorted
    self.subjects = subjects
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

extension [Finding] {
  /// A finding is large, and most pairs differ in their first few numbers.
  fileprivate var inReportOrder: [Finding] {
    let weights = map { ($0.severity.rank, $0.kind.rank, $0.bytes.total) }
    return indices.sorted { a, b in
      let (mine, others) = (weights[a], weights[b])
      if mine.0 != others.0 { return mine.0 > others.0 }
      if mine.1 != others.1 { return mine.1 < others.1 }
      if mine.2 != others.2 { return mine.2 > others.2 }
      return self[a].precedes(self[b])
    }
    .map { self[$0] }
  }
}

extension Finding {
  /// With what only all endpoints together tell: what a wide rule was really used for, and whether names may be missing for want of look-ups.
  fileprivate mutating func complete(_ usage: RuleUsage, encryptedDNSClients: [String]) {
    switch kind {
    case .wide: reason = reason.map { reason in reason + (rule.map(usage.purpose) ?? "") }
    case .unnamed where workload.map { encryptedDNSClients.contains($0.shortName) } == true:
      reason = reason.map { "\($0), encrypted DNS in use" }
    default: break
    }
  }

  fileprivate init(unused rule: RuleDescription, _ coverage: Coverage, _ usage: RuleUsage) {
    let span = TimeSpan(nanoseconds: coverage.until.since(coverage.from))
    let restarts = coverage.restarts == 1 ? "1 restart" : "\(coverage.restarts) restarts"
    self.init(
      kind: .stale, severity: .info, title: "nothing used \(rule.reference) (\(rule.summary)) in \(span)", rule: rule.reference,
      reason: "0 hits in \(span), \(coverage.watchedPercent)% watched, \(restarts) covered, \(usage.presence(under: rule.reference.policy))")
  }

  /// The order of a report.
  func precedes(_ other: Finding) -> Bool {
    if severity != other.severity { return severity.rank > other.severity.rank }
    if kind != other.kind { return kind.rank < other.kind.rank }
    let (mine, others) = (bytes.total, other.bytes.total)
    if mine != others { return mine > others }
    if let subject, let theirs = other.subject, subject != theirs { return subject < theirs }
    if let rule, let theirs = other.rule { return rule < theirs }
    return title < other.title
  }
}

extension FindingKind {
  private static let ranks = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))
  var rank: Int { Self.ranks[self] ?? 0 }
}

extension Severity {
  fileprivate var rank: Int {
    switch self {
    case .info: 0
    case .warning: 1
    case .critical: 2
    }
  }
}

extension FlowCounterPair {
  /// Both ways; saturates.
  public var total: UInt64 {
    let (sum, overflow) = out.addingReportingOverflow(`in`)
    return overflow ? .max : sum
  }
}
