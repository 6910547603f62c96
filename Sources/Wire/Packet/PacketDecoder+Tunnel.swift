import EgressModel

// What stands where a plain frame has its IP packet, and what an IP packet has inside instead of a transport. These
// are out of the way of plain frames: one comparison of two ports, or the last case of a switch, leads here, through `walkOn`.
extension PacketDecoder {
  mutating func otherEtherType(_ type: UInt16, _ frame: Span<UInt8>) -> Layer {
    switch type {
    case 0x8864: return .pppoe
    case 0x8847, 0x8848: return .mpls
    // IEEE 802.1ah: a service tag of four octets and an Ethernet frame with its own addresses.
    case 0x88e7:
      guard available >= 4 else { return stop(.truncatedLink) }
      offset += 4
      return enter(.pbb, .ethernet)
    default: return stop(.notIP)
    }
  }

  /// A stack of labels ([RFC 3032 §2.1](https://www.rfc-editor.org/rfc/rfc3032#section-2.1)). It does not say what follows: the first nibble
  /// tells IP, else it is Ethernet, with a control word before it or without ([RFC 4928](https://www.rfc-editor.org/rfc/rfc4928)).
  mutating func mpls(_ frame: Span<UInt8>) -> Layer {
    var isBottom = false
    for _ in 0..<Self.maximumLabels {
      guard available >= 4 else { return stop(.truncatedLink) }
      isBottom = frame[offset + 2] & 1 == 1
      offset += 4
      if isBottom { break }
    }
    guard isBottom else { return stop(.tooManyTags) }
    guard available >= 1 else { return stop(.truncatedLink) }
    switch frame[offset] >> 4 {
    case 4 where available < 20, 6 where available < 40: return stop(.truncatedInternet)
    case 4 where isIPPacket(frame): return enter(.mpls, .ipv4)
    case 6 where isIPPacket(frame): return enter(.mpls, .ipv6)
    // RFC 4385 3: the control word of a pseudowire begins with 0.
    case 0 where available >= 4:
      var framed = self
      framed.offset += 4
      if framed.mayBeEthernet(frame) { offset += 4 }
      return enter(.mpls, .ethernet)
    default: return enter(.mpls, .ethernet)
    }
  }

  /// What an IP packet carries that is neither TCP, UDP, SCTP nor ICMP.
  mutating func otherTransport(_ number: UInt8, _ frame: Span<UInt8>) -> Layer {
    setPayload(from: offset)
    guard opensTunnels else {
      packet.mayHoldPacket = number == 4 || number == 41 || number == 47 || number == 137
      return .done
    }
    switch number {
    // RFC 2003, RFC 2473, RFC 4213.
    case 4: return descend(packet.source.isV4 ? .ipip : .fourInSix, .ipv4, frame)
    case 41: return descend(packet.source.isV4 ? .sixInFour : .sixInSix, .ipv6, frame)
    case 47: return gre(frame)
    // RFC 4023.
    case 137: return descend(nil, .mpls, frame)
    default: return .done
    }
  }

  /// [RFC 2784](https://www.rfc-editor.org/rfc/rfc2784), with key and sequence number ([RFC 2890](https://www.rfc-editor.org/rfc/rfc2890)),
  /// and PPTP's kind of it ([RFC 2637 §4.1](https://www.rfc-editor.org/rfc/rfc2637#section-4.1)).
  private mutating func gre(_ frame: Span<UInt8>) -> Layer {
    guard available >= 4 else { return .done }
    let flags = frame[offset]
    let version = frame[offset + 1] & 0x07
    let type = frame.extracting(offset..<offset + 4).bigEndian16(2)
    let hasAcknowledgment = version == 1 && frame[offset + 1] & 0x80 != 0
    // RFC 1701's routing has a length of its own and is long gone.
    guard flags & 0x40 == 0, version == 0 || version == 1 && type == 0x880b else { return .done }
    let length = 4 + (flags & 0x80 != 0 ? 4 : 0) + (flags & 0x20 != 0 ? 4 : 0) + (flags & 0x10 != 0 ? 4 : 0) + (hasAcknowledgment ? 4 : 0)
    guard available > length else { return .done }
    var inner = self
    inner.offset += length
    let next: Layer
    switch type {
    // WCCP's redirected packets; version 2 has four octets before them.
    case 0x883e:
      if frame[inner.offset] >> 4 != 4, inner.available > 4 { inner.offset += 4 }
      next = .ipv4
    // ERSPAN: type II has a header of eight octets when GRE counts, type I has none.
    case 0x88be:
      if flags & 0x10 != 0 { inner.offset += 8 }
      return descend(.gre, .erspan, .ethernet, inner, frame)
    // Type III: twelve octets, and eight more when the last bit says so.
    case 0x22eb:
      guard inner.available >= 12 else { return .done }
      inner.offset += frame[inner.offset + 11] & 1 == 1 ? 20 : 12
      return descend(.gre, .erspan, .ethernet, inner, frame)
    // An access point's tunnels to its controller, by queue.
    case 0x8200...0x83f0 where type & 0x0f == 0: return descend(.gre, .wifi, .wifi, inner, frame)
    default: next = Self.payload(type)
    }
    return descend(.gre, nil, next, inner, frame)
  }

  /// Ethernet and PPP have EtherTypes only for what carries them.
  private static func payload(_ type: UInt16) -> Layer {
    switch type {
    case 0x6558: .ethernet
    case 0x880b: .ppp
    default: .etherType(type)
    }
  }

  // MARK: Over UDP

  private static let teredoPort: UInt16 = 3544
  private static let l2tpPort: UInt16 = 1701

  @inline(__always) static func mayTunnel(_ source: UInt16, _ destination: UInt16) -> Bool {
    switch destination {
    case 1701, 2152, 3544, 4754, 4789, 4790, 6081, 6635, 8472: true
    default: source == teredoPort || source == l2tpPort
    }
  }

  /// What UDP on the port of a tunnel carries. A port proves little: what does not read as an IP packet that fits is the payload it was.
  mutating func udpTunnel(_ frame: Span<UInt8>) -> Layer {
    guard packet.capturedPayloadLength >= 8 else { return .done }
    guard opensTunnels else {
      packet.mayHoldPacket = true
      return .done
    }
    switch packet.destinationPort {
    // 8472 is what Linux took before the port was assigned, and what Flannel and Cilium still use.
    case 4789, 4790, 8472: return vxlan(frame)
    case 6081: return geneve(frame)
    case 2152: return gtpu(frame)
    // RFC 7510.
    case 6635: return descend(nil, .mpls, frame)
    // RFC 8086.
    case 4754: return gre(frame)
    default:
      if packet.destinationPort == Self.l2tpPort || packet.sourcePort == Self.l2tpPort { return l2tp(frame) }
      return teredo(frame)
    }
  }

  /// [RFC 7348 §5](https://www.rfc-editor.org/rfc/rfc7348#section-5). Where the P flag says that something other than Ethernet may follow
  /// (VXLAN-GPE, draft-ietf-nvo3-vxlan-gpe-13 §3.1), the fourth octet says what.
  private mutating func vxlan(_ frame: Span<UInt8>) -> Layer {
    // Version 0, a network identifier, no maintenance; the first bit announces a group policy.
    guard frame[offset] & 0x3b == 0x08, frame[offset + 7] == 0 else { return .done }
    guard frame[offset] & 0x04 != 0 else { return descend(.vxlan, .ethernet, frame, skipping: 8) }
    switch frame[offset + 3] {
    case 1: return descend(.vxlan, .ipv4, frame, skipping: 8)
    case 2: return descend(.vxlan, .ipv6, frame, skipping: 8)
    case 3: return descend(.vxlan, .ethernet, frame, skipping: 8)
    default: return .done
    }
  }

  /// [RFC 8926 §3.4](https://www.rfc-editor.org/rfc/rfc8926#section-3.4).
  private mutating func geneve(_ frame: Span<UInt8>) -> Layer {
    // Version 0, no control packet; up to 252 octets of options.
    guard frame[offset] & 0xc0 == 0, frame[offset + 1] & 0x80 == 0, frame[offset + 7] == 0 else { return .done }
    let type = frame.extracting(offset..<offset + 4).bigEndian16(2)
    return descend(.geneve, Self.payload(type), frame, skipping: 8 + Int(frame[offset] & 0x3f) * 4)
  }

  /// A G-PDU of GTPv1-U (3GPP TS 29.281 §5.1), with its chain of extension headers.
  private mutating func gtpu(_ frame: Span<UInt8>) -> Layer {
    let flags = frame[offset]
    guard flags & 0xf0 == 0x30, frame[offset + 1] == 255 else { return .done }
    let isFramed = Int(frame.extracting(offset..<offset + 8).bigEndian16(2)) == claimedEnd - offset - 8
    var inner = self
    inner.offset += 8
    if flags & 0x07 != 0 {
      guard inner.available >= 4 else { return .done }
      var next = flags & 0x04 != 0 ? frame[inner.offset + 3] : 0
      inner.offset += 4
      // Each says its length in units of four octets and ends with the next one's type.
      for _ in 0..<Self.maximumExtensionHeaders where next != 0 {
        guard inner.available >= 1 else { return .done }
        let length = Int(frame[inner.offset]) * 4
        guard length > 0, inner.available >= length else { return .done }
        next = frame[inner.offset + length - 1]
        inner.offset += length
      }
      guard next == 0 else { return .done }
    }
    return descend(.gtpu, nil, .rawIP, inner, frame, isFramed: isFramed)
  }

  /// [RFC 4380 §5.1.1](https://www.rfc-editor.org/rfc/rfc4380#section-5.1.1): an IPv6 packet, after authentication and origin if they are there.
  private mutating func teredo(_ frame: Span<UInt8>) -> Layer {
    var inner = self
    if frame[inner.offset] == 0, frame[inner.offset + 1] == 1 {
      guard inner.available >= 4 else { return .done }
      inner.offset += 13 + Int(frame[inner.offset + 2]) + Int(frame[inner.offset + 3])
    }
    if inner.available >= 8, frame[inner.offset] == 0, frame[inner.offset + 1] == 0 { inner.offset += 8 }
    return descend(.teredo, nil, .ipv6, inner, frame)
  }

  /// A data message of L2TPv2 ([RFC 2661 §3.1](https://www.rfc-editor.org/rfc/rfc2661#section-3.1)): PPP.
  private mutating func l2tp(_ frame: Span<UInt8>) -> Layer {
    let flags = frame[offset]
    guard flags & 0x80 == 0, frame[offset + 1] & 0x0f == 2 else { return .done }
    // Length; tunnel and session; sequence numbers; an offset of its own size.
    var length = 2 + (flags & 0x40 != 0 ? 2 : 0) + 4 + (flags & 0x08 != 0 ? 4 : 0)
    if flags & 0x02 != 0 {
      guard available >= length + 2 else { return .done }
      length += 2 + Int(frame.extracting(offset + length..<offset + length + 2).bigEndian16(0))
    }
    return descend(.l2tp, .ppp, frame, skipping: length)
  }

  // MARK: Descent

  static let maximumLabels = 16

  private mutating func descend(_ kind: Encapsulation.Layer?, _ first: Layer, _ frame: Span<UInt8>, skipping: Int = 0) -> Layer {
    var inner = self
    inner.offset += skipping
    return descend(kind, nil, first, inner, frame)
  }

  /// Reads what is inside as a frame of its own. Where that holds no IP packet which fits, this packet stays what it is: one of its
  /// transport, with a payload.
  ///
  /// - Parameter isFramed: the tunnel's own header has a length, which is right: then a longer IP packet is one that was cut short before.
  private mutating func descend(
    _ kind: Encapsulation.Layer?, _ second: Encapsulation.Layer?, _ first: Layer, _ start: PacketDecoder, _ frame: Span<UInt8>,
    isFramed: Bool = false
  ) -> Layer {
    var inner = start
    guard inner.available > 0 else { return .done }
    inner.packet = Packet()
    inner.packet.encapsulation = packet.encapsulation
    for kind in [kind, second] {
      if let kind, !inner.packet.encapsulation.append(kind) { return .done }
    }
    inner.tags = 0
    inner.extensionHeaders = 0
    // As deep as the encapsulation has room for.
    inner.walk(frame, from: first)
    guard inner.packet.hasInternetHeader, isFramed || inner.internetOffset + inner.packet.ipLength <= claimedEnd else { return .done }
    self = inner
    return .done
  }

  /// Whether an IP packet that fits stands at `offset`.
  private func isIPPacket(_ frame: Span<UInt8>) -> Bool {
    var inner = self
    inner.packet = Packet()
    // What it carries is read once, when it is entered: looked at here too, each nesting would double the work.
    inner.opensTunnels = false
    inner.walk(frame, from: .rawIP)
    return inner.packet.hasInternetHeader && inner.internetOffset + inner.packet.ipLength <= claimedEnd
  }

  /// Whether an Ethernet header with an EtherType that is read stands at `offset`.
  private func mayBeEthernet(_ frame: Span<UInt8>) -> Bool {
    guard available >= 14 else { return false }
    switch frame.extracting(offset..<offset + 14).bigEndian16(12) {
    case 0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8864: return true
    default: return false
    }
  }
}
