/// What selects by labels.
protocol LabelMatcher: Sendable {
  func matches(_ labels: [String: String]) -> Bool
  /// A pair that labels must hold for a match; nil when there is no such one.
  var requiredPair: (key: String, value: String)? { get }
}

extension LabelSelector: LabelMatcher {
  /// The rarest-looking pair: the first by name.
  var requiredPair: (key: String, value: String)? { matchLabels.min { $0.key < $1.key } }
}
