/// Reads JSON ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)) into values that know their line, which Foundation's reader does not tell.
///
/// Strict, except that any value may stand at the root. Duplicate members are refused. Nesting is bounded by `depth`.
struct JSONText {
  static let depth = 1000

  struct Failure: Error {
    var line: Int
    var problem: String
  }

  private let bytes: [UInt8]
  private var index = 0
  private var line: Int

  /// Reads one value that fills `text` but for white space; `line` is that of its first octet.
  static func value(of text: some StringProtocol, line: Int = 1) throws(Failure) -> ManifestValue {
    var reader = JSONText(bytes: Array(text.utf8), line: line)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.index == reader.bytes.count else { throw reader.failure("something follows the value") }
    return value
  }

  private init(bytes: [UInt8], line: Int) {
    self.bytes = bytes
    self.line = line
  }

  private func failure(_ problem: String) -> Failure { Failure(line: line, problem: problem) }

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x0a: line += 1
      case 0x20, 0x09, 0x0d: break
      default: return
      }
      index += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> ManifestValue {
    skipSpace()
    guard index < bytes.count else { throw failure("it ends too early") }
    guard depth <= Self.depth else { throw failure("it is nested deeper than \(Self.depth) levels") }
    let line = line
    switch bytes[index] {
    case UInt8(ascii: "{"): return ManifestValue(content: .map(try members(depth: depth)), line: line)
    case UInt8(ascii: "["): return ManifestValue(content: .list(try elements(depth: depth)), line: line)
    case UInt8(ascii: "\""): return ManifestValue(content: .string(try string()), line: line)
    case UInt8(ascii: "t"): return ManifestValue(content: .boolean(true, written: try word("true")), line: line)
    case UInt8(ascii: "f"): return ManifestValue(content: .boolean(false, written: try word("false")), line: line)
    case UInt8(ascii: "n"):
      _ = try word("null")
      return ManifestValue(content: .null, line: line)
    default: return ManifestValue(content: try number(), line: line)
    }
  }

  private mutating func members(depth: Int) throws(Failure) -> [ManifestValue.Member] {
    index += 1
    var members: [ManifestValue.Member] = []
    skipSpace()
    if take("}") { return members }
    repeat {
      skipSpace()
      let line = line
      let key = try string()
      skipSpace()
      guard take(":") else { throw failure("a colon is missing after \(quoted(key))") }
      members.append(.init(key: key, line: line, value: try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw failure("a comma or } is missing") }
    var known: Set<String> = []
    for member in members where !known.insert(member.key).inserted {
      throw Failure(line: member.line, problem: "the key \(quoted(member.key)) stands there twice")
    }
    return members
  }

  private mutating func elements(depth: Int) throws(Failure) -> [ManifestValue] {
    index += 1
    var elements: [ManifestValue] = []
    skipSpace()
    if take("]") { return elements }
    repeat {
      elements.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("a comma or ] is missing") }
    return elements
  }

  private mutating func word(_ word: String) throws(Failure) -> String {
    guard bytes[index...].starts(with: word.utf8) else { throw failure("an unknown word begins here") }
    index += word.utf8.count
    return word
  }

  private mutating func number() throws(Failure) -> ManifestValue.Content {
    let start = index
    while index < bytes.count {
      switch bytes[index] {
      case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): index += 1
      default:
        return try number(String(decoding: bytes[start..<index], as: UTF8.self))
      }
    }
    return try number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  private func number(_ text: String) throws(Failure) -> ManifestValue.Content {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    let zeroLed = digits.hasPrefix("0") && digits.dropFirst().utf8.first.map { (0x30...0x39).contains($0) } ?? false
    guard !zeroLed, digits.utf8.first.map({ (0x30...0x39).contains($0) }) ?? false, digits.utf8.last.map({ (0x30...0x39).contains($0) }) ?? false
    else { throw failure("a value is missing or unknown") }
    if let value = Int64(text) { return .integer(value) }
    guard Double(text) != nil else { throw failure("\(quoted(text)) is no number") }
    return .number(written: text)
  }

  private mutating func string() throws(Failure) -> String {
    guard take("\"") else { throw failure("a string is missing") }
    let start = index
    // Most strings hold no escape and are copied once.
    while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\"), bytes[index] >= 0x20 { index += 1 }
    var text = Array(bytes[start..<index])
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw failure("a control character stands in a string")
      default: text.append(byte)
      }
    }
    throw failure("a string does not end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(Failure) {
    guard index < bytes.count else { throw failure("a string does not end") }
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var scalar = try codeUnit()
      // RFC 8259 7: beyond the basic plane, a pair of surrogates. A lone one stands for no character.
      if (0xd800..<0xdc00).contains(scalar), bytes[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
        index += 2
        let low = try codeUnit()
        scalar = (0xdc00..<0xe000).contains(low) ? 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00) : 0xfffd
      }
      text += String(Character(Unicode.Scalar(scalar) ?? "\u{fffd}")).utf8
    default: throw failure("an unknown escape stands in a string")
    }
  }

  private mutating func codeUnit() throws(Failure) -> UInt32 {
    let digits = bytes[index...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("\\u lacks four digits") }
    index += 4
    return value
  }
}
