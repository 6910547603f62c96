import EgressModel

/// What a policy calls names by, in the words of its dialect.
protocol NameMatcher: Sendable, CustomStringConvertible {
  /// Of what was written, left to right.
  var labels: [String] { get }
  func matches(_ name: LabelledName) -> Bool
}

extension NameMatcher {
  func matches(_ name: DomainName) -> Bool { matches(LabelledName(name)) }
}

/// A domain name, or one with a wildcard as its first label: exactly one label, or one or more. Which of both `*` means, the dialect says.
struct NamePattern: NameMatcher, Hashable {
  enum Wildcard: Hashable, Sendable {
    case oneLabel
    case oneOrMoreLabels
  }

  private let wildcard: Wildcard?
  /// What follows the wildcard, with its leading dot; empty for a bare wildcard.
  private let rest: String
  /// As it was written, in lower case and without a trailing dot.
  let description: String
  let labels: [String]

  /// EgressPolicy's: a leading `*.` is exactly one label, `**.` one or more.
  ///
  /// Nil when it is no name: a wildcard elsewhere than as the first label, empty labels, other characters, too long.
  init?(_ text: String) {
    self.init(DomainName(presentation: text).text, wildcards: ["*": .oneLabel, "**": .oneOrMoreLabels])
  }

  /// That of a dialect that knows only `*`. Labels begin and end with a letter, a digit or `_`, and there are at least `minimum` besides the wildcard.
  init?(_ text: String, asterisk: Wildcard, minimum: Int) {
    self.init(DomainName(presentation: text).text, wildcards: ["*": asterisk])
    let labels = (wildcard == nil ? rest : String(rest.dropFirst())).split(separator: ".")
    guard labels.count >= minimum, labels.allSatisfy({ $0.first != "-" && $0.last != "-" }) else { return nil }
  }

  private init?(_ name: String, wildcards: [Substring: Wildcard]) {
    let all = name.split(separator: ".", omittingEmptySubsequences: false)
    var labels = all[...]
    guard name.utf8.count <= 253, let first = labels.first else { return nil }
    wildcard = wildcards[first]
    if wildcard != nil { labels = labels.dropFirst() }
    for label in labels {
      let fits = (1...63).contains(label.utf8.count) && label.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
      guard fits else { return nil }
    }
    rest = wildcard == nil ? name : String(name.dropFirst(first.count))
    description = name
    self.labels = all.map(String.init)
  }

  func matches(_ name: LabelledName) -> Bool {
    guard let wildcard else { return name.text == rest }
    guard wildcard == .oneOrMoreLabels ? name.labels.count >= labels.count : name.labels.count == labels.count else { return false }
    // The root, written as a dot, has no label.
    return name.text.utf8.count > rest.utf8.count && name.text.hasSuffix(rest) && name.labels.first != ""
  }

  /// Whether every name that `other` matches is matched by this one, too.
  func covers(_ other: NamePattern) -> Bool {
    guard let wildcard else { return self == other }
    guard let theirs = other.wildcard else { return matches(DomainName(presentation: other.rest)) }
    if rest == other.rest { return wildcard == .oneOrMoreLabels || theirs == .oneLabel }
    return wildcard == .oneOrMoreLabels && other.rest.hasSuffix(rest)
  }

  /// What follows the wildcard; nil without one.
  var wildcardDomain: String? { wildcard == nil ? nil : String(rest.dropFirst()) }

  /// Why a rule that allows these names says nothing; nil when it does.
  var width: String? {
    guard let domain = wildcardDomain, !domain.contains(".") else { return nil }
    return "\(self) is \(domain.isEmpty ? "every name" : "a whole top-level domain")"
  }
}

extension NameMatcher {
  /// Whether a person would call them near, though the name does not match: they end in the same two labels, or share a telling one
  /// (`segment.io`, `*.segment.com`).
  func resembles(_ name: LabelledName) -> Bool {
    let (mine, theirs) = (labels, name.labels)
    if mine.count >= 2, theirs.count >= 2, mine[mine.count - 1] == theirs[theirs.count - 1], mine[mine.count - 2] == theirs[theirs.count - 2] { return true }
    return mine.contains { $0.utf8.count > 3 && theirs.contains($0) }
  }
}

extension Sequence<NamePattern> {
  /// The domains under which wildcards let names in.
  var wildcardDomains: [DomainName] {
    compactMap(\.wildcardDomain).filter { !$0.isEmpty }.map { DomainName(presentation: $0) }
  }
}
