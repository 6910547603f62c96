public import EgressModel

/// What one rule has to do with one flow.
public struct RuleAccount: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case fits
    /// The first failing condition, in words.
    case fails(String)
    /// What would have to be known to tell.
    case unclear(String)
  }

  public var rule: RuleReference
  public var outcome: Outcome

  init(_ rule: RuleReference, _ outcome: Outcome) {
    self.rule = rule
    self.outcome = outcome
  }
}

/// Where a connection ends, as far as it is known.
enum FlowEnd {
  case place(Place)
  case unknown(String)
}
