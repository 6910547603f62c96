/// Finds those of many selectors that match a set of labels, without asking each.
///
/// A selector that needs a pair is filed under it, and asked only about labels that hold it; of the others those are asked that do not match everything.
struct SelectorIndex: Sendable {
  private typealias Entry = (selector: any LabelMatcher, id: Int)

  private var filed: [LabelPair: [Entry]] = [:]
  private var unfiled: [Entry] = []
  private var matchingAll: [Int] = []

  mutating func insert(_ selector: some LabelMatcher, id: Int) {
    // Where it needs several pairs, the one that fewest others are filed under.
    if let pair = selector.requiredPairs.min(by: { filed[$0]?.count ?? 0 < filed[$1]?.count ?? 0 }) {
      filed[pair, default: []].append((selector, id))
    } else if selector.selectsEverything {
      matchingAll.append(id)
    } else {
      unfiled.append((selector, id))
    }
  }

  /// The ids of the selectors that match, ascending.
  func matching(_ labels: [String: String]) -> [Int] {
    var ids = matchingAll
    for entry in unfiled where entry.selector.matches(labels) { ids.append(entry.id) }
    if !filed.isEmpty {
      for (key, value) in labels {
        for entry in filed[LabelPair(key: key, value: value)] ?? [] where entry.selector.matches(labels) { ids.append(entry.id) }
      }
    }
    return ids.sorted()
  }
}
