import EgressModel

/// A condition on destinations by which rules are filed.
enum Condition: Hashable, Sendable {
  case any
  case node
  case pod
  /// A pod, or a network set, that a selector matches: its number.
  case selector(Int)
  /// A pod in namespaces: the number of their list.
  case namespaces(Int)
  case block(IPPrefix)
  case name(Substring)
  /// A name below a domain; empty for every name.
  case below(Substring)
  /// A name that has a telling label.
  case label(String)
  /// A name of which these are the last two labels.
  case ending(Substring)
}

extension Sequence<IPPrefix> {
  var conditions: [Condition] { map { .block($0) } }
}

extension Sequence where Element: NameMatcher {
  /// One of them holds for each name that is matched.
  var conditions: [Condition] {
    map { pattern in
      let text = pattern.description
      guard let star = text.lastIndex(of: "*") else { return .name(text[...]) }
      // What stands before the first dot is only a part of a label.
      return .below(text[star...].firstIndex(of: ".").map { text[text.index(after: $0)...] } ?? "")
    }
  }

  /// Each of them is enough for a name to resemble what is matched, and one holds if it does.
  var resemblances: [Condition] {
    flatMap { pattern in Condition.resemblances(pattern.description, pattern.labels) }
  }
}

extension Condition {
  static func resemblances(_ text: String, _ labels: [String]) -> [Condition] {
    var resemblances = labels.filter { $0.utf8.count > 3 }.map { Condition.label($0) }
    if labels.count >= 2 { resemblances.append(.ending(text[text.utf8.index(text.endIndex, offsetBy: -labels[labels.count - 2].utf8.count - labels[labels.count - 1].utf8.count - 1)...])) }
    return resemblances
  }
}
