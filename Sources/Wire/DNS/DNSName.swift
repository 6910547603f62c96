internal import EgressModel

/// Decodes domain names of one message ([RFC 1035 §4.1.4](https://www.rfc-editor.org/rfc/rfc1035#section-4.1.4)).
///
/// Keeps its buffer from name to name, and the first names, which most records point back to: the question's and the aliases'.
struct DNSNameDecoder {
  private var text: [UInt8] = []
  private var known: [(offset: Int, name: DomainName)] = []

  private static let maximumKnownCount = 8

  init() {
    // Holds nearly every name without growing.
    text.reserveCapacity(96)
  }

  /// The name at `offset` and where the octets after it begin.
  mutating func name(_ bytes: Span<UInt8>, at offset: Int) throws(WireError) -> (name: DomainName, end: Int) {
    if let target = Self.pointer(bytes, at: offset), let known = known.first(where: { $0.offset == target }) {
      return (known.name, offset + 2)
    }
    text.removeAll(keepingCapacity: true)
    let end = try Self.walk(bytes, at: offset) { label in
      if !text.isEmpty { text.append(UInt8(ascii: ".")) }
      let octets = bytes.extracting(label)
      if Self.isPlain(octets) {
        text.append(addingCapacity: octets.count) { output in
          for index in octets.indices { output.append(octets[index]) }
        }
        return
      }
      for index in label {
        switch bytes[index] {
        case UInt8(ascii: "."):
          // A dot inside a label is not a separator; RFC 1035 5.1 writes it as its decimal escape.
          text.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "0"), UInt8(ascii: "4"), UInt8(ascii: "6")])
        case let octet: DomainName.append(octet, to: &text)
        }
      }
    }
    let name = DomainName(appended: text)
    if known.count < Self.maximumKnownCount { known.append((offset, name)) }
    return (name, end)
  }

  /// Whether a label is written as it is: lower-case letters, digits and hyphens.
  private static func isPlain(_ label: Span<UInt8>) -> Bool {
    for index in label.indices {
      let octet = label[index]
      guard octet &- UInt8(ascii: "a") < 26 || octet &- UInt8(ascii: "0") < 10 || octet == UInt8(ascii: "-") else { return false }
    }
    return true
  }

  /// Where the octets after the name at `offset` begin, without making the name.
  static func skip(_ bytes: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
    try walk(bytes, at: offset) { _ in }
  }

  private static func pointer(_ bytes: Span<UInt8>, at offset: Int) -> Int? {
    guard offset + 1 < bytes.count, bytes[offset] & 0xc0 == 0xc0 else { return nil }
    return Int(bytes[offset] & 0x3f) << 8 | Int(bytes[offset + 1])
  }

  /// Calls `label` with the place of each label in turn.
  private static func walk(_ bytes: Span<UInt8>, at start: Int, label: (Range<Int>) -> Void) throws(WireError) -> Int {
    var position = start
    var runStart = start
    var end: Int?
    var octetCount = 1
    var hopCount = 0
    while true {
      guard position < bytes.count else {
        throw .truncated(layer: .dns, required: 1, available: 0, offset: position)
      }
      let length = Int(bytes[position])
      switch length & 0xc0 {
      case 0x00:
        if length == 0 { return end ?? position + 1 }
        octetCount += 1 + length
        guard octetCount <= 255 else { throw .malformed(layer: .dns, reason: .nameTooLong, offset: position) }
        guard bytes.count - position > length else {
          throw .truncated(layer: .dns, required: 1 + length, available: bytes.count - position, offset: position)
        }
        label(position + 1..<position + 1 + length)
        position += 1 + length
      case 0xc0:
        guard let target = pointer(bytes, at: position) else {
          throw .truncated(layer: .dns, required: 2, available: 1, offset: position)
        }
        // A pointer is to a prior name. Requiring it to lie before the run of labels it ends means that no octet is read
        // twice for one name, so a loop cannot happen; the count of hops bounds chains of pointers to pointers.
        guard target < runStart else { throw .malformed(layer: .dns, reason: .pointerNotBackwards, offset: position) }
        hopCount += 1
        guard hopCount <= 127 else { throw .malformed(layer: .dns, reason: .overLimit, offset: position) }
        end = end ?? position + 2
        position = target
        runStart = target
      default:
        throw .malformed(layer: .dns, reason: .unknownLabelType, offset: position)
      }
    }
  }
}

extension WireError.Reason {
  public static let nameTooLong = Self(rawValue: "a name of more than 255 octets")
  public static let pointerNotBackwards = Self(rawValue: "a compression pointer that does not point backwards")
  public static let unknownLabelType = Self(rawValue: "an unknown label type")
}
