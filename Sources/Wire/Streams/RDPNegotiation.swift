import EgressModel

/// What an RDP client says first: an X.224 connection request in a TPKT, with the security it can do
/// ([MS-RDPBCGR §2.2.1.1](https://learn.microsoft.com/openspecs/windows_protocols/ms-rdpbcgr/18a27ef9-6f9a-4501-b000-94b1fe3c2c10)).
///
/// ```
/// 3 0 length (2) | LI | e0 | 0 0 | source (2) | class | Cookie: … CR LF | 1 flags 8 0 protocols (4, little-endian) |
/// ```
enum RDPNegotiation {
  static let maximumByteCount = 1_024

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    guard bytes.mayBegin(with: "\u{3}\0") else { return .other(.notRDP) }
    if bytes.count > 5, bytes[5] != 0xe0 { return .other(.notRDP) }
    guard bytes.count >= 11 else { return .needMore(atLeast: 11) }
    let length = Int(bytes.uint16(at: 2))
    guard (11...maximumByteCount).contains(length), Int(bytes[4]) == length - 5, bytes.uint16(at: 6) == 0 else { return .other(.notRDP) }
    // A cookie or a routing token is a line. What counts is where the negotiation request stands, not the length that is claimed.
    var request = 11
    if bytes.count > 11, bytes[11] != 1 {
      for index in 11..<min(bytes.count, length) where bytes[index] == UInt8(ascii: "\n") {
        request = index + 1
        break
      }
      guard request > 11 else { return bytes.count < length ? .needMore(atLeast: bytes.count + 1) : .other(.notRDP) }
    }
    guard request + 8 <= length else {
      return bytes.matches("Cookie: ", at: 11) ? .found(StreamOpening(.rdp)) : .other(.notRDP)
    }
    guard bytes.count >= request + 8 else { return .needMore(atLeast: request + 8) }
    guard bytes[request] == 1, bytes[request + 2] == 8, bytes[request + 3] == 0 else { return .other(.notRDP) }
    // No bit set: RDP's own encryption.
    guard bytes.uint32(at: request + 4) != 0 else { return .found(StreamOpening(.rdp)) }
    // With the flag 8 there is a correlation of 36 octets behind the request.
    let end = request + 8 + (bytes[request + 1] & 8 != 0 ? 36 : 0)
    return bytes.count >= end ? .found(StreamOpening(.rdp, byteCount: end)) : .needMore(atLeast: end)
  }
}

extension WireError.Reason {
  static let notRDP = Self(rawValue: "not what an RDP client says first")
}
