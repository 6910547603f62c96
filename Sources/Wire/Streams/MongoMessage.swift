import EgressModel

/// A message of a MongoDB client ([wire protocol](https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/)).
///
/// ```
/// | length (4) | request (4) | 0 (4) | operation (4) | …      little-endian; 2013: OP_MSG, 2012: OP_COMPRESSED, 2004: OP_QUERY
/// ```
enum MongoMessage {
  /// The server refuses longer ones.
  static let maximumByteCount: UInt32 = 48_000_000

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    if bytes.count >= 4, !(21...maximumByteCount).contains(bytes.littleEndian32(at: 0)) { return .other(.notMongo) }
    guard bytes.count >= 21 else {
      return bytes.count >= 12 && !isFirst(bytes) ? .other(.notMongo) : .needMore(atLeast: 21)
    }
    guard isFirst(bytes) else { return .other(.notMongo) }
    let isMongo =
      switch bytes.littleEndian32(at: 12) {
      // Flags: more to come, and an answer in parts allowed; then the kind of the first section.
      case 2013: bytes.littleEndian32(at: 16) & 0xfffe == 0 && bytes[20] <= 1
      case 2012: [2004, 2013].contains(bytes.littleEndian32(at: 16))
      // Flags, then the collection.
      case 2004: bytes.littleEndian32(at: 16) < 0x100 && (0x21...0x7e).contains(bytes[20])
      default: false
      }
    return isMongo ? .found(StreamOpening(.mongodb)) : .other(.notMongo)
  }

  /// Whether it answers nothing; some clients say so with ones.
  private static func isFirst(_ bytes: Span<UInt8>) -> Bool { bytes.uint32(at: 8) == 0 || bytes.uint32(at: 8) == .max }
}

extension WireError.Reason {
  static let notMongo = Self(rawValue: "not a message of a MongoDB client")
}
