import EgressModel

extension PacketDecoder {
  mutating func rawIP(_ frame: Span<UInt8>) -> Layer {
    guard available >= 1 else { return stop(.truncatedInternet) }
    switch frame[offset] >> 4 {
    case 4: return .ipv4
    case 6: return .ipv6
    default: return stop(.malformedInternet)
    }
  }

  /// [RFC 791 §3.1](https://www.rfc-editor.org/rfc/rfc791#section-3.1).
  @inline(__always) mutating func ipv4(_ frame: Span<UInt8>) -> Layer {
    guard available >= 20 else { return stop(.truncatedInternet) }
    let header = frame.extracting(offset..<offset + 20)
    let headerLength = Int(header[0] & 15) * 4
    guard header[0] >> 4 == 4, headerLength >= 20 else { return stop(.malformedInternet) }
    var length = Int(header.bigEndian16(2))
    // Linux hands over TSO and BIG TCP frames with a total length of 0.
    if length == 0 { length = claimedEnd - offset }
    guard length >= headerLength else { return stop(.malformedInternet) }
    packet.source = IPAddress(v4: header.bigEndian32(12))
    packet.destination = IPAddress(v4: header.bigEndian32(16))
    packet.ipLength = length
    packet.transport = Transport(rawValue: header[9])
    packet.hasInternetHeader = true
    internetOffset = offset
    claimedEnd = offset + length
    end = min(end, claimedEnd)

    guard available >= headerLength else { return stop(.truncatedInternet) }
    offset += headerLength
    let fragment = header.bigEndian16(6)
    // More Fragments, or an offset.
    if fragment & 0x3fff != 0 {
      packet.fragment = Packet.Fragment(
        identification: UInt32(header.bigEndian16(4)), offset: (fragment & 0x1fff) << 3, hasMore: fragment & 0x2000 != 0)
      return .piece
    }
    // AH is the same header over both versions; the others are IPv6's alone.
    return header[9] == 51 ? .extensionHeader(51) : .transport(header[9])
  }

  /// [RFC 8200 §3](https://www.rfc-editor.org/rfc/rfc8200#section-3).
  mutating func ipv6(_ frame: Span<UInt8>) -> Layer {
    guard available >= 40 else { return stop(.truncatedInternet) }
    let header = frame.extracting(offset..<offset + 40)
    guard header[0] >> 4 == 6 else { return stop(.malformedInternet) }
    let next = header[6]
    var length = Int(header.bigEndian16(4)) + 40
    // Segmentation offload and jumbograms (RFC 2675) have a payload length of 0; 59 is "no next header".
    if length == 40, next != 59 { length = max(40, claimedEnd - offset) }
    packet.source = IPAddress(high: header.bigEndian64(8), low: header.bigEndian64(16))
    packet.destination = IPAddress(high: header.bigEndian64(24), low: header.bigEndian64(32))
    packet.ipLength = length
    packet.transport = Transport(rawValue: next)
    packet.hasInternetHeader = true
    internetOffset = offset
    claimedEnd = offset + length
    end = min(end, claimedEnd)
    offset += 40
    return Self.isExtension(next) ? .extensionHeader(next) : .transport(next)
  }

  /// Hop-by-hop options, routing, fragment, authentication (RFC 4302), destination options.
  private static func isExtension(_ type: UInt8) -> Bool {
    type == 0 || type == 43 || type == 44 || type == 51 || type == 60
  }

  /// One extension header ([RFC 8200 §4](https://www.rfc-editor.org/rfc/rfc8200#section-4)).
  mutating func extensionHeader(_ type: UInt8, _ frame: Span<UInt8>) -> Layer {
    guard extensionHeaders < Self.maximumExtensionHeaders else { return stop(.tooManyExtensionHeaders) }
    guard available >= 8 else { return stop(.truncatedInternet) }
    let header = frame.extracting(offset..<offset + 8)
    let next = header[0]
    let length: Int
    switch type {
    case 44: length = 8
    // RFC 4302 2.2: in units of four octets, minus 2.
    case 51: length = (Int(header[1]) + 2) * 4
    default: length = (Int(header[1]) + 1) * 8
    }
    guard claimedEnd - offset >= length else { return stop(.malformedInternet) }
    guard available >= length else { return stop(.truncatedInternet) }
    offset += length
    extensionHeaders += 1
    let field = header.bigEndian16(2)
    // RFC 6946: an "atomic" fragment is a whole packet with a fragment header.
    if type == 44, field & 0xfff9 != 0 {
      packet.fragment = Packet.Fragment(identification: header.bigEndian32(4), offset: field & 0xfff8, hasMore: field & 1 == 1)
    }
    packet.transport = Transport(rawValue: next)
    if packet.fragment != nil { return .piece }
    return Self.isExtension(next) ? .extensionHeader(next) : .transport(next)
  }
}
