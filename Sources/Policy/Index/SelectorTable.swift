/// Numbers distinct selectors, and tells of every set of labels which of them match it: asked once, instead of at every verdict.
struct SelectorTable {
  private var ids: [AnyHashable: Int] = [:]
  private var index = SelectorIndex()

  mutating func id(_ selector: some LabelMatcher & Hashable) -> Int {
    if let id = ids[AnyHashable(selector)] { return id }
    let id = ids.count
    ids[AnyHashable(selector)] = id
    index.insert(selector, id: id)
    return id
  }

  /// The ids that match, ascending.
  func matching(_ labels: [String: String]) -> [Int] { index.matching(labels) }
}

/// For ascending numbers.
extension [Int] {
  func holds(_ number: Int) -> Bool {
    let index = lowerBound(of: number)
    return index < count && self[index] == number
  }

  /// Those that are greater.
  func following(_ number: Int) -> ArraySlice<Int> { self[lowerBound(of: number + 1)...] }

  /// How many are less.
  func lowerBound(of number: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
