import EgressModel

/// The way of one flow through the tiers: what has been decided, what came near, and what may have decided otherwise.
struct CalicoWalk {
  private let engine: CalicoEngine
  private let flow: CalicoFlow
  private var tier = ""
  private var denies = true
  /// Whether a policy of this tier is for the pod.
  var isApplicable = false
  /// Whether the tier has neither decided nor passed.
  private(set) var isInTier = true
  private var decision: Verdict?
  /// Of the rules of this tier that would let it go on, and do not fit.
  private var nearest: (rule: CalicoEngine.Rule, check: CalicoEngine.Check, nearness: Int)?
  private var nearestNetworkPolicy: Verdict?
  /// What rules would have decided of which it cannot be told whether they match; nil: it would be somewhere further on.
  private var doubts: [(decision: Verdict.Decision?, reason: String)] = []

  init(_ engine: CalicoEngine, _ flow: CalicoFlow) {
    self.engine = engine
    self.flow = flow
  }

  mutating func enter(tier: String, denies: Bool, isApplicable: Bool) {
    (self.tier, self.denies, self.isApplicable) = (tier, denies, isApplicable)
    (isInTier, nearest, nearestNetworkPolicy) = (true, nil, nil)
  }

  mutating func decide(_ verdict: Verdict) {
    isInTier = false
    decision = verdict
  }

  mutating func take(_ rule: CalicoEngine.Rule, _ check: CalicoEngine.Check) {
    let action = rule.declared.action
    guard check.fits else {
      guard action == .allow || action == .pass, case let nearness = check.nearness, nearness > nearest?.nearness ?? -1 else { return }
      nearest = (rule, check, nearness)
      return
    }
    if let doubt = check.doubt {
      if action != .log { doubts.append((action == .allow ? .allowed : action == .deny ? .denied : nil, "\(rule.reference): \(doubt)")) }
      return
    }
    switch action {
    case .log: break
    case .pass: isInTier = false
    case .allow: decide(Verdict(decision: .allowed, by: [rule.reference]))
    case .deny:
      let near = nearest.map { (rule: $0.rule.reference, miss: engine.miss(of: $0.rule, $0.check, flow)) }
      decide(Denial(by: rule.reference, scope: rule.declared.scope, nearest: near).verdict(selectedBy: []))
    }
  }

  /// What Kubernetes' NetworkPolicies say, which can only allow.
  mutating func take(_ verdict: Verdict) {
    switch verdict.decision {
    case .allowed: decide(verdict)
    case .undecidable: doubts.append((.allowed, verdict.reason ?? ""))
    default: nearestNetworkPolicy = verdict
    }
  }

  /// The verdict if this tier gives one. `lastPolicy`: its last for the pod that has rules.
  mutating func leave(lastPolicy: @autoclosure () -> String?) -> Verdict? {
    if let decision { return settled(decision) }
    guard isInTier, isApplicable, denies else { return nil }
    let note = tier == "default" ? "" : "; tier \(tier) denies what no rule of it decides"
    if let nearest {
      let rule = nearest.rule.reference
      return settled(Verdict(decision: .denied, reason: "\(rule): \(engine.miss(of: nearest.rule, nearest.check, flow))\(note)", nearest: rule))
    }
    if let verdict = nearestNetworkPolicy { return settled(Verdict(decision: .denied, reason: verdict.reason, nearest: verdict.nearest)) }
    return settled(
      Verdict(decision: .denied, reason: "\(lastPolicy() ?? "a policy of tier \(tier)") selects the pod and has no rule that allows this\(note)"))
  }

  /// A verdict stands only if every rule of which it cannot be told whether it matches would have said the same.
  func settled(_ verdict: Verdict) -> Verdict {
    guard let doubt = doubts.first(where: { $0.decision != verdict.decision }) else { return verdict }
    return Verdict(decision: .undecidable, reason: doubt.reason)
  }
}
