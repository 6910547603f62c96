extension CalicoSelector {
  /// What is wrong with a selector, and at which octet.
  struct SyntaxError: Error, Hashable {
    var problem: String
    var offset: Int
  }

  /// Parentheses and negations within one another; nobody writes more.
  static let depth = 64

  /// Reads the selector language; an empty text is `all()`.
  init(parsing text: String) throws(SyntaxError) {
    var parser = CalicoSelectorParser(text)
    self = try parser.selector()
  }
}

/// One pass over the octets of a selector.
private struct CalicoSelectorParser {
  private let bytes: [UInt8]
  private var index = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func selector() throws(CalicoSelector.SyntaxError) -> CalicoSelector {
    skipBlanks()
    if index == bytes.count { return .all }
    let selector = try disjunction(depth: 0)
    guard index == bytes.count else { throw failure("&& or || or the end is expected") }
    return selector
  }

  private mutating func disjunction(depth: Int) throws(CalicoSelector.SyntaxError) -> CalicoSelector {
    var parts = [try conjunction(depth: depth)]
    while take("||") { parts.append(try conjunction(depth: depth)) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func conjunction(depth: Int) throws(CalicoSelector.SyntaxError) -> CalicoSelector {
    var parts = [try operation(depth: depth)]
    while take("&&") { parts.append(try operation(depth: depth)) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func operation(depth: Int) throws(CalicoSelector.SyntaxError) -> CalicoSelector {
    guard depth < CalicoSelector.depth else { throw failure("it is nested deeper than \(CalicoSelector.depth) levels") }
    if !starts(with: "!="), take("!") { return .not(try operation(depth: depth + 1)) }
    if take("(") {
      let selector = try disjunction(depth: depth + 1)
      try expect(")")
      return selector
    }
    // No blank may stand before the parenthesis of these: without it they are labels.
    if take("all(") {
      try expect(")")
      return .all
    }
    if take("global(") {
      try expect(")")
      return .global
    }
    if take("has(") {
      let key = try label()
      try expect(")")
      return .has(key)
    }
    return try comparison(of: label())
  }

  private mutating func comparison(of key: String) throws(CalicoSelector.SyntaxError) -> CalicoSelector {
    if take("==") { return .equals(key, try string()) }
    if take("!=") { return .differs(key, try string()) }
    if take("contains") { return .contains(key, try string()) }
    if take("starts") {
      try expect("with")
      return .startsWith(key, try string())
    }
    if take("ends") {
      try expect("with")
      return .endsWith(key, try string())
    }
    if take("not") {
      try expect("in")
      return .isNotIn(key, try strings())
    }
    if take("in") { return .isIn(key, try strings()) }
    throw failure("an operator is expected after the label \(key): ==, !=, in, not in, contains, starts with or ends with")
  }

  private mutating func label() throws(CalicoSelector.SyntaxError) -> String {
    skipBlanks()
    let start = index
    while index < bytes.count, Self.isLabelOctet(bytes[index]) { index += 1 }
    guard index > start else { throw failure("a label is expected") }
    guard index - start <= 512 else { throw failure("the label is longer than 512 characters") }
    let label = String(decoding: bytes[start..<index], as: UTF8.self)
    skipBlanks()
    return label
  }

  private mutating func string() throws(CalicoSelector.SyntaxError) -> String {
    skipBlanks()
    guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
      throw failure("a string in quotes is expected")
    }
    guard let end = bytes[(index + 1)...].firstIndex(of: bytes[index]) else { throw failure("the string has no end") }
    let text = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
    index = end + 1
    skipBlanks()
    return text
  }

  private mutating func strings() throws(CalicoSelector.SyntaxError) -> Set<String> {
    try expect("{")
    var strings: Set<String> = []
    while !take("}") {
      strings.insert(try string())
      if take(",") { continue }
      try expect("}")
      break
    }
    return strings
  }

  private func failure(_ problem: String) -> CalicoSelector.SyntaxError { .init(problem: problem, offset: index) }

  private mutating func expect(_ token: String) throws(CalicoSelector.SyntaxError) {
    guard take(token) else { throw failure("\(token) is expected") }
  }

  private func starts(with token: String) -> Bool { bytes[index...].starts(with: token.utf8) }

  /// Passes over the token if it comes next, and over the blanks around it.
  private mutating func take(_ token: String) -> Bool {
    skipBlanks()
    guard starts(with: token) else { return false }
    index += token.utf8.count
    skipBlanks()
    return true
  }

  private mutating func skipBlanks() {
    while index < bytes.count, bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") { index += 1 }
  }

  private static func isLabelOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
