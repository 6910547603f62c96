/// What selects by labels.
protocol LabelMatcher: Sendable {
  func matches(_ labels: [String: String]) -> Bool
  /// Pairs that labels must hold for a match.
  var requiredPairs: [LabelPair] { get }
  /// Whether it surely matches all labels.
  var selectsEverything: Bool { get }
}

struct LabelPair: Hashable, Sendable {
  var key: String
  var value: String
}

extension LabelSelector: LabelMatcher {
  /// In the order of the keys.
  var requiredPairs: [LabelPair] { matchLabels.map { LabelPair(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key } }
}
