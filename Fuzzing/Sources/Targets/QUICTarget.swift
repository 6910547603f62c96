import EgressModel
import Wire

/// Sealed packets are noise to a fuzzer, so it also writes what stands in them, and the target seals it.
///
/// `| mode | datagrams: length (2), octets |`; what is in them, by the mode's two lowest bits: 0 the datagrams as they are; 1 frames, sealed;
/// 2 a handshake message, sealed in CRYPTO frames in some order; 3 as 1, by a version of its own and coalesced.
enum QUICTarget {
  static func seed(_ mode: UInt8, _ datagrams: [[UInt8]]) -> [UInt8] { [mode] + datagrams.flatMap(Octets.block16) }

  static func run(_ bytes: Span<UInt8>) {
    guard bytes.count > 1 else { return }
    let mode = bytes[0]
    var input = Input(bytes, skipping: 1)
    var parts: [[UInt8]] = []
    while !input.isAtEnd, parts.count < 40 { parts.append(input.range(input.uint16(bytes)).map { bytes[$0] }) }
    switch mode & 3 {
    case 0: feed(parts, isCut: mode & 4 != 0)
    case 1: feed(parts.prefix(4).enumerated().map { seal($0.element, number: $0.offset) }, isCut: mode & 4 != 0)
    case 2: handshake(bytes.extracting(1...), order: mode)
    default:
      let versions = [1, 0x6b33_43cf, 0xff00_0016, 0xff00_001b, 0xface_b002, 0xff00_001d, 0xff00_0022]
      let sealed = parts.prefix(4).enumerated().map { seal($0.element, number: $0.offset, version: versions[Int(mode >> 3) % versions.count]) }
      feed([sealed.flatMap { $0 }], isCut: mode & 4 != 0)
    }
  }

  /// A client's own connection, datagram by datagram.
  @discardableResult
  private static func feed(_ datagrams: [[UInt8]], isCut: Bool) -> ClientHello? {
    var initials = QUICClientInitials()
    for datagram in datagrams {
      _ = QUICClientInitials.mayBegin(datagram.span)
      if let header = try? QUICLongHeader(decoding: datagram.span) {
        demand(header.protected.upperBound <= datagram.count && header.token.upperBound <= header.protected.lowerBound, "a packet is in its datagram")
      }
      let result = initials.feed(datagram: datagram.span, isCut: isCut)
      demand(initials.byteCount <= 2 * ClientHello.maximumByteCount, "what is held is bounded: \(initials.byteCount)")
      switch result {
      case .found(let hello):
        TLSTarget.check(hello)
        return hello
      case .other: return nil
      case .needMore: break
      }
    }
    return nil
  }

  /// A hello is the same in whatever pieces and order it comes.
  private static func handshake(_ message: Span<UInt8>, order: UInt8) {
    guard message.count >= 4, let hello = try? ClientHello(decodingHandshake: message) else { return }
    let length = 4 + Int(message[1]) << 16 + Int(message[2]) << 8 + Int(message[3])
    guard length <= 4_000 else { return }
    let octets = (0..<length).map { message[$0] }
    let size = 1 + length / (1 + Int(order >> 6))
    var frames = stride(from: 0, to: length, by: size).map { InitialPacket.crypto(Array(octets[$0..<min(length, $0 + size)]), at: $0) }
    if order & 8 != 0 { frames.reverse() }
    if order & 16 != 0 { frames = frames.flatMap { [$0, $0, [0, 1]] } }
    let packets = order & 32 != 0 ? [seal(frames.flatMap { $0 }, number: 0)] : frames.enumerated().map { seal($0.element, number: $0.offset) }
    demand(feed(packets, isCut: false) == hello, "\(frames.count) frames in \(packets.count) packets say the same")
  }

  private static func seal(_ frames: [UInt8], number: Int, version: Int = 1) -> [UInt8] {
    let packet = InitialPacket(version: version, number: number, frames: Array(frames.prefix(8_000)))
    guard let octets = try? packet.octets else { fatalError("cannot seal \(frames.count) octets") }
    return octets
  }
}
