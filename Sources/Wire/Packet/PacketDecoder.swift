public import EgressModel

/// Frame → `Packet`: link → tags → internet → transport, one layer a turn.
///
/// Never traps, never throws, allocates nothing. Checksums are not looked at: with offload they prove nothing.
public struct PacketDecoder {
  /// The header that starts at `offset`. Each layer's function reads its header and says what comes next.
  enum Layer {
    case ethernet, linuxCooked, linuxCooked2, loopback
    case etherType(UInt16)
    case rawIP, ipv4, ipv6
    case extensionHeader(UInt8)
    case transport(UInt8)
    case done
  }

  static let maximumTags = 4
  static let maximumExtensionHeaders = 8

  var packet = Packet()
  var offset = 0
  /// The end of the octets that were captured and belong to the innermost datagram: Ethernet's padding lies behind it.
  var end: Int
  /// Where the innermost datagram ends by its own headers, as an offset into the frame as it was on the wire.
  var claimedEnd: Int
  var tags = 0
  var extensionHeaders = 0

  init(frame: Span<UInt8>, originalLength: Int) {
    end = frame.count
    claimedEnd = max(originalLength, frame.count)
  }

  /// Decodes one frame.
  ///
  /// - Parameter originalLength: octets of the frame on the wire, which may be more than were captured.
  public static func decode(_ frame: Span<UInt8>, linkType: LinkType, originalLength: Int) -> Packet {
    var decoder = PacketDecoder(frame: frame, originalLength: originalLength)
    let first: Layer
    switch linkType.rawValue {
    case 1: first = .ethernet
    case 113: first = .linuxCooked
    case 276: first = .linuxCooked2
    // DLT_RAW is 12 on Linux and 14 on OpenBSD; 101 is its number in files.
    case 12, 14, 101: first = .rawIP
    case 228: first = .ipv4
    case 229: first = .ipv6
    case 0, 108: first = .loopback
    default:
      decoder.packet.stop = .unsupportedLinkType
      return decoder.packet
    }
    decoder.walk(frame, from: first)
    return decoder.packet
  }

  /// The headers of the packet that an ICMP error quotes; `hasInternetHeader` is false when there is none.
  ///
  /// At least the ports are there: RFC 792 quotes the IP header and eight octets more.
  public static func decodeQuotation(in frame: Span<UInt8>, of error: Packet) -> Packet {
    var decoder = PacketDecoder(frame: frame, originalLength: error.payloadOffset + error.payloadLength)
    guard error.isICMPError, error.payloadOffset + error.capturedPayloadLength <= frame.count else { return decoder.packet }
    decoder.offset = error.payloadOffset
    decoder.end = error.payloadOffset + error.capturedPayloadLength
    decoder.walk(frame, from: error.transport == .icmp ? .ipv4 : .ipv6)
    return decoder.packet
  }

  mutating func walk(_ frame: Span<UInt8>, from first: Layer) {
    var layer = first
    // Every turn but the last moves `offset` on, and tags and extension headers are counted, so this ends.
    while true {
      switch layer {
      case .ethernet: layer = ethernet(frame)
      case .linuxCooked: layer = linuxCooked(frame)
      case .linuxCooked2: layer = linuxCooked2(frame)
      case .loopback: layer = loopback(frame)
      case .etherType(let type): layer = etherType(type, frame)
      case .rawIP: layer = rawIP(frame)
      case .ipv4: layer = ipv4(frame)
      case .ipv6: layer = ipv6(frame)
      case .extensionHeader(let type): layer = extensionHeader(type, frame)
      case .transport(let number): layer = transport(number, frame)
      case .done: return
      }
    }
  }

  /// Octets captured from `offset` on.
  @inline(__always) var available: Int { end - offset }

  mutating func stop(_ reason: DecodingStop) -> Layer {
    packet.stop = reason
    return .done
  }
}

// A header is checked once, by cutting it out with a constant length (`extracting(offset..<offset + 20)`); after that the compiler
// drops the checks of these reads.
extension Span<UInt8> {
  @inline(__always) func bigEndian16(_ index: Int) -> UInt16 {
    UInt16(self[index]) << 8 | UInt16(self[index + 1])
  }

  @inline(__always) func bigEndian32(_ index: Int) -> UInt32 {
    UInt32(self[index]) << 24 | UInt32(self[index + 1]) << 16 | UInt32(self[index + 2]) << 8 | UInt32(self[index + 3])
  }

  @inline(__always) func bigEndian64(_ index: Int) -> UInt64 {
    UInt64(bigEndian32(index)) << 32 | UInt64(bigEndian32(index + 4))
  }
}
