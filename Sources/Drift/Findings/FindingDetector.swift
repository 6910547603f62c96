public import EgressModel
public import Policy

/// What is to be said of one endpoint or one flow: the daemon asks when it stores a flow, a report asks for each endpoint of its window.
///
/// Findings are about third parties: the scopes `external` and `private`. Only `denied` is also said of the cluster and its nodes; nothing is
/// ever said of the scope `local`.
public struct FindingDetector: Sendable {
  private let rules: [RuleReference: RuleDescription]
  private let catalogue: VendorCatalogue?

  /// `catalogue` tells which wildcards are wide because unrelated tenants share the domain.
  public init(rules: some Sequence<RuleDescription> = [], catalogue: VendorCatalogue? = nil) {
    self.rules = Dictionary(rules.map { ($0.reference, $0) }) { first, _ in first }
    self.catalogue = catalogue
  }

  /// What is to be said of an endpoint, or of one flow, under its `verdict`, in the order of `FindingKind`.
  ///
  /// - Parameter isNew: whether the workload's group was not known to use this endpoint, and no approval covers it. A rule that allows the
  ///   endpoint and is not wide is an approval, so that what was declared is not reported as new.
  public func kinds(in endpoint: some Observed, isNew: Bool) -> [FindingKind] {
    guard endpoint.scope != .local else { return [] }
    let decision = endpoint.verdict?.decision
    // What was let through for the sake of another name is no failure to enforce.
    let denial = endpoint.verdict?.bypass != nil && endpoint.isAnswered ? FindingKind.bypass : .denied
    guard endpoint.isThirdParty else { return decision == .denied ? [denial] : [] }
    var kinds: [FindingKind] = []
    let isWide = width(of: endpoint) != nil
    if isNew, isWide || !isDeclared(endpoint) { kinds.append(.new) }
    if decision == .denied { kinds.append(denial) }
    if decision == .unprotected { kinds.append(.unprotected) }
    if isWide { kinds.append(.wide) }
    if endpoint.scope == .external, endpoint.namingGap != nil { kinds.append(.unnamed) }
    if endpoint.application?.isEncryptedDNS == true { kinds.append(.encryptedDNS) }
    return kinds
  }

  /// The same, in words.
  public func findings(in endpoint: Endpoint, isNew: Bool) -> [Finding] {
    kinds(in: endpoint, isNew: isNew).compactMap { finding($0, of: endpoint) }
  }

  /// What `kinds` says of one flow, in words, with the flow as their sample.
  public func findings(_ kinds: [FindingKind], in flow: FlowRecord) -> [Finding] {
    guard !kinds.isEmpty else { return [] }
    let endpoint = Endpoint(observing: flow)
    return kinds.compactMap { kind in
      var finding = finding(kind, of: endpoint)
      finding?.destination?.names = flow.destinationNames
      finding?.samples = [flow]
      return finding
    }
  }

  /// What is wide about the rules that let the endpoint through; nil when one of them is not wide, or none does.
  public func width(of endpoint: some Observed) -> String? {
    guard let verdict = endpoint.verdict, verdict.decision == .allowed, let first = verdict.by.first else { return nil }
    return verdict.by.allSatisfy { width(of: $0, for: endpoint) != nil } ? width(of: first, for: endpoint) : nil
  }

  private func width(of reference: RuleReference, for endpoint: some Observed) -> String? {
    guard let rule = rules[reference] else { return nil }
    if let width = rule.width { return width }
    guard let name = endpoint.name?.name,
      let domain = rule.wildcardDomains.first(where: { $0 != name && name.isSameOrUnder($0) })
    else { return nil }
    if PublicSuffixList.registrableDomain(of: domain) == nil { return "*.\(domain) is shared by many registrants" }
    // A wildcard below the shared suffix stays with one tenant.
    guard let shared = catalogue?.manyTenantSuffix(of: name), shared.isSameOrUnder(domain) else { return nil }
    return "*.\(domain) is shared by many tenants"
  }

  /// Whether a rule, wide or not, allows it.
  private func isDeclared(_ endpoint: some Observed) -> Bool {
    endpoint.verdict.map { $0.decision == .allowed && !$0.by.isEmpty } ?? false
  }

  /// Nil for a kind that is not about an endpoint.
  private func finding(_ kind: FindingKind, of endpoint: Endpoint) -> Finding? {
    switch kind {
    case .new: newFinding(endpoint)
    case .denied: deniedFinding(endpoint)
    case .unprotected: unprotectedFinding(endpoint)
    case .wide: wideFinding(endpoint)
    case .unnamed: unnamedFinding(endpoint)
    case .encryptedDNS: encryptedDNSFinding(endpoint)
    case .bypass: bypassFinding(endpoint)
    case .stale: nil
    }
  }

  private func newFinding(_ endpoint: Endpoint) -> Finding {
    let verdict = endpoint.verdict
    let reason: String? =
      switch verdict?.decision {
      case nil: nil
      case .allowed?: verdict?.by.isEmpty == true ? "no rule names it" : "only a wide rule allows it"
      case .denied?: denial(verdict)
      case .unprotected?: "no egress policy selects the workload"
      case .undecidable?: verdict?.reason
      }
    return finding(.new, .warning, "\(endpoint.who) talks to \(endpoint.what) for the first time", endpoint, reason)
  }

  private func deniedFinding(_ endpoint: Endpoint) -> Finding {
    let enforcement: Finding.Enforcement = endpoint.answered > 0 ? .reached : .blocked
    let title =
      switch enforcement {
      case .reached: "\(endpoint.who) reached \(endpoint.what), which its policies deny"
      case .blocked: "\(endpoint.who) tried \(endpoint.what), which its policies deny"
      }
    var finding = finding(
      .denied, enforcement == .reached ? .critical : .warning, title, endpoint, endpoint.verdict?.reason ?? denial(endpoint.verdict))
    finding.enforcement = enforcement
    return finding
  }

  private func bypassFinding(_ endpoint: Endpoint) -> Finding? {
    guard let rule = endpoint.verdict?.bypass else { return nil }
    var finding = finding(
      .bypass, .critical, "\(endpoint.who) reached \(endpoint.what), which its policies deny, at an address that they allow", endpoint,
      "\(rule.shortName) allows another name of \(endpoint.address)\(rules[rule].map { ": " + $0.summary } ?? "")")
    finding.rule = rule
    return finding
  }

  private func unprotectedFinding(_ endpoint: Endpoint) -> Finding {
    finding(
      .unprotected, .warning, "no egress policy selects \(endpoint.who), which talks to \(endpoint.what)", endpoint,
      "no egress policy selects the workload")
  }

  private func wideFinding(_ endpoint: Endpoint) -> Finding? {
    guard let width = width(of: endpoint), let rule = endpoint.verdict?.by.first else { return nil }
    return finding(
      .wide, .info, "only a wide rule lets \(endpoint.who) talk to \(endpoint.what)", endpoint, "\(width) (\(rule.shortName))")
  }

  private func unnamedFinding(_ endpoint: Endpoint) -> Finding? {
    guard let gap = endpoint.namingGap else { return nil }
    return finding(.unnamed, .info, "nothing names what \(endpoint.who) talks to at \(endpoint.what)", endpoint, gap.rawValue)
  }

  private func encryptedDNSFinding(_ endpoint: Endpoint) -> Finding? {
    guard let application = endpoint.application, application.isEncryptedDNS else { return nil }
    return finding(
      .encryptedDNS, .warning, "\(endpoint.who) asks the resolver \(endpoint.what) over an encrypted channel (\(application))", endpoint,
      "its look-ups cannot be seen, so destinations may stay without a name")
  }

  /// `no rule allows it (nearest netpol/shop/egress#1 to 10.0.0.0/8)`.
  private func denial(_ verdict: Verdict?) -> String {
    if let rule = verdict?.by.first { return "\(rule.shortName) denies it" }
    guard let nearest = verdict?.nearest else { return "no rule allows it" }
    return "no rule allows it (nearest \(nearest.shortName)\(rules[nearest].map { " " + $0.summary } ?? ""))"
  }

  private func finding(_ kind: FindingKind, _ severity: Severity, _ title: String, _ endpoint: Endpoint, _ reason: String?) -> Finding {
    Finding(
      kind: kind, severity: severity, title: title, workload: endpoint.workload, destination: endpoint.destination, vendor: endpoint.vendor,
      firstSeen: endpoint.firstSeen, lastSeen: endpoint.lastSeen, flows: endpoint.flows,
      bytes: FlowCounterPair(out: endpoint.out.bytes, in: endpoint.in.bytes),
      rule: endpoint.verdict.flatMap { $0.by.first ?? $0.nearest }, reason: reason)
  }
}

extension Endpoint {
  /// What one flow says of its endpoint; a flow without a workload is its address's.
  public init(observing flow: FlowRecord) {
    self.init(
      workload: flow.workload ?? Workload(address: flow.source.ip), name: flow.name, address: flow.destination.ip, port: flow.destination.port,
      transport: flow.transport, scope: flow.scope, application: flow.application, vendor: flow.vendor, ech: flow.tls?.ech ?? .none,
      firstSeen: flow.start, lastSeen: flow.end, flows: 1, answered: flow.isAnswered ? 1 : 0, out: flow.out, in: flow.in,
      verdict: flow.verdict)
  }

  fileprivate var who: String { workload.shortName }
  fileprivate var what: String { destination.label }
}

extension FlowState {
  /// Whether anything but a refusal came back.
  public var isAnswered: Bool {
    switch self {
    case .attempted, .unanswered, .refused: false
    case .established, .closed, .reset, .answered: true
    }
  }
}
