// Links between two ends. None of this is on the way of an Ethernet frame with an IP packet.
extension PacketDecoder {
  /// PPP ([RFC 1661 §2](https://www.rfc-editor.org/rfc/rfc1661#section-2)), in HDLC-like framing
  /// ([RFC 1662 §3.1](https://www.rfc-editor.org/rfc/rfc1662#section-3.1)) or without; `LINKTYPE_PPP` also holds Cisco's HDLC.
  mutating func ppp(_ frame: Span<UInt8>) -> Layer {
    guard available >= 2 else { return stop(.truncatedLink) }
    switch (frame[offset], frame[offset + 1]) {
    case (0xff, 0x03): offset += 2
    case (0x0f, 0x00), (0x8f, 0x00): return .ciscoHDLC
    default: break
    }
    guard available >= 1 else { return stop(.truncatedLink) }
    var type = UInt16(frame[offset])
    // RFC 1661 2: only the last octet of the protocol field is odd, so a compressed one shows.
    if type & 1 == 0 {
      guard available >= 2 else { return stop(.truncatedLink) }
      type = type << 8 | UInt16(frame[offset + 1])
      offset += 1
    }
    offset += 1
    switch type {
    case 0x0021: return .ipv4
    case 0x0057: return .ipv6
    // RFC 3032 4.3.
    case 0x0281, 0x0283: return .mpls
    default: return stop(.notIP)
    }
  }

  /// A PPPoE session packet ([RFC 2516 §4](https://www.rfc-editor.org/rfc/rfc2516#section-4)).
  mutating func pppoe(_ frame: Span<UInt8>) -> Layer {
    guard available >= 6 else { return stop(.truncatedLink) }
    let header = frame.extracting(offset..<offset + 6)
    guard header[0] == 0x11, header[1] == 0 else { return stop(.notIP) }
    offset += 6
    claimedEnd = min(claimedEnd, offset + Int(header.bigEndian16(4)))
    end = min(end, claimedEnd)
    return enter(.pppoe, .ppp)
  }

  /// Cisco's HDLC ([RFC 1547 §4.3.1](https://www.rfc-editor.org/rfc/rfc1547#section-4.3.1)): address, control, EtherType.
  mutating func ciscoHDLC(_ frame: Span<UInt8>) -> Layer {
    guard available >= 4 else { return stop(.truncatedLink) }
    let type = frame.extracting(offset..<offset + 4).bigEndian16(2)
    offset += 4
    return type > 1500 ? .etherType(type) : stop(.notIP)
  }

  /// Notes a header that has no fields of its own worth keeping, and goes on inside it.
  mutating func enter(_ kind: Encapsulation.Layer, _ next: Layer) -> Layer {
    packet.encapsulation.append(kind) ? next : stop(.notIP)
  }
}
