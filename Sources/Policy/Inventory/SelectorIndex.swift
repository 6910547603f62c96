/// Finds those of many label selectors that match a set of labels, without asking each.
///
/// A selector with `matchLabels` can match only labels that hold one of its pairs, so it is filed under its rarest-looking pair
/// (the first by name) and asked only then; the others are always asked.
struct SelectorIndex: Sendable {
  private struct Pair: Hashable {
    var key: String
    var value: String
  }
  private typealias Entry = (selector: LabelSelector, id: Int)

  private var filed: [Pair: [Entry]] = [:]
  private var unfiled: [Entry] = []

  mutating func insert(_ selector: LabelSelector, id: Int) {
    if let (key, value) = selector.matchLabels.min(by: { $0.key < $1.key }) {
      filed[Pair(key: key, value: value), default: []].append((selector, id))
    } else {
      unfiled.append((selector, id))
    }
  }

  /// The ids of the selectors that match, ascending.
  func matching(_ labels: [String: String]) -> [Int] {
    var ids = unfiled.filter { $0.selector.matches(labels) }.map(\.id)
    if !filed.isEmpty {
      for (key, value) in labels {
        for entry in filed[Pair(key: key, value: value)] ?? [] where entry.selector.matches(labels) { ids.append(entry.id) }
      }
    }
    return ids.sorted()
  }
}
