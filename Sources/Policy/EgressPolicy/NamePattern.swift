import EgressModel

/// A domain name, or one with a leading `*.` (exactly one label) or `**.` (one or more labels).
struct NamePattern: Hashable, Sendable, CustomStringConvertible {
  private enum Front: Hashable, Sendable {
    case exact
    case oneLabel
    case oneOrMoreLabels
  }

  private let front: Front
  /// What follows the wildcard, with its leading dot; empty for a bare wildcard.
  private let rest: String
  let description: String

  /// Nil when it is no name: a wildcard elsewhere than as the first label, empty labels, other characters, too long.
  init?(_ text: String) {
    let name = DomainName(presentation: text).text
    var labels = name.split(separator: ".", omittingEmptySubsequences: false)[...]
    guard name.utf8.count <= 253, let first = labels.first else { return nil }
    front = first == "*" ? .oneLabel : first == "**" ? .oneOrMoreLabels : .exact
    if front != .exact { labels = labels.dropFirst() }
    for label in labels {
      let fits = (1...63).contains(label.utf8.count) && label.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
      guard fits else { return nil }
    }
    rest = front == .exact ? name : String(name.dropFirst(first.count))
    description = name
  }

  func matches(_ name: DomainName) -> Bool {
    let text = name.text
    guard front != .exact else { return text == rest }
    // `matches` is asked on every judged name: compare octets, make no copies.
    let (bytes, suffix) = (text.utf8, rest.utf8)
    guard bytes.count > suffix.count, bytes.suffix(suffix.count).elementsEqual(suffix) else { return false }
    let labels = bytes.dropLast(suffix.count)
    // The root, written as a dot, has no label.
    guard labels.first != UInt8(ascii: ".") else { return false }
    return front == .oneOrMoreLabels || !labels.contains(UInt8(ascii: "."))
  }

  /// What follows the wildcard; nil without one.
  var wildcardDomain: String? { front == .exact ? nil : String(rest.dropFirst()) }
}

extension NamePattern {
  /// Whether a person would call them near: they end in the same two labels, or share a telling one (`segment.io`, `*.segment.com`).
  func resembles(_ name: DomainName) -> Bool {
    let (mine, theirs) = (description.split(separator: "."), name.labels)
    if mine.count >= 2, theirs.count >= 2, mine.suffix(2).elementsEqual(theirs.suffix(2)) { return true }
    return mine.contains { $0.utf8.count > 3 && theirs.contains($0) }
  }
}
