/// A JSON value whose members keep the order they were given in, so that output is stable and reads like the contract.
///
/// Foundation's encoder orders members by hash or alphabet, which is why this exists. Reading JSON is Foundation's job.
public enum JSONValue: Equatable, Sendable {
  case string(String)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case boolean(Bool)
  case array([JSONValue])
  case object([Member])

  public struct Member: Equatable, Sendable {
    public var key: String
    public var value: JSONValue
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// An object without the members that are nil: an absent fact is left out, never null.
  public static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(members.compactMap { key, value in value.map { Member(key, $0) } })
  }

  public static func strings(_ values: some Sequence<String>) -> JSONValue { .array(values.map { .string($0) }) }

  /// The member of an object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// One line, no spaces.
  public var text: String {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Indented by two spaces, for people.
  public var prettyText: String {
    var bytes: [UInt8] = []
    write(to: &bytes, indent: 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the value as UTF-8 without line breaks, or indented when `indent` is given.
  public func write(to bytes: inout [UInt8], indent: Int? = nil) {
    switch self {
    case .string(let value): Self.write(value, to: &bytes)
    case .integer(let value): bytes += String(value).utf8
    case .unsigned(let value): bytes += String(value).utf8
    // JSON has no infinity and no NaN.
    case .number(let value): bytes += (value.isFinite ? String(value) : "0").utf8
    case .boolean(let value): bytes += (value ? "true" : "false").utf8
    case .array(let values):
      Self.list(values, "[", "]", &bytes, indent) { value, bytes, indent in value.write(to: &bytes, indent: indent) }
    case .object(let members):
      Self.list(members, "{", "}", &bytes, indent) { member, bytes, indent in
        Self.write(member.key, to: &bytes)
        bytes += (indent == nil ? ":" : ": ").utf8
        member.value.write(to: &bytes, indent: indent)
      }
    }
  }

  private static func list<Element>(
    _ elements: [Element], _ open: String, _ close: String, _ bytes: inout [UInt8], _ indent: Int?,
    _ body: (Element, inout [UInt8], Int?) -> Void
  ) {
    bytes += open.utf8
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      if let indent { bytes += ("\n" + String(repeating: " ", count: indent + 2)).utf8 }
      body(element, &bytes, indent.map { $0 + 2 })
    }
    if let indent, !elements.isEmpty { bytes += ("\n" + String(repeating: " ", count: indent)).utf8 }
    bytes += close.utf8
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0a: bytes += "\\n".utf8
      case 0x0d: bytes += "\\r".utf8
      case 0x09: bytes += "\\t".utf8
      // RFC 8259 7: controls must be escaped; DEL and what a terminal acts on are, too.
      case 0..<0x20, 0x7f:
        bytes += "\\u00".utf8
        bytes.append(hex[Int(byte >> 4)])
        bytes.append(hex[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static let hex = Array("0123456789abcdef".utf8)
}
