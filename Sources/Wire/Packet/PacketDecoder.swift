public import EgressModel

/// Frame → `Packet`: link → tags → internet → transport, one layer a turn; a tunnel's payload starts again from its own first layer.
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
    // The rare ones; see `walkOn`.
    case ppp, pppoe, ciscoHDLC, fddi, wifi, radiotap, nflog, mpls
    case otherEtherType(UInt16)
    case otherTransport(UInt8)
    case udpTunnel
    case piece
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
  var opensTunnels = false
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
  ///   - opensTunnels: whether what an IP packet carries is read. Where not, `mayHoldPacket` says that there may be something.
  public static func decode(
    _ frame: Span<UInt8>, linkType: LinkType, originalLength: Int, inside encapsulation: Encapsulation = Encapsulation(), opensTunnels: Bool = true
  ) -> Packet {
    var decoder = PacketDecoder(frame: frame, originalLength: originalLength)
    decoder.opensTunnels = opensTunnels
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
    // What the first fragment was quoted of has its ports there, and needs no more.
    if decoder.packet.isFragment, !decoder.packet.isLaterFragment { decoder.walk(frame, from: .transport(decoder.packet.transport.rawValue)) }
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
      default:
        // By value: where the decoder is lent to nobody, it stays in registers.
        self = Self.walkOn(self, frame, from: layer)
        return
      }
    }
  }

  /// The data of a fragment.
  private mutating func piece() -> Layer {
    setPayload(from: offset)
    return .done
  }

  /// Goes on with a layer that plain frames do not have.
  @inline(never) private static func walkOn(_ decoder: PacketDecoder, _ frame: Span<UInt8>, from first: Layer) -> PacketDecoder {
    var decoder = decoder
    let layer =
      switch first {
      case .ppp: decoder.ppp(frame)
      case .pppoe: decoder.pppoe(frame)
      case .ciscoHDLC: decoder.ciscoHDLC(frame)
      case .fddi: decoder.fddi(frame)
      case .wifi: decoder.wifi(frame)
      case .radiotap: decoder.radiotap(frame)
      case .nflog: decoder.nflog(frame)
      case .mpls: decoder.mpls(frame)
      case .otherEtherType(let type): decoder.otherEtherType(type, frame)
      case .otherTransport(let number): decoder.otherTransport(number, frame)
      case .udpTunnel: decoder.udpTunnel(frame)
      case .piece: decoder.piece()
      default: first
      }
    if case .done = layer { return decoder }
    decoder.walk(frame, from: layer)
    return decoder
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
