public import EgressModel

/// Frame → `Packet`: link → tags → internet → transport, one layer a turn; a tunnel's payload starts again from its own first layer.
///
/// Never traps, never throws, allocates nothing. Checksums are not looked at: with offload they prove nothing.
public struct PacketDecoder {
  /// The header that starts at `offset`. Each layer's function reads its header and says what comes next.
  enum Layer {
    case ethernet, linuxCooked, linuxCooked2, loopback
    case ppp, pppoe, ciscoHDLC, fddi, wifi, radiotap, nflog, mpls
    case etherType(UInt16)
    case rawIP, ipv4, ipv6
    case extensionHeader(UInt8)
    case transport(UInt8)
    case done
  }

  static let maximumTags = 4
  static let maximumExtensionHeaders = 32

  var packet = Packet()
  var offset = 0
  /// The end of the octets that were captured and belong to the innermost datagram: Ethernet's padding lies behind it.
  var end: Int
  /// Where the innermost datagram ends by its own headers, as an offset into the frame as it was on the wire.
  var claimedEnd: Int
  /// Where the innermost IP header begins.
  var internetOffset = 0
  var tags = 0
  var extensionHeaders = 0

  init(frame: Span<UInt8>, originalLength: Int) {
    end = frame.count
    claimedEnd = max(originalLength, frame.count)
  }

  /// Decodes one frame.
  ///
  /// - Parameters:
  ///   - originalLength: octets of the frame on the wire, which may be more than were captured.
  ///   - encapsulation: what the frame was found in; a reassembled datagram may have been inside a tunnel.
  public static func decode(
    _ frame: Span<UInt8>, linkType: LinkType, originalLength: Int, inside encapsulation: Encapsulation = Encapsulation()
  ) -> Packet {
    var decoder = PacketDecoder(frame: frame, originalLength: originalLength)
    decoder.packet.encapsulation = encapsulation
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
    case 9, 50: first = .ppp
    case 10: first = .fddi
    case 51: first = .pppoe
    case 104: first = .ciscoHDLC
    case 105: first = .wifi
    case 127: first = .radiotap
    case 219: first = .mpls
    case 239: first = .nflog
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
      case .ppp: layer = ppp(frame)
      case .pppoe: layer = pppoe(frame)
      case .ciscoHDLC: layer = ciscoHDLC(frame)
      case .fddi: layer = fddi(frame)
      case .wifi: layer = wifi(frame)
      case .radiotap: layer = radiotap(frame)
      case .nflog: layer = nflog(frame)
      case .mpls: layer = mpls(frame)
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
