/// Walks the frames of an Initial packet and keeps what its CRYPTO frames carry
/// ([RFC 9000 §12.4](https://www.rfc-editor.org/rfc/rfc9000#section-12.4)).
enum QUICInitialFrames {
  /// Stops in silence at a frame that is cut or that Initial packets do not have; what came before counts.
  static func collect(_ frames: [UInt8], into stream: inout QUICCryptoStream) {
    let bytes = frames.span
    var cursor = ByteCursor(bytes, layer: .quic)
    do throws(WireError) {
      while !cursor.isAtEnd {
        switch try cursor.uint8(bytes) {
        case 0x00:
          // PADDING, which is most of a short hello's datagram.
          var end = cursor.offset
          while end < bytes.count, bytes[end] == 0 { end += 1 }
          try cursor.skip(end - cursor.offset)
        case 0x01: continue  // PING
        case 0x02: try skipACK(bytes, &cursor, hasECN: false)
        case 0x03: try skipACK(bytes, &cursor, hasECN: true)
        case 0x06:
          let offset = try cursor.variableLengthInteger(bytes)
          let length = try cursor.variableLengthInteger(bytes)
          let there = Int(min(length, UInt64(cursor.remaining)))
          stream.insert(frames[cursor.offset..<cursor.offset + there], at: offset)
          try cursor.skip(there)
        default:
          return
        }
      }
    } catch {
      return
    }
  }

  /// RFC 9000 §19.3: largest, delay, count of ranges, first range, pairs, and three counts with ECN.
  private static func skipACK(_ bytes: Span<UInt8>, _ cursor: inout ByteCursor, hasECN: Bool) throws(WireError) {
    for _ in 0..<2 { _ = try cursor.variableLengthInteger(bytes) }
    let rangeCount = try cursor.variableLengthInteger(bytes)
    // Each range takes two octets at the least, so the packet itself bounds the loop.
    guard rangeCount <= UInt64(cursor.remaining / 2) else { throw cursor.malformed(.lengthOverrun) }
    for _ in 0..<1 + 2 * Int(rangeCount) + (hasECN ? 3 : 0) { _ = try cursor.variableLengthInteger(bytes) }
  }
}
