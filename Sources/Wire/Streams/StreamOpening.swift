public import EgressModel

/// How a client began to speak on a stream, as far as its own octets tell.
///
/// Each protocol is a pure function of what the client said so far, a `StreamResult<StreamOpening>`. Where another protocol begins behind it
/// (TLS after STARTTLS, whatever goes through a tunnel), `byteCount` says where: what the server answers need not be known.
public struct StreamOpening: Hashable, Sendable {
  public var application: Application?
  /// Where the client wants to go through this stream, or came from.
  public var proxy: ProxyTarget?
  /// Octets after which another protocol may begin; nil when nothing more can be learned from this stream.
  public var byteCount: Int?

  public init(_ application: Application? = nil, proxy: ProxyTarget? = nil, byteCount: Int? = nil) {
    self.application = application
    self.proxy = proxy
    self.byteCount = byteCount
  }
}

extension StreamOpening {
  /// The opening of the first of the protocols below whose octets these are. TLS, HTTP and SSH are not among them.
  ///
  /// - Parameter isComplete: nothing more will come, so what can be told from a part is told.
  public static func first(in bytes: Span<UInt8>, isComplete: Bool = false) -> StreamResult<StreamOpening> {
    var needed: Int?
    for decode in decoders {
      switch decode(bytes, isComplete) {
      case .found(let opening): return .found(opening)
      case .needMore(let count): needed = min(needed ?? count, count)
      case .other: break
      }
    }
    guard let needed else { return .other(.unknownOpening) }
    return .needMore(atLeast: needed)
  }

  private static let decoders: [@Sendable (Span<UInt8>, Bool) -> StreamResult<StreamOpening>] = [
    { bytes, _ in SOCKSRequest.opening(of: bytes) },
    { bytes, _ in ProxyHeader.opening(of: bytes) },
    { bytes, _ in PostgresMessage.opening(of: bytes) },
    { bytes, _ in MySQLPacket.opening(of: bytes) },
    { bytes, _ in RDPNegotiation.opening(of: bytes) },
    { bytes, isComplete in LDAPMessage.opening(of: bytes, isComplete: isComplete) },
    { bytes, _ in MongoMessage.opening(of: bytes) },
    { bytes, _ in RedisCommand.opening(of: bytes) },
    { bytes, _ in KafkaRequest.opening(of: bytes) },
    { bytes, isComplete in XMPPStream.opening(of: bytes, isComplete: isComplete) },
    { bytes, isComplete in TextCommands.opening(of: bytes, isComplete: isComplete) },
  ]
}

extension WireError.Reason {
  public static let unknownOpening = Self(rawValue: "no protocol that is known begins like this")
}

extension Span<UInt8> {
  /// The two octets at `offset`, most significant first; they must be there.
  func uint16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

  /// The four octets at `offset`, most significant first; they must be there.
  func uint32(at offset: Int) -> UInt32 { UInt32(uint16(at: offset)) << 16 | UInt32(uint16(at: offset + 2)) }

  /// The four octets at `offset`, least significant first; they must be there.
  func littleEndian32(at offset: Int) -> UInt32 { uint32(at: offset).byteSwapped }

  /// Whether `text` stands at the start, or does as far as there are octets.
  func mayBegin(with text: String) -> Bool {
    var index = 0
    for octet in text.utf8 {
      guard index < count else { return true }
      guard self[index] == octet else { return false }
      index += 1
    }
    return true
  }
}
