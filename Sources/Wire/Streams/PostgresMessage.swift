import EgressModel

/// What a PostgreSQL client says first ([protocol 3.0, message formats](https://www.postgresql.org/docs/current/protocol-message-formats.html)).
///
/// ```
/// | length (4) | code (4) | …        3.x: StartupMessage; 80877103: SSLRequest; …104: GSSENCRequest; …102: CancelRequest
/// ```
enum PostgresMessage {
  /// The server refuses longer ones.
  static let maximumStartupLength = 10_000

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    guard bytes.mayBegin(with: "\0\0") else { return .other(.notPostgres) }
    guard bytes.count >= 8 else { return .needMore(atLeast: 8) }
    let length = Int(bytes.uint32(at: 0))
    switch bytes.uint32(at: 4) {
    // After either the client may ask for the other, begin in the clear, or go on with TLS.
    case 80_877_103 where length == 8, 80_877_104 where length == 8: return .found(StreamOpening(.postgres, byteCount: 8))
    case 80_877_102 where (16...maximumStartupLength).contains(length): return .found(StreamOpening(.postgres))
    case 0x0003_0000...0x0003_ffff where (9...maximumStartupLength).contains(length):
      guard bytes.count >= 9 else { return .needMore(atLeast: 9) }
      // Parameters are pairs of names and values; an empty name ends them.
      switch bytes[8] {
      case 0 where length == 9, UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): return .found(StreamOpening(.postgres))
      default: return .other(.notPostgres)
      }
    default: return .other(.notPostgres)
    }
  }
}

extension WireError.Reason {
  static let notPostgres = Self(rawValue: "not what a PostgreSQL client says first")
}
