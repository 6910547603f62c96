import EgressModel

/// What `matchName` and `matchPattern` match, as Cilium 1.19 reads them: `*` stands for any characters of one label, none included, and
/// never for a dot.
///
/// `*.example.com` is one level below, `*example.com` also `example.com` itself and `badexample.com`. Two or more stars as the whole first
/// label stand for one or more labels (before 1.19 they were like one star). Nothing but stars, with or without a dot behind, is every name.
struct CiliumNamePattern: NameMatcher, Hashable {
  private enum Shape: Hashable, Sendable {
    case every
    case exact(String)
    /// A glob for each label; `deep`: below one or more labels more.
    case labels([Glob], deep: Bool)
  }

  private let shape: Shape
  let labels: [String]
  let description: String

  /// A name of which every character is literal.
  init?(name: String) {
    guard Self.isSpelled(name), !name.contains("*") else { return nil }
    description = DomainName(presentation: name).text
    labels = Self.labels(of: description)
    shape = .exact(description)
  }

  /// Nil when it has other characters than letters, digits, `-`, `_`, `.` and `*`, is empty or longer than 255.
  init?(pattern: String) {
    guard Self.isSpelled(pattern) else { return nil }
    description = DomainName(presentation: pattern).text
    labels = Self.labels(of: description)
    let stars = pattern.utf8.drop { $0 == UInt8(ascii: "*") }
    if stars.count < pattern.utf8.count, stars.isEmpty || stars.elementsEqual(".".utf8) {
      shape = .every
    } else if !pattern.contains("*") {
      shape = .exact(description)
    } else {
      var labels = labels
      let deep = labels[0].utf8.count > 1 && labels[0].utf8.allSatisfy { $0 == UInt8(ascii: "*") }
      if deep { labels.removeFirst() }
      shape = .labels(labels.map { Glob($0) }, deep: deep)
    }
  }

  private static func labels(of text: String) -> [String] { text.split(separator: ".", omittingEmptySubsequences: false).map(String.init) }

  private static func isSpelled(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { isNameOctet($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "*") }
  }

  private static func isNameOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }

  func matches(_ name: LabelledName) -> Bool {
    switch shape {
    case .every: return name.text == "." || name.labels.allSatisfy(Self.isLabel)
    case .exact(let text): return name.text == text
    case .labels(let globs, let deep):
      let labels = name.labels
      guard name.text != ".", deep ? labels.count > globs.count : labels.count == globs.count else { return false }
      guard labels.dropLast(globs.count).allSatisfy(Self.isLabel) else { return false }
      // Stars stand for letters, digits, - and _ only, and nothing else can be written in a pattern.
      return zip(globs, labels.suffix(globs.count)).allSatisfy { glob, label in label.utf8.allSatisfy(Self.isNameOctet) && glob.matches(label) }
    }
  }

  private static func isLabel(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isNameOctet) }

  /// Under which domain its wildcards let names in: `example.com` for `*.example.com` and `*x.example.com`; empty for every name, nil without one.
  var wildcardDomain: String? {
    switch shape {
    case .every: ""
    case .exact: nil
    case .labels(let globs, _): globs[((globs.lastIndex { !$0.isLiteral }).map { $0 + 1 } ?? 0)...].map(\.description).joined(separator: ".")
    }
  }
}
