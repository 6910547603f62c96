extension PacketDecoder {
  /// Ethernet II, and IEEE 802.3 whose length field stands where the EtherType would.
  mutating func ethernet(_ frame: Span<UInt8>) -> Layer {
    guard available >= 14 else { return stop(.truncatedLink) }
    let type = frame.extracting(offset..<offset + 14).bigEndian16(12)
    offset += 14
    return .etherType(type)
  }

  /// [LINKTYPE_LINUX_SLL](https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html): 16 octets, the protocol in the last two.
  mutating func linuxCooked(_ frame: Span<UInt8>) -> Layer {
    guard available >= 16 else { return stop(.truncatedLink) }
    let type = frame.extracting(offset..<offset + 16).bigEndian16(14)
    offset += 16
    return .etherType(type)
  }

  /// [LINKTYPE_LINUX_SLL2](https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html): 20 octets, the protocol in the first two.
  mutating func linuxCooked2(_ frame: Span<UInt8>) -> Layer {
    guard available >= 20 else { return stop(.truncatedLink) }
    let type = frame.extracting(offset..<offset + 20).bigEndian16(0)
    offset += 20
    return .etherType(type)
  }

  /// [LINKTYPE_NULL](https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html): an address family in the byte order of whatever machine captured.
  mutating func loopback(_ frame: Span<UInt8>) -> Layer {
    guard available >= 4 else { return stop(.truncatedLink) }
    let value = frame.extracting(offset..<offset + 4).bigEndian32(0)
    offset += 4
    // Families are small, so only one of the two readings can be one.
    switch value < 1 << 16 ? value : value.byteSwapped {
    case 2: return .ipv4
    // AF_INET6 of Linux; NetBSD and OpenBSD; FreeBSD; Darwin.
    case 10, 24, 28, 30: return .ipv6
    default: return stop(.notIP)
    }
  }

  /// What an EtherType says comes next; VLAN tags are taken off one a turn.
  mutating func etherType(_ type: UInt16, _ frame: Span<UInt8>) -> Layer {
    switch type {
    case 0x0800: return .ipv4
    case 0x86dd: return .ipv6
    // IEEE 802.1Q, 802.1ad, and the tag that stood for QinQ before it.
    case 0x8100, 0x88a8, 0x9100:
      guard tags < Self.maximumTags else { return stop(.tooManyTags) }
      guard available >= 4 else { return stop(.truncatedLink) }
      let next = frame.extracting(offset..<offset + 4).bigEndian16(2)
      offset += 4
      tags += 1
      packet.isTagged = true
      return .etherType(next)
    case 0...1500: return logicalLinkControl(frame)
    default: return .otherEtherType(type)
    }
  }

  /// IEEE 802.2 LLC, with SNAP ([RFC 1042](https://www.rfc-editor.org/rfc/rfc1042)) the only kind that carries IP.
  mutating func logicalLinkControl(_ frame: Span<UInt8>) -> Layer {
    guard available >= 3 else { return stop(.truncatedLink) }
    let header = frame.extracting(offset..<offset + 3)
    guard header[0] == 0xaa, header[1] == 0xaa, header[2] == 0x03 else { return stop(.notIP) }
    guard available >= 8 else { return stop(.truncatedLink) }
    let snap = frame.extracting(offset..<offset + 8)
    // The zero organisation means that an EtherType follows; so does that of bridged Ethernet (IEEE 802.1H).
    guard snap[3] == 0, snap[4] == 0, snap[5] == 0 || snap[5] == 0xf8 else { return stop(.notIP) }
    let type = snap.bigEndian16(6)
    offset += 8
    // An LLC length here would start the same header again, and again.
    return type > 1500 ? .etherType(type) : stop(.notIP)
  }
}
