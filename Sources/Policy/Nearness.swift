import EgressModel

/// How near a rule comes to a flow: the sum of how near its destination and its ports come. Of the rules that do not fit, the nearest is the one that
/// a person would look for.
enum Nearness {
  /// A fitting destination counts more than a fitting port, since people look for the rule about the destination.
  static let destination = 6
  static let port = 3
  /// The rule fits.
  static let fits = destination + port

  /// For a list of address blocks.
  static func of(_ address: IPAddress, in blocks: some Sequence<IPPrefix>) -> Int {
    blocks.contains { $0.contains(address) } ? destination : 0
  }

  /// For a list of names.
  static func of(_ names: [LabelledName], in patterns: [some NameMatcher]) -> Int {
    if names.isEmpty { return 0 }
    return patterns.reduce(0) { best, pattern in
      best == destination || names.contains(where: pattern.matches) ? destination : names.contains(where: pattern.resembles) ? 1 : best
    }
  }
}

/// A flow that a rule denies in so many words.
struct Denial {
  var by: RuleReference
  var reason: String
  /// The allowing rule that came nearest.
  var nearest: RuleReference?

  /// `scope`: what the denying rule is about (`to 0.0.0.0/0`); `nearest`: with its first failing condition.
  init(by rule: RuleReference, scope: String, nearest: (rule: RuleReference, miss: String)? = nil) {
    by = rule
    reason = "\(rule) denies traffic \(scope)" + (nearest.map { "; \($0.rule): \($0.miss)" } ?? "")
    self.nearest = nearest?.rule
  }

  func verdict(selectedBy: [String]) -> Verdict {
    Verdict(decision: .denied, by: [by], reason: reason, nearest: nearest, selectedBy: selectedBy)
  }
}
