import EgressModel

/// Finds those of many rules that matter to a flow, without asking each.
///
/// Rules stand in an order, which is their number. Those of policies that select the same pods are one group (`SelectionLists`), and a group's rules
/// are filed by conditions on the destination. What is found is then asked as if it were all, so that only the engine itself says what a rule means.
struct RuleIndex: Sendable {
  struct Entry {
    /// Nil: nobody is selected by the rule's policy.
    var group: Int?
    /// One of these holds wherever the rule fits, only an exception keeps it from fitting, or it cannot be told.
    var deciding: [Condition]
    /// Each of these is enough for the rule's destination to come near, and to come equally near for every rule that has it.
    var near: [Condition]
    /// What besides the destination makes how near the rule comes. Of rules that are equal in this, and near by the same condition, the first is the nearest
    /// or has an equal before it; so the others need not be found.
    var rest: AnyHashable
  }

  /// Where rules are filed.
  private struct Filing: Hashable {
    var group: Int
    var condition: Int
  }

  private var numbers: [Condition: Int] = [:]
  private var deciding: [Filing: [Int]] = [:]
  private var nearest: [Filing: [Int]] = [:]
  private var groups: [Int: [Int]] = [:]
  private var lengths4: [Int] = []
  private var lengths6: [Int] = []
  /// Every search finds all rules of the groups: what a search is tested against.
  private let isPlain: Bool
  @TaskLocal static var isPlain = false

  /// `entries` in the order of the rules.
  init(_ entries: some Sequence<Entry>) {
    isPlain = Self.isPlain
    var kinds: [AnyHashable: Int] = [:]
    var known: [Filing: Set<Int>] = [:]
    for (rule, entry) in entries.enumerated() {
      guard let group = entry.group else { continue }
      groups[group, default: []].append(rule)
      for condition in Set(entry.deciding) { deciding[Filing(group: group, condition: number(condition)), default: []].append(rule) }
      let kind = kinds[entry.rest] ?? kinds.count
      kinds[entry.rest] = kind
      for condition in Set(entry.near) {
        let filing = Filing(group: group, condition: number(condition))
        if known[filing, default: []].insert(kind).inserted { nearest[filing, default: []].append(rule) }
      }
    }
    var lengths: (v4: Set<Int>, v6: Set<Int>) = ([], [])
    for case .block(let block) in numbers.keys {
      if block.isV4 { lengths.v4.insert(block.length) } else { lengths.v6.insert(block.length) }
    }
    lengths4 = Array(lengths.v4)
    lengths6 = Array(lengths.v6)
  }

  private mutating func number(_ condition: Condition) -> Int {
    if let number = numbers[condition] { return number }
    numbers[condition] = numbers.count
    return numbers.count - 1
  }

  /// The numbers of those conditions that rules have.
  func numbers(of conditions: some Sequence<Condition>) -> [Int] { conditions.compactMap { numbers[$0] } }

  /// The numbers of the conditions that an address and names meet.
  func met(by address: IPAddress, _ names: [LabelledName]) -> [Int] {
    var met = numbers(of: CollectionOfOne(.any))
    for length in address.isV4 ? lengths4 : lengths6 {
      if let block = IPPrefix(address, length: length), let number = numbers[.block(block)] { met.append(number) }
    }
    for name in names {
      if let number = numbers[.name(name.text[...])] { met.append(number) }
      if let number = numbers[.below("")] { met.append(number) }
      var rest = name.text[...]
      while let dot = rest.firstIndex(of: ".") {
        rest = rest[rest.index(after: dot)...]
        if !rest.isEmpty, let number = numbers[.below(rest)] { met.append(number) }
      }
    }
    return met
  }

  /// The numbers of the conditions that names meet only by resembling what is wanted.
  func resembled(by names: [LabelledName]) -> [Int] { numbers(of: names.lazy.flatMap { Condition.resemblances($0.text, $0.labels) }) }

  /// In order, every rule of the groups that may fit where these conditions are met.
  func rules(of groups: [Int], meeting conditions: [Int]) -> [Int] {
    if isPlain { return rules(of: groups) }
    return found(in: groups, conditions) { [deciding[$0]] }
  }

  /// The same, and for each place in the order the rule before it that comes nearest.
  func rules(of groups: [Int], near conditions: [Int]) -> [Int] {
    if isPlain { return rules(of: groups) }
    return found(in: groups, conditions) { [deciding[$0], nearest[$0]] }
  }

  /// All rules of the groups, in order.
  func rules(of groups: [Int]) -> [Int] {
    groups.count == 1 ? self.groups[groups[0]] ?? [] : groups.flatMap { self.groups[$0] ?? [] }.sorted()
  }

  private func found(in groups: [Int], _ conditions: [Int], _ filed: (Filing) -> [[Int]?]) -> [Int] {
    var rules: [Int] = []
    for group in groups {
      for condition in conditions {
        for case let more? in filed(Filing(group: group, condition: condition)) { rules += more }
      }
    }
    return rules.sortedOnce
  }
}

extension Array where Element: Comparable {
  /// In order, and each element once.
  var sortedOnce: [Element] {
    if count < 2 { return self }
    var sorted = sorted()
    var last: Element?
    sorted.removeAll { element in
      defer { last = element }
      return element == last
    }
    return sorted
  }
}
