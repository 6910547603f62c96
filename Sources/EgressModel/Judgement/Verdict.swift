/// What the declared policies say of a flow. Computed by us from the manifests; it does not say what the datapath did.
public struct Verdict: Hashable, Sendable {
  public enum Decision: String, CaseIterable, Sendable, Codable {
    case allowed
    case denied
    /// No policy selects the workload, so everything is let through.
    case unprotected
    /// It cannot be told; `reason` says what is missing.
    case undecidable
  }

  /// What a verdict would be otherwise.
  public struct Proposal: Hashable, Sendable {
    public var decision: Decision
    public var by: [RuleReference]
    public var reason: String?

    public init(decision: Decision, by: [RuleReference] = [], reason: String? = nil) {
      self.decision = decision
      self.by = by
      self.reason = reason
    }
  }

  public var decision: Decision
  /// Every rule that allows the flow, or the rule that denies it; empty when a default decided.
  public var by: [RuleReference]
  /// Denied: the first failing condition of the nearest rule. Undecidable: what is missing.
  public var reason: String?
  /// Denied by default: the rule that came nearest.
  public var nearest: RuleReference?
  /// Denied by the name that was said in the connection, and let through all the same: the rule about another name of the same address that
  /// a data path, which knows names only as addresses, lets it through by.
  public var bypass: RuleReference?
  /// The policies that select the workload, in a stable order.
  public var selectedBy: [String]
  /// What it would be were policies that are only staged in force; nil when the decision would be the same.
  public var would: Proposal?

  public init(
    decision: Decision, by: [RuleReference] = [], reason: String? = nil, nearest: RuleReference? = nil, bypass: RuleReference? = nil,
    selectedBy: [String] = [], would: Proposal? = nil
  ) {
    self.decision = decision
    self.by = by
    self.reason = reason
    self.nearest = nearest
    self.bypass = bypass
    self.selectedBy = selectedBy
    self.would = would
  }
}

/// A rule of a policy object, as a person would look it up.
public struct RuleReference: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// `Kind/namespace/name`; `Kind/name` for cluster-scoped objects.
  public var policy: String
  /// The index in the object's list of egress rules.
  public var rule: Int

  public init(policy: String, rule: Int) {
    self.policy = policy
    self.rule = rule
  }

  public var description: String { "\(policy)#\(rule)" }

  public static func < (a: RuleReference, b: RuleReference) -> Bool {
    (a.policy, a.rule) < (b.policy, b.rule)
  }
}
