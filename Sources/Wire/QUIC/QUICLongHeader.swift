/// The long header that starts every packet of a QUIC handshake
/// ([RFC 8999 §5.1](https://www.rfc-editor.org/rfc/rfc8999#section-5.1), [RFC 9000 §17.2](https://www.rfc-editor.org/rfc/rfc9000#section-17.2)).
///
/// ```
/// 1 F T T x x x x   form, fixed bit, type, bits of the type
/// version (32)
/// length (8), destination connection ID (0..160)
/// length (8), source connection ID (0..160)
/// token length (i), token        Initial only
/// length (i)                     packet number and payload; not in a Retry
/// ```
public struct QUICLongHeader: Hashable, Sendable {
  public enum PacketType: String, CaseIterable, Sendable {
    case initial, zeroRTT, handshake, retry
    /// Version 0: the server's list of versions.
    case versionNegotiation
    /// Of a version whose packets cannot be told apart.
    case unknown
  }

  public var version: QUICVersion
  public var type: PacketType
  /// Where the connection IDs and the token are, in octets from the start of the datagram.
  public var destinationConnectionID: Range<Int>
  public var sourceConnectionID: Range<Int>
  public var token: Range<Int>
  /// The protected packet number and the payload. They end where the header says, or with the datagram for types without a length.
  public var protected: Range<Int>
  /// Whether the header says that the packet goes on past the end of the octets given.
  public var isCut: Bool

  /// RFC 9000 §17.2. A later version may have longer ones, which are read for a version that is not known.
  public static let maximumConnectionIDLength = 20

  /// Whether a datagram begins with a long header: one bit. Most UDP payloads of other protocols do not.
  @inlinable public static func looksLikeOne(_ datagram: Span<UInt8>) -> Bool {
    datagram.count >= 7 && datagram[0] & 0x80 != 0
  }

  /// Decodes the header at `offset` of a datagram.
  public init(decoding datagram: Span<UInt8>, at offset: Int = 0) throws(WireError) {
    var cursor = ByteCursor(datagram, layer: .quic)
    try cursor.skip(offset)
    let first = try cursor.uint8(datagram)
    guard first & 0x80 != 0 else { throw .malformed(layer: .quic, reason: .notLongHeader, offset: offset) }
    version = QUICVersion(rawValue: try cursor.uint32(datagram))
    let destination = try cursor.structure8(datagram)
    let source = try cursor.structure8(datagram)
    destinationConnectionID = destination.offset..<destination.end
    sourceConnectionID = source.offset..<source.end
    token = cursor.offset..<cursor.offset
    isCut = false
    protected = cursor.offset..<cursor.end
    if version.rawValue == 0 {
      type = .versionNegotiation
      return
    }
    guard version.initialSalt != nil else {
      type = .unknown
      return
    }
    type = version.packetType(bits: first >> 4)
    guard destination.remaining <= Self.maximumConnectionIDLength, source.remaining <= Self.maximumConnectionIDLength else {
      throw .malformed(layer: .quic, reason: .overLimit, offset: offset + 5)
    }
    if type == .retry { return }
    if type == .initial {
      let length = try cursor.variableLengthInteger(datagram)
      guard length <= UInt64(cursor.remaining) else {
        throw .truncated(layer: .quic, required: Int(length), available: cursor.remaining, offset: cursor.offset)
      }
      let field = try cursor.structure(Int(length))
      token = field.offset..<field.end
    }
    let length = try cursor.variableLengthInteger(datagram)
    isCut = length > UInt64(cursor.remaining)
    protected = cursor.offset..<(isCut ? cursor.end : cursor.offset + Int(length))
  }
}

extension ByteCursor {
  /// One to eight octets, of which the first two bits tell how many ([RFC 9000 §16](https://www.rfc-editor.org/rfc/rfc9000#section-16)).
  mutating func variableLengthInteger(_ bytes: Span<UInt8>) throws(WireError) -> UInt64 {
    try require(1)
    switch bytes[offset] >> 6 {
    case 0: return UInt64(try uint8(bytes))
    case 1: return UInt64(try uint16(bytes) & 0x3fff)
    case 2: return UInt64(try uint32(bytes) & 0x3fff_ffff)
    default: return try uint64(bytes) & 0x3fff_ffff_ffff_ffff
    }
  }
}

extension WireError.Reason {
  public static let notLongHeader = Self(rawValue: "not a QUIC long header")
}
