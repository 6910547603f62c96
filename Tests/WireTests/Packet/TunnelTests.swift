import EgressModel
import Testing
import Wire

private typealias Parts = FrameParts

@Suite struct TunnelTests {
  private static func decode(_ packet: [UInt8], originalLength: Int? = nil) -> Packet {
    PacketDecoder.decode(packet.span, linkType: .raw, originalLength: originalLength ?? packet.count)
  }

  private static func inner(_ isV4: Bool) -> [UInt8] {
    var packet = isV4 ? Parts.ipv4(Parts.tcp()) : Parts.ipv6(Parts.tcp())
    // 10.0.0.9, 2001:db8::9.
    packet[isV4 ? 15 : 23] = 9
    return packet
  }

  private static func source(_ isV4: Bool) -> IPAddress? { isV4 ? IPAddress(v4: 0x0a00_0009) : IPAddress("2001:db8::9") }

  @Test(arguments: Tunnel.all, [true, false])
  func `the innermost packet is read, and every prefix is it, or the outer one, or truncated, never a trap`(tunnel: Tunnel, isV4: Bool) {
    guard isV4 ? tunnel.carriesV4 : tunnel.carriesV6 else { return }
    let inner = Self.inner(isV4)
    let packet = tunnel.wrap(inner, isV4)
    let whole = Self.decode(packet)
    #expect(whole.encapsulation.layers.map(\.name) == tunnel.names)
    #expect(whole.stop == .complete && whole.hasPorts && whole.transport == .tcp && whole.destinationPort == 443)
    #expect(whole.source == Self.source(isV4) && whole.ipLength == inner.count)
    #expect(whole.payloadOffset == packet.count - 5 && whole.payloadLength == 5 && whole.capturedPayloadLength == 5)
    let innerStart = packet.count - inner.count
    for length in 0..<packet.count {
      let cut = Self.decode(Array(packet[..<length]), originalLength: packet.count)
      #expect(cut.payloadOffset + cut.capturedPayloadLength <= length)
      if length >= innerStart + (isV4 ? 20 : 40) {
        #expect(cut.source == Self.source(isV4) && cut.ipLength == inner.count && cut.encapsulation == whole.encapsulation)
        #expect(cut.hasPorts == (length >= innerStart + (isV4 ? 24 : 44)))
      } else if cut.hasInternetHeader {
        #expect(cut.source != Self.source(isV4), "\(length) octets")
      }
    }
  }

  @Test(arguments: Tunnel.all)
  func `what holds no IP packet that fits is a packet of its own transport`(tunnel: Tunnel) {
    // ARP's version nibble is 0; an inner length that lies; an inner header of 16 octets.
    let tooLong = Parts.ipv4(Parts.tcp(), totalLength: 200)
    let payloads: [[UInt8]] = [
      [UInt8](repeating: 0, count: 60), tooLong, [0x44] + Array(Parts.ipv4(Parts.tcp()).dropFirst()), [0x65], [],
    ]
    for payload in payloads {
      for isV4 in [true, false] {
        let packet = Self.decode(tunnel.wrap(payload, isV4))
        // GTP-U says how long its payload is, so a longer packet was cut before.
        if tunnel.names == ["gtp-u"], payload == tooLong, packet.transport == .tcp {
          #expect(packet.isPayloadCut)
          continue
        }
        if tunnel.names.count > 1, !packet.encapsulation.isEmpty { continue }
        #expect(packet.transport == tunnel.outer && packet.encapsulation.isEmpty && packet.hasInternetHeader && packet.stop == .complete)
        #expect(packet.hasPorts == (tunnel.outer == .udp))
      }
    }
  }

  @Test(arguments: [
    ("GRE with routing", Tunnel.gre([0x40, 0], 0x0800, TunnelTests.inner(true))),
    ("GRE of version 2", Tunnel.gre([0, 2], 0x0800, TunnelTests.inner(true))),
    ("PPTP's version without PPP", Tunnel.gre([0x20, 1], 0x0800, [0, 0, 0, 0] + TunnelTests.inner(true))),
    ("GRE of an unknown type", Tunnel.gre([0, 0], 0x1234, TunnelTests.inner(true))),
    ("VXLAN without its flag", Tunnel.udp(4789, [0, 0, 0, 0, 0, 0, 9, 0] + Tunnel.frame(TunnelTests.inner(true), true))),
    ("VXLAN with a reserved octet", Tunnel.udp(4789, [8, 0, 0, 0, 0, 0, 9, 1] + Tunnel.frame(TunnelTests.inner(true), true))),
    ("VXLAN-GPE of NSH", Tunnel.udp(4790, [0x0c, 0, 0, 4, 0, 0, 9, 0] + TunnelTests.inner(true))),
    ("Geneve of version 1", Tunnel.udp(6081, [0x40, 0, 8, 0, 0, 0, 9, 0] + TunnelTests.inner(true))),
    ("Geneve's own control", Tunnel.udp(6081, [0, 0x80, 8, 0, 0, 0, 9, 0] + TunnelTests.inner(true))),
    ("GTP-U that is an echo", Tunnel.udp(2152, [0x30, 1, 0, 45, 0, 0, 0, 1] + TunnelTests.inner(true))),
    ("GTP-U with an extension of length 0", Tunnel.udp(2152, [0x34, 255, 0, 45, 0, 0, 0, 1, 0, 0, 0, 0x85, 0, 0, 0, 0] + TunnelTests.inner(true))),
    ("L2TP's control", Tunnel.udp(1701, [0x80, 2, 0, 1, 0, 2, 0, 0x21] + TunnelTests.inner(true))),
    ("VXLAN on another port", Tunnel.udp(4788, [8, 0, 0, 0, 0, 0, 9, 0] + Tunnel.frame(TunnelTests.inner(true), true))),
    ("half a datagram", Parts.ipv4(TunnelTests.inner(true), protocol: 4, fragment: 0x2000)),
  ] as [(String, [UInt8])])
  func `what is no tunnel is left alone`(name: String, packet: [UInt8]) {
    let decoded = Self.decode(packet)
    #expect(decoded.source == IPAddress(v4: 0x0a00_0001) && decoded.encapsulation.isEmpty && decoded.stop == .complete, "\(name)")
  }

  @Test func `twelve headers are taken off; what is in a thirteenth stays inside`() {
    for (depth, isReached) in [(12, true), (13, false)] {
      var packet = Self.inner(true)
      for _ in 0..<depth { packet = Parts.ipv4(packet, protocol: 4) }
      let decoded = Self.decode(packet)
      #expect(decoded.encapsulation.layers == [Encapsulation.Layer](repeating: .ipip, count: 12))
      #expect(decoded.hasPorts == isReached && decoded.transport == (isReached ? .tcp : Transport(rawValue: 4)))
      #expect(decoded.ipLength == (isReached ? 45 : 65) && decoded.stop == .complete)
    }
  }

  @Test func `nesting costs no more than it is deep`() {
    // Found by a fuzzer: with work that doubles at each header this one would take longer than anybody waits.
    var packet = Self.inner(true)
    for _ in 0..<55 { packet = Parts.ipv4(Parts.labels(1) + packet, protocol: 137) }
    let decoded = Self.decode(packet)
    #expect(decoded.encapsulation.layers == [Encapsulation.Layer](repeating: .mpls, count: 12))
    #expect(decoded.transport == Transport(rawValue: 137) && decoded.stop == .complete)
  }

  @Test func `labels end after sixteen, attributes after 64, extensions after 32`() {
    let labels = Parts.ethernet(Parts.labels(17) + Self.inner(true), type: 0x8847)
    #expect(PacketDecoder.decode(labels.span, linkType: .ethernet, originalLength: labels.count).stop == .tooManyTags)
    for (count, stop) in [(63, DecodingStop.complete), (64, .notIP)] {
      let attributes = (0..<count).flatMap { _ in [4, 0, 1, 0] as [UInt8] }
      let frame = [2, 0, 0, 1] + attributes + Parts.nflog(Self.inner(true), isV4: true).dropFirst(16)
      #expect(PacketDecoder.decode(frame.span, linkType: .nflog, originalLength: frame.count).stop == stop)
    }
    for (count, isRead) in [(32, true), (33, false)] {
      let extensions = (0..<count).flatMap { [1, 0, 0, $0 == count - 1 ? 0 : 0x85] as [UInt8] }
      let packet = Tunnel.udp(2152, [0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85] + extensions + Self.inner(true))
      #expect(Self.decode(packet).encapsulation.isEmpty != isRead)
    }
  }

  @Test(arguments: [
    ("LCP", [0xff, 3, 0xc0, 0x21, 1, 1, 0, 4] as [UInt8], LinkType.ppp), ("PPPoE discovery", Parts.ethernet([0x11, 9, 0, 0, 0, 0], type: 0x8863), .ethernet),
    ("PPPoE of another version", [0x21, 0, 0, 0, 0, 2, 0, 0x21], .pppEthernet), ("SLARP", [0x8f, 0, 0x80, 0x35, 0, 0], .ciscoHDLC),
    ("a beacon", [0x80, 0] + [UInt8](repeating: 0, count: 40), .wifi), ("an encrypted frame", [0x08, 0x41] + [UInt8](repeating: 0, count: 40), .wifi),
    ("a token", [0x80] + [UInt8](repeating: 0, count: 20), .fddi), ("NFLOG of another version", [2, 1, 0, 0, 8, 0, 9, 0, 0x45], .nflog),
    ("an attribute of three octets", [2, 0, 0, 0, 3, 0, 9, 0], .nflog), ("radiotap of another version", [1, 0, 8, 0, 0, 0, 0, 0], .radiotap),
  ] as [(String, [UInt8], LinkType)])
  func `a frame of a link's own is no IP`(name: String, frame: [UInt8], link: LinkType) {
    let packet = PacketDecoder.decode(frame.span, linkType: link, originalLength: frame.count)
    #expect(packet.stop == .notIP && !packet.hasInternetHeader, "\(name)")
  }

  @Test func `random octets in tunnels never trap and never claim what was not captured`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<40_000 {
      var packet = Self.inner(round & 1 == 0)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        packet = Tunnel.all[Int.random(in: 0..<Tunnel.all.count, using: &random)].wrap(packet, packet[0] >> 4 == 4)
      }
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        packet[Int.random(in: 0..<packet.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let kept = Int.random(in: 0...packet.count, using: &random)
      let decoded = Self.decode(Array(packet[..<kept]), originalLength: packet.count)
      #expect(decoded.payloadOffset + decoded.capturedPayloadLength <= kept, "seed \(seed), round \(round)")
      #expect(decoded.capturedPayloadLength <= decoded.payloadLength, "seed \(seed), round \(round)")
      _ = PacketDecoder.decodeQuotation(in: packet.span, of: decoded)
    }
  }
}
