/// Finds those of many selectors that match a set of labels, without asking each.
///
/// A selector that needs a pair is filed under it, and asked only about labels that hold it; the others are always asked.
struct SelectorIndex: Sendable {
  private struct Pair: Hashable {
    var key: String
    var value: String
  }
  private typealias Entry = (selector: any LabelMatcher, id: Int)

  private var filed: [Pair: [Entry]] = [:]
  private var unfiled: [Entry] = []

  mutating func insert(_ selector: some LabelMatcher, id: Int) {
    if let (key, value) = selector.requiredPair {
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
