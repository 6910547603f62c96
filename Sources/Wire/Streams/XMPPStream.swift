import EgressModel

/// XMPP up to where it goes on with TLS ([RFC 6120 §5](https://www.rfc-editor.org/rfc/rfc6120#section-5)).
enum XMPPStream {
  /// Octets that are looked at.
  static let maximumByteCount = 4_096

  static func opening(of bytes: Span<UInt8>, isComplete: Bool) -> StreamResult<StreamOpening> {
    guard bytes.mayBegin(with: "<?xml") || bytes.mayBegin(with: "<stream:stream") else { return .other(.notXMPP) }
    var isStream = false
    var index = 0
    let end = min(bytes.count, maximumByteCount)
    while index < end {
      switch bytes[index] {
      case UInt8(ascii: "<"):
        if bytes.matches("<stream:stream", at: index) {
          isStream = true
        } else if isStream, bytes.matches("<starttls", at: index) {
          guard let close = bytes.firstIndex(of: UInt8(ascii: ">"), in: index..<end) else { break }
          if bytes[close - 1] == UInt8(ascii: "/") { return .found(StreamOpening(.xmpp, byteCount: close + 1)) }
          // An element with an end tag of its own.
          guard let last = bytes.firstIndex(of: UInt8(ascii: ">"), in: close + 1..<end) else { break }
          return .found(StreamOpening(.xmpp, byteCount: last + 1))
        } else if isStream, bytes.matches("<auth", at: index) || bytes.matches("<iq", at: index) {
          return .found(StreamOpening(.xmpp))
        }
      case UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\t"), 0x20...0x7e, 0x80...0xff: break
      default: return isStream ? .found(StreamOpening(.xmpp)) : .other(.notXMPP)
      }
      index += 1
    }
    guard isComplete || bytes.count >= maximumByteCount else { return .needMore(atLeast: bytes.count + 1) }
    return isStream ? .found(StreamOpening(.xmpp)) : .other(.notXMPP)
  }
}

extension WireError.Reason {
  static let notXMPP = Self(rawValue: "not an XMPP stream")
}
