import EgressModel

/// LDAP up to where it goes on with TLS ([RFC 4511 §4.14](https://www.rfc-editor.org/rfc/rfc4511#section-4.14)).
///
/// ```
/// 30 length | 02 length message ID | operation length | …       77: ExtendedRequest, whose name is 80 length 1.3.6.1.4.1.1466.20037
/// ```
enum LDAPMessage {
  /// Messages looked at: some clients ask what the server can do before they upgrade.
  static let maximumCount = 4
  /// Octets of one of them.
  static let maximumByteCount = 8_192

  private static let startTLS = "1.3.6.1.4.1.1466.20037"

  static func opening(of bytes: Span<UInt8>, isComplete: Bool) -> StreamResult<StreamOpening> {
    var offset = 0
    for _ in 0..<maximumCount {
      var cursor = ByteCursor(bytes, layer: .ldap)
      do throws(WireError) {
        try cursor.skip(offset)
        guard try cursor.uint8(bytes) == 0x30 else { return conclusion(offset) }
        let length = try cursor.berLength(bytes)
        guard length >= 7 else { return conclusion(offset) }
        let end = cursor.offset + length
        guard try cursor.uint8(bytes) == 2 else { return conclusion(offset) }
        let idLength = try cursor.berLength(bytes)
        guard (1...4).contains(idLength) else { return conclusion(offset) }
        try cursor.skip(idLength)
        let operation = try cursor.uint8(bytes)
        let operationLength = try cursor.berLength(bytes)
        guard operationLength <= end - cursor.offset else { return conclusion(offset) }
        switch operation {
        // bind, unbind, modify, add, delete, rename, compare, abandon
        case 0x60, 0x42, 0x66, 0x68, 0x4a, 0x6c, 0x6e, 0x50: return .found(StreamOpening(.ldap))
        case 0x63, 0x77: break
        default: return conclusion(offset)
        }
        guard length <= maximumByteCount else { return .found(StreamOpening(.ldap)) }
        guard bytes.count >= end else { return isComplete ? .found(StreamOpening(.ldap)) : .needMore(atLeast: end) }
        if operation == 0x77, operationLength >= startTLS.utf8.count + 2, try cursor.uint8(bytes) == 0x80,
          try cursor.berLength(bytes) == startTLS.utf8.count, cursor.offset + startTLS.utf8.count <= end, bytes.matches(startTLS, at: cursor.offset)
        {
          return .found(StreamOpening(.ldap, byteCount: end))
        }
        offset = end
      } catch {
        guard error.isTruncation else { return conclusion(offset) }
        return isComplete ? conclusion(offset) : .needMore(atLeast: bytes.count + 1)
      }
    }
    return conclusion(offset)
  }

  /// - Parameter offset: octets of whole messages before.
  private static func conclusion(_ offset: Int) -> StreamResult<StreamOpening> {
    offset > 0 ? .found(StreamOpening(.ldap)) : .other(.notLDAP)
  }
}

extension ByteCursor {
  /// A length of BER or DER in one to four octets ([X.690 §8.1.3](https://www.itu.int/rec/T-REC-X.690)); the indefinite form is malformed.
  mutating func berLength(_ bytes: Span<UInt8>) throws(WireError) -> Int {
    switch try uint8(bytes) {
    case let short where short < 0x80: return Int(short)
    case 0x81: return Int(try uint8(bytes))
    case 0x82: return Int(try uint16(bytes))
    case 0x83: return try uint24(bytes)
    case 0x84:
      let length = try uint32(bytes)
      guard length <= 0x7fff_ffff else { throw malformed(.lengthOverrun) }
      return Int(length)
    default: throw malformed(.lengthOverrun)
    }
  }
}

extension WireError.Reason {
  static let notLDAP = Self(rawValue: "not an LDAP request")
}
