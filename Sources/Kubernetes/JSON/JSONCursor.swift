/// Reads one JSON value from its bytes ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)): what is asked for becomes a value, the rest is
/// stepped over without allocating.
///
/// A member or element that `body` does not read is skipped. Null reads as nil.
struct JSONCursor {
  struct Failure: Error, Equatable {
    var offset: Int
    var expected: String
  }

  private let bytes: [UInt8]
  private(set) var offset: Int
  private var depth = 0

  /// Deeper than any object of the API; a schema inside a CRD comes nearest.
  static let maximumDepth = 128

  init(_ bytes: [UInt8], at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  // MARK: - Containers

  mutating func members(_ body: (inout JSONCursor, String) throws -> Void) throws {
    guard try begin(UInt8(ascii: "{")) else { return }
    if try take(UInt8(ascii: "}")) { return leave() }
    repeat {
      guard let key = try string() else { throw failure("a member's name") }
      try require(UInt8(ascii: ":"))
      try value { cursor throws in try body(&cursor, key) }
    } while try take(UInt8(ascii: ","))
    try require(UInt8(ascii: "}"))
    leave()
  }

  mutating func elements(_ body: (inout JSONCursor) throws -> Void) throws {
    guard try begin(UInt8(ascii: "[")) else { return }
    if try take(UInt8(ascii: "]")) { return leave() }
    repeat { try value(body) } while try take(UInt8(ascii: ","))
    try require(UInt8(ascii: "]"))
    leave()
  }

  private mutating func value(_ body: (inout JSONCursor) throws -> Void) throws {
    try skipBlanks()
    let start = offset
    try body(&self)
    if offset == start { try skip() }
  }

  /// False for null, which is an empty container.
  private mutating func begin(_ bracket: UInt8) throws -> Bool {
    if try takeNull() { return false }
    try require(bracket)
    depth += 1
    guard depth <= Self.maximumDepth else { throw failure("less than \(Self.maximumDepth) levels") }
    return true
  }

  private mutating func leave() { depth -= 1 }

  // MARK: - Values

  mutating func string() throws -> String? {
    if try takeNull() { return nil }
    try require(UInt8(ascii: "\""))
    let start = offset
    while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { offset += 1 }
    guard peek == UInt8(ascii: "\\") else {
      guard peek != nil else { throw failure("the end of a string") }
      defer { offset += 1 }
      return String(decoding: bytes[start..<offset], as: UTF8.self)
    }
    var text = Array(bytes[start..<offset])
    while let byte = peek, byte != UInt8(ascii: "\"") {
      offset += 1
      if byte == UInt8(ascii: "\\") { try appendEscaped(to: &text) } else { text.append(byte) }
    }
    guard peek != nil else { throw failure("the end of a string") }
    offset += 1
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func appendEscaped(to text: inout [UInt8]) throws {
    guard let byte = peek else { throw failure("an escaped character") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      var code = UInt32(try codeUnit())
      if (0xd800..<0xdc00).contains(code), peek == UInt8(ascii: "\\"), offset + 1 < bytes.count, bytes[offset + 1] == UInt8(ascii: "u") {
        let before = offset
        offset += 2
        let low = UInt32(try codeUnit())
        if (0xdc00..<0xe000).contains(low) { code = 0x1_0000 + (code - 0xd800) << 10 + (low - 0xdc00) } else { offset = before }
      }
      // Half a pair stands for nothing.
      text += String(Unicode.Scalar(code) ?? "\u{fffd}").utf8
    default: throw failure("an escaped character")
    }
  }

  private mutating func codeUnit() throws -> UInt16 {
    guard offset + 4 <= bytes.count, let unit = UInt16(String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self), radix: 16) else {
      throw failure("four hexadecimal digits")
    }
    offset += 4
    return unit
  }

  mutating func integer() throws -> Int64? {
    if try takeNull() { return nil }
    let text = try literal()
    guard let number = Int64(text) else { throw failure("a whole number") }
    return number
  }

  mutating func boolean() throws -> Bool? {
    if try takeNull() { return nil }
    switch try literal() {
    case "true": return true
    case "false": return false
    default: throw failure("true or false")
    }
  }

  /// A number, or a string: for fields that may be either (`targetPort`).
  mutating func scalar() throws -> String? {
    try skipBlanks()
    return try peek == UInt8(ascii: "\"") ? string() : takeNull() ? nil : literal()
  }

  /// The bytes of the value as they are.
  mutating func raw() throws -> ArraySlice<UInt8> {
    try skipBlanks()
    let start = offset
    try skip()
    return bytes[start..<offset]
  }

  /// Steps over one value of any kind.
  mutating func skip() throws {
    try skipBlanks()
    var open = 0
    repeat {
      try skipBlanks()
      guard let byte = peek else { throw failure("a value") }
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        open += 1
        offset += 1
        guard depth + open <= Self.maximumDepth else { throw failure("less than \(Self.maximumDepth) levels") }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard open > 0 else { throw failure("a value") }
        open -= 1
        offset += 1
      case UInt8(ascii: "\""): try skipString()
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard open > 0 else { throw failure("a value") }
        offset += 1
      default: _ = try literal()
      }
    } while open > 0
  }

  private mutating func skipString() throws {
    offset += 1
    while let byte = peek, byte != UInt8(ascii: "\"") { offset += byte == UInt8(ascii: "\\") ? 2 : 1 }
    guard peek != nil else { throw failure("the end of a string") }
    offset += 1
  }

  // MARK: - Bytes

  /// Whether nothing but blanks is left.
  mutating func isAtEnd() throws -> Bool {
    try skipBlanks()
    return peek == nil
  }

  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipBlanks() throws {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ byte: UInt8) throws -> Bool {
    try skipBlanks()
    guard peek == byte else { return false }
    offset += 1
    return true
  }

  private mutating func require(_ byte: UInt8) throws {
    guard try take(byte) else { throw failure(String(UnicodeScalar(byte))) }
  }

  private mutating func takeNull() throws -> Bool {
    try skipBlanks()
    guard peek == UInt8(ascii: "n") else { return false }
    guard try literal() == "null" else { throw failure("null") }
    return true
  }

  /// Letters, digits and the signs of numbers: at least one of them.
  private mutating func literal() throws -> String {
    try skipBlanks()
    let start = offset
    while let byte = peek, Self.isLiteral(byte) { offset += 1 }
    guard offset > start, offset - start <= 64 else { throw failure("a value") }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private static func isLiteral(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  private func failure(_ expected: String) -> Failure { Failure(offset: offset, expected: expected) }
}

extension JSONCursor {
  /// A map of texts, such as labels.
  mutating func stringMap() throws -> [String: String] {
    var map: [String: String] = [:]
    try members { cursor, key in map[key] = try cursor.string() }
    return map
  }
}
