/// Finds the ClientHello in what one client says to one server over DTLS ([RFC 9147 §5](https://www.rfc-editor.org/rfc/rfc9147#section-5),
/// [RFC 6347 §4](https://www.rfc-editor.org/rfc/rfc6347#section-4)): fragments in any order, over any number of records and datagrams.
///
/// ```
/// | 22 | version (2) | epoch (2) | sequence (6) | length (2) |                                     a record; several a datagram
///   | 1 | length (3) | message sequence (2) | fragment offset (3) | fragment length (3) | …        a handshake fragment; several a record
/// ```
/// The first hello that is whole counts. After a HelloVerifyRequest the client says it again, with a cookie.
public struct DTLSClientHello: Sendable {
  private var messageSequence: UInt16 = 0
  private var messageLength: Int?
  private var fragments = QUICCryptoStream()
  private var datagramCount = 0

  /// Datagrams looked at before giving up.
  public static let maximumDatagramCount = 32
  /// Records looked at in one datagram.
  public static let maximumRecordCount = 16

  public init() {}

  /// Octets of the hello that are held.
  public var byteCount: Int { fragments.byteCount }

  /// Whether a datagram can be the first of a client.
  public static func mayBegin(_ datagram: Span<UInt8>) -> Bool {
    datagram.count >= 25 && isRecord(datagram, at: 0) && datagram[13] == 1
  }

  private static func isRecord(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
    // DTLS 1.0 and 1.2, which 1.3 says too; in the clear is only what is of epoch 0.
    bytes[offset] == 22 && bytes[offset + 1] == 0xfe && (bytes[offset + 2] == 0xff || bytes[offset + 2] == 0xfd)
      && bytes.uint16(at: offset + 3) == 0
  }

  /// Takes the next datagram from the client. `needMore` counts octets of the hello.
  public mutating func feed(datagram: Span<UInt8>) -> StreamResult<ClientHello> {
    datagramCount += 1
    guard datagramCount <= Self.maximumDatagramCount else { return .other(.overLimit) }
    var offset = 0
    for _ in 0..<Self.maximumRecordCount where datagram.count - offset >= 13 {
      guard Self.isRecord(datagram, at: offset) else { break }
      let content = offset + 13
      let end = content + Int(datagram.uint16(at: offset + 11))
      // What a snapshot length cut off is not there, and a fragment is taken whole or not at all.
      if let reason = take(datagram, in: content..<min(end, datagram.count)) { return .other(reason) }
      offset = end
    }
    return hello()
  }

  /// Takes the fragments of a record; says why they are no ClientHello's.
  private mutating func take(_ datagram: Span<UInt8>, in record: Range<Int>) -> WireError.Reason? {
    var offset = record.lowerBound
    while record.upperBound - offset >= 12 {
      guard datagram[offset] == 1 else { return .notClientHello }
      let length = Int(datagram[offset + 1]) << 16 | Int(datagram.uint16(at: offset + 2))
      let sequence = datagram.uint16(at: offset + 4)
      let start = Int(datagram[offset + 6]) << 16 | Int(datagram.uint16(at: offset + 7))
      let count = Int(datagram[offset + 9]) << 16 | Int(datagram.uint16(at: offset + 10))
      guard length <= ClientHello.maximumByteCount else { return .overLimit }
      guard start + count <= length else { return .lengthOverrun }
      guard count <= record.upperBound - offset - 12 else { return nil }
      if messageLength == nil || sequence > messageSequence {
        messageLength = length
        messageSequence = sequence
        fragments = QUICCryptoStream()
      }
      if sequence == messageSequence, length == messageLength {
        fragments.insert([UInt8](copying: datagram, in: offset + 12..<offset + 12 + count)[...], at: UInt64(start))
      }
      offset += 12 + count
    }
    return nil
  }

  private func hello() -> StreamResult<ClientHello> {
    guard let messageLength else { return .needMore(atLeast: 1) }
    guard fragments.contiguousCount >= messageLength else { return .needMore(atLeast: messageLength) }
    let message = fragments.prefix(messageLength)
    var body = ByteCursor(message.span, layer: .dtls, boundary: .structure)
    do throws(WireError) {
      return .found(try ClientHello(message.span, body: &body))
    } catch {
      switch error {
      case .truncated: return .other(.lengthOverrun)
      case .malformed(_, let reason, _): return .other(reason)
      }
    }
  }
}
