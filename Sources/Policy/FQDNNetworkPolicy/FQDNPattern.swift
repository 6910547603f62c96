import EgressModel

/// A name in which `*` stands for any run of characters within a label, even none; `*` alone for every name.
struct FQDNPattern: NameMatcher, Hashable {
  /// Empty for `*` alone.
  private let globs: [Glob]
  let labels: [String]
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
    labels = parts.map(String.init)
    globs = description == "*" ? [] : labels.map { Glob($0) }
  }

  func matches(_ name: LabelledName) -> Bool {
    if globs.isEmpty { return true }
    return name.labels.count == globs.count && zip(globs, name.labels).allSatisfy { $0.matches($1) }
  }

  /// What follows the labels with a wildcard; nil without one, or when nothing does.
  var wildcardDomain: DomainName? {
    guard let last = globs.lastIndex(where: { !$0.isLiteral }), last + 1 < globs.count else { return nil }
    return DomainName(presentation: globs[(last + 1)...].map(\.description).joined(separator: "."))
  }

  /// Why a rule that allows these names says nothing; nil when it does.
  var width: String? {
    if globs.isEmpty { return "\(self) is every name" }
    guard globs.suffix(2).contains(where: { !$0.isLiteral }) else { return nil }
    return "\(self) is a whole top-level domain"
  }
}
