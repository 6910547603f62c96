/// Finds the ClientHello in what one client says to one server: its Initial packets, in any order, over any number of datagrams.
///
/// One of these belongs to a flow in which one side said a QUIC long header, and is let go when it has answered. It holds the keys of one
/// connection attempt and the octets of its hello that came so far, never more than `ClientHello.maximumByteCount`.
public struct QUICClientInitials: Sendable {
  private var keys: QUICInitialKeys?
  private var stream = QUICCryptoStream()
  private var datagramCount = 0
  private var derivationCount = 0

  /// The version of the newest Initial that was opened.
  public var version: QUICVersion? { keys?.version }

  /// Datagrams looked at before giving up. A hello with post-quantum keys takes two or three.
  public static let maximumDatagramCount = 32
  /// Key derivations before giving up: one a connection, one more after a Retry or a version negotiation.
  public static let maximumDerivationCount = 4
  /// Packets looked at in one datagram.
  public static let maximumPacketCount = 16
  /// RFC 9000 §7.2: a client's first destination connection ID has at least 8 octets. Shorter ones are no secret worth deriving from.
  static let minimumConnectionIDLength = 8

  public init() {}

  /// Octets of the hello that are held.
  public var byteCount: Int { stream.byteCount }

  /// Whether a datagram can be the first of a client: a long header of a version whose Initial packets can be opened, or of one that is
  /// reserved to make the server negotiate (RFC 9000 §15).
  public static func mayBegin(_ datagram: Span<UInt8>) -> Bool {
    guard QUICLongHeader.looksLikeOne(datagram), let header = try? QUICLongHeader(decoding: datagram) else { return false }
    return header.version.initialSalt != nil || header.version.rawValue & 0x0f0f_0f0f == 0x0a0a_0a0a
  }

  /// Takes the next datagram from the client.
  ///
  /// `needMore` counts octets of the hello, not of datagrams. What cannot be opened is passed over: 0-RTT that overtook the
  /// Initial, other versions, packets with a wrong tag. After a Retry or a version negotiation the client begins again, under keys
  /// of a new connection ID, and so does the hello.
  /// - Parameters:
  ///   - datagram: the UDP payload.
  ///   - isCut: whether the capture holds less than the whole datagram.
  public mutating func feed(datagram: Span<UInt8>, isCut: Bool = false) -> StreamResult<ClientHello> {
    guard datagramCount > 0 || QUICLongHeader.looksLikeOne(datagram) else { return .other(.notLongHeader) }
    datagramCount += 1
    var offset = 0
    for _ in 0..<Self.maximumPacketCount where offset < datagram.count && datagram[offset] & 0x80 != 0 {
      guard let header = try? QUICLongHeader(decoding: datagram, at: offset), isCut || !header.isCut else { break }
      if header.type == .initial { open(datagram, start: offset, header: header) }
      offset = header.protected.upperBound
      // Some fill up a datagram behind its packets; in a frame of several the next begins there.
      while offset < datagram.count, datagram[offset] == 0 { offset += 1 }
    }
    let result = hello()
    guard case .needMore = result else { return result }
    guard datagramCount < Self.maximumDatagramCount, derivationCount < Self.maximumDerivationCount || keys != nil else {
      return .other(.overLimit)
    }
    return result
  }

  private mutating func open(_ datagram: Span<UInt8>, start: Int, header: QUICLongHeader) {
    let connectionID = [UInt8](copying: datagram, in: header.destinationConnectionID)
    // With any keys a cut packet opens to something: it counts only where the keys are certainly its own.
    if header.isCut, let keys, keys.version != header.version || keys.connectionID != connectionID { return }
    if keys?.version == header.version, let frames = keys?.open(datagram, start: start, header: header) {
      QUICInitialFrames.collect(frames, into: &stream)
      return
    }
    guard connectionID.count >= Self.minimumConnectionIDLength || keys != nil else { return }
    guard keys?.version != header.version || keys?.connectionID != connectionID, derivationCount < Self.maximumDerivationCount else {
      return
    }
    derivationCount += 1
    guard var fresh = QUICInitialKeys(version: header.version, connectionID: connectionID),
      let frames = fresh.open(datagram, start: start, header: header)
    else { return }
    keys = fresh
    stream = QUICCryptoStream()
    QUICInitialFrames.collect(frames, into: &stream)
  }

  private func hello() -> StreamResult<ClientHello> {
    let count = stream.contiguousCount
    guard count >= 4 else { return .needMore(atLeast: 4) }
    let header = stream.prefix(4)
    guard header[0] == 1 else { return .other(.notClientHello) }
    let length = 4 + Int(header[1]) << 16 + Int(header[2]) << 8 + Int(header[3])
    guard length <= ClientHello.maximumByteCount else { return .other(.overLimit) }
    guard count >= length else { return .needMore(atLeast: length) }
    let message = stream.prefix(length)
    do throws(WireError) {
      return .found(try ClientHello(decodingHandshake: message.span))
    } catch {
      switch error {
      case .truncated: return .other(.lengthOverrun)
      case .malformed(_, let reason, _): return .other(reason)
      }
    }
  }
}
