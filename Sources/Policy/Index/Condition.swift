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
  case name(String)
  /// A name below a domain; empty for every name.
  case below(String)
  /// A name that has a telling label.
  case label(String)
  /// A name of which these are the last two labels.
  case ending(String)
}

extension Sequence<IPPrefix> {
  var conditions: [Condition] { map { .block($0) } }
}

extension Sequence where Element: NameMatcher {
  /// One of them holds for each name that is matched.
  var conditions: [Condition] {
    map { pattern in
      let text = pattern.description
      guard let star = text.lastIndex(of: "*") else { return .name(text) }
      // What stands before the first dot is only a part of a label.
      return .below(text[star...].firstIndex(of: ".").map { String(text[text.index(after: $0)...]) } ?? "")
    }
  }

  /// Each of them is enough for a name to resemble what is matched, and one holds if it does.
  var resemblances: [Condition] {
    flatMap { pattern in Condition.resemblances(pattern.description.split(separator: ".")) }
  }
}

extension Condition {
  static func resemblances(_ labels: [Substring]) -> [Condition] {
    let telling = labels.filter { $0.utf8.count > 3 }.map { Condition.label(String($0)) }
    return labels.count >= 2 ? telling + [.ending(labels.suffix(2).joined(separator: "."))] : telling
  }
}
