import EgressModel

/// A name in which `*` stands for any run of characters within a label, even none; `*` alone for every name.
struct FQDNPattern: NameMatcher, Hashable {
  /// Empty for `*` alone.
  private let labels: [Glob]
  let description: String

  /// A literal name, or with `wildcards` a pattern; nil when it is neither.
  init?(_ text: String, wildcards: Bool) {
    description = DomainName(presentation: text).text
    let parts = description.split(separator: ".", omittingEmptySubsequences: false)
    let fits = description.utf8.count <= 253 && parts.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.utf8.allSatisfy {
          (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            || wildcards && $0 == UInt8(ascii: "*")
        }
    }
    guard fits else { return nil }
    labels = description == "*" ? [] : parts.map { Glob(String($0)) }
  }

  func matches(_ name: DomainName) -> Bool {
    if labels.isEmpty { return true }
    let parts = name.labels
    return parts.count == labels.count && zip(labels, parts).allSatisfy { $0.matches(String($1)) }
  }

  /// What follows the labels with a wildcard; nil without one, or when nothing does.
  var wildcardDomain: DomainName? {
    guard let last = labels.lastIndex(where: { !$0.isLiteral }), last + 1 < labels.count else { return nil }
    return DomainName(presentation: labels[(last + 1)...].map(\.description).joined(separator: "."))
  }

  /// Why a rule that allows these names says nothing; nil when it does.
  var width: String? {
    if labels.isEmpty { return "\(self) is every name" }
    guard labels.suffix(2).contains(where: { !$0.isLiteral }) else { return nil }
    return "\(self) is a whole top-level domain"
  }
}
