import EgressModel
import Testing
import Wire

private typealias Parts = FrameParts

@Suite struct PacketDecoderTests {
  private static func decode(_ frame: [UInt8], _ link: LinkType = .raw, originalLength: Int? = nil) -> Packet {
    PacketDecoder.decode(frame.span, linkType: link, originalLength: originalLength ?? frame.count)
  }

  struct Shape: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let isV4: Bool
    let transport: Transport
    /// Octets of all headers from the IP header on.
    let headerLength: Int
    let packet: [UInt8]
  }

  static let shapes: [Shape] = {
    let transports: [(String, Transport, Int, [UInt8])] = [
      ("TCP", .tcp, 20, Parts.tcp()), ("TCP with options", .tcp, 32, Parts.tcp(options: [UInt8](repeating: 1, count: 12))),
      ("UDP", .udp, 8, Parts.udp()), ("SCTP", .sctp, 12, Parts.sctp()),
    ]
    var shapes: [Shape] = []
    for (name, transport, length, segment) in transports {
      let number = transport.rawValue
      shapes += [
        Shape(testDescription: "IPv4 \(name)", isV4: true, transport: transport, headerLength: 20 + length, packet: Parts.ipv4(segment, protocol: number)),
        Shape(
          testDescription: "IPv4 with options \(name)", isV4: true, transport: transport, headerLength: 32 + length,
          packet: Parts.ipv4(segment, protocol: number, options: [UInt8](repeating: 1, count: 12))),
        Shape(
          testDescription: "IPv4 AH \(name)", isV4: true, transport: transport, headerLength: 44 + length,
          packet: Parts.ipv4([number, 4] + [UInt8](repeating: 0, count: 22) + segment, protocol: 51)),
        Shape(testDescription: "IPv6 \(name)", isV4: false, transport: transport, headerLength: 40 + length, packet: Parts.ipv6(segment, next: number)),
        Shape(
          testDescription: "IPv6 with hop-by-hop, routing, destination options \(name)", isV4: false, transport: transport,
          headerLength: 40 + 8 + 16 + 8 + length,
          packet: Parts.ipv6(
            Parts.options(next: 43) + Parts.options(next: 60, units: 1) + Parts.options(next: number) + segment, next: 0)),
        Shape(
          testDescription: "IPv6 atomic fragment, AH \(name)", isV4: false, transport: transport, headerLength: 40 + 8 + 24 + length,
          packet: Parts.ipv6(
            Parts.fragment(next: 51, offset: 0, more: false) + [number, 4] + [UInt8](repeating: 0, count: 22) + segment, next: 44)),
      ]
    }
    return shapes
  }()

  @Test(arguments: Link.all, shapes)
  func `a frame is decoded, and every prefix of it is truncated, never a trap`(link: Link, shape: Shape) {
    let frame = link.wrap(shape.packet, shape.isV4)
    let whole = Self.decode(frame, link.type)
    #expect(whole.stop == .complete && whole.hasInternetHeader && whole.hasPorts && !whole.isFragment)
    #expect(whole.transport == shape.transport)
    #expect(whole.sourcePort == 50_000 && whole.destinationPort == 443)
    #expect(whole.source == (shape.isV4 ? IPAddress(v4: 0x0a00_0001) : IPAddress("2001:db8::1")))
    #expect(whole.destination == (shape.isV4 ? IPAddress(v4: 0xcb00_710a) : IPAddress("2001:db8::2")))
    #expect(whole.ipLength == shape.packet.count)
    #expect(whole.payloadOffset == link.headerLength + shape.headerLength)
    #expect(whole.payloadLength == 5 && whole.capturedPayloadLength == 5 && !whole.isPayloadCut)
    #expect(whole.isTagged == link.isTagged)
    if shape.transport == .tcp {
      #expect(whole.sequence == 0x1122_3344 && whole.acknowledgment == 0x5566_7788 && whole.tcpFlags == .ack)
    }
    for length in 0..<frame.count {
      let cut = Self.decode(Array(frame[..<length]), link.type, originalLength: frame.count)
      #expect(cut.payloadOffset + cut.capturedPayloadLength <= length)
      // What a prefix tells is what the whole tells.
      if cut.hasInternetHeader { #expect(cut.ipLength == whole.ipLength && cut.source == whole.source) }
      if cut.hasPorts { #expect(cut.sourcePort == 50_000 && cut.destinationPort == 443) }
      if length < whole.payloadOffset {
        #expect(cut.capturedPayloadLength == 0)
        // Options of a TCP header may be missing: everything that is read stands before them.
        let fixedEnd = whole.payloadOffset - (shape.transport == .tcp ? shape.headerLengthOfTCPOptions : 0)
        #expect((cut.stop == .complete) == (length >= fixedEnd), "\(length) octets")
      } else {
        #expect(cut.stop == .complete && cut.payloadLength == 5 && cut.capturedPayloadLength == length - whole.payloadOffset)
      }
    }
  }

  @Test func `Ethernet's padding is not part of the datagram`() {
    let frame = Parts.ethernet(Parts.ipv4(Parts.tcp(payload: [])) + [UInt8](repeating: 0, count: 6), type: 0x0800)
    let packet = Self.decode(frame, .ethernet)
    #expect(packet.ipLength == 40 && packet.payloadLength == 0 && packet.capturedPayloadLength == 0)
  }

  @Test func `a length of 0 is a segmentation-offload frame: the frame tells the length`() {
    let v4 = Parts.ethernet(Parts.ipv4(Parts.tcp(payload: [UInt8](repeating: 7, count: 100)), totalLength: 0), type: 0x0800)
    let whole = Self.decode(v4, .ethernet)
    #expect(whole.ipLength == 140 && whole.payloadLength == 100 && whole.capturedPayloadLength == 100)
    let cut = Self.decode(Array(v4[..<60]), .ethernet, originalLength: 65_226)
    #expect(cut.ipLength == 65_212 && cut.payloadLength == 65_172 && cut.capturedPayloadLength == 6 && cut.isPayloadCut)
    let v6 = Parts.ipv6(Parts.tcp(), payloadLength: 0)
    #expect(Self.decode(v6).ipLength == 65 && Self.decode(v6).payloadLength == 5)
    #expect(Self.decode(v6, originalLength: 200_000).ipLength == 200_000)
    // 59 is "no next header": nothing follows, so 0 is the truth.
    #expect(Self.decode(Parts.ipv6([], next: 59)).ipLength == 40)
  }

  @Test func `a GSO frame of 64 KiB has its own length`() {
    let packet = Self.decode(Parts.ipv4(Parts.tcp(payload: [UInt8](repeating: 0, count: 65_495))))
    #expect(packet.ipLength == 65_535 && packet.payloadLength == 65_495)
  }

  @Test(arguments: [
    ("IPv4 header length below 20", [0x44] + Parts.ipv4(Parts.tcp()).dropFirst(), DecodingStop.malformedInternet),
    ("IPv4 total length below the header", Parts.ipv4(Parts.tcp(), totalLength: 19), .malformedInternet),
    ("version 5", [0x55] + Parts.ipv4(Parts.tcp()).dropFirst(), .malformedInternet),
    ("TCP data offset below 5", Parts.ipv4(Self.patched(Parts.tcp(), 12, 0x40)), .malformedTransport),
    ("TCP data offset beyond the datagram", Parts.ipv4(Self.patched(Parts.tcp(), 12, 0xf0)), .malformedTransport),
    ("UDP length below 8", Parts.ipv4(Parts.udp(length: 7), protocol: 17), .malformedTransport),
    ("an extension header longer than the datagram", Parts.ipv6(Parts.options(next: 6, units: 0) + Parts.tcp(), next: 43).settingOctet(41, 200), .malformedInternet),
    ("33 extension headers", Parts.ipv6((0..<33).flatMap { _ in Parts.options(next: 60) } + Parts.tcp(), next: 60), .tooManyExtensionHeaders),
    ("empty", [], .truncatedInternet),
  ] as [(String, [UInt8], DecodingStop)])
  func `a length that cannot be is named`(name: String, packet: [UInt8], stop: DecodingStop) {
    #expect(Self.decode(packet).stop == stop, "\(name)")
  }

  private static func patched(_ octets: [UInt8], _ index: Int, _ value: UInt8) -> [UInt8] { octets.settingOctet(index, value) }

  @Test func `32 extension headers are followed`() {
    let packet = Self.decode(Parts.ipv6((0..<31).flatMap { _ in Parts.options(next: 60) } + Parts.options(next: 6) + Parts.tcp(), next: 60))
    #expect(packet.stop == .complete && packet.hasPorts)
  }

  @Test func `a UDP length says less than the datagram, or is ignored when it says more`() {
    let short = Self.decode(Parts.ipv4(Parts.udp(length: 10), protocol: 17))
    #expect(short.payloadLength == 2 && short.capturedPayloadLength == 2 && short.ipLength == 33)
    for length in [0, 13, 14, 65_535] as [UInt16] {
      #expect(Self.decode(Parts.ipv4(Parts.udp(length: length), protocol: 17)).payloadLength == 5)
    }
  }

  @Test func `frames without IP say so`() {
    #expect(Self.decode(Parts.ethernet([0, 1, 8, 0], type: 0x0806), .ethernet).stop == .notIP)
    #expect(Self.decode(Parts.ethernet([0x42, 0x42, 3, 0, 0], type: 38), .ethernet).stop == .notIP)
    #expect(Self.decode(Parts.ethernet(Parts.ipv4([]), type: 0x0800, tags: [UInt16](repeating: 0x8100, count: 5)), .ethernet).stop == .tooManyTags)
    #expect(Self.decode([1, 0, 0, 0, 1], .null).stop == .notIP)
    #expect(Self.decode([1, 2, 3], LinkType(rawValue: 147)).stop == .unsupportedLinkType)
    #expect(!Self.decode(Parts.ethernet([0, 1, 8, 0], type: 0x0806), .ethernet).hasInternetHeader)
  }

  @Test func `a fragment is decoded down to its data, and says where that belongs`() {
    let first = Self.decode(Parts.ipv4(Parts.udp(length: 2000), protocol: 17, fragment: 0x2000, identification: 77))
    #expect(first.isFragment && !first.isLaterFragment && !first.hasPorts && first.transport == .udp)
    #expect(first.fragment?.identification == 77 && first.fragment?.offset == 0 && first.fragment?.hasMore == true)
    #expect(first.payloadOffset == 20 && first.payloadLength == 13 && first.stop == .complete)
    let later = Self.decode(Parts.ipv4([9, 9, 9, 9], protocol: 17, fragment: 1, identification: 77))
    #expect(later.isLaterFragment && !later.hasPorts && later.transport == .udp && later.stop == .complete)
    #expect(later.fragment?.offset == 8 && later.fragment?.hasMore == false && later.payloadLength == 4)
    let v6 = Self.decode(Parts.ipv6(Parts.fragment(next: 17, offset: 1448, more: true) + [1, 2, 3], next: 44), originalLength: 60)
    #expect(v6.isLaterFragment && v6.transport == .udp && !v6.hasPorts)
    #expect(v6.fragment?.identification == 7 && v6.fragment?.offset == 1448 && v6.fragment?.hasMore == true)
    #expect(v6.payloadOffset == 48 && v6.payloadLength == 3)
    let cut = Self.decode(Array(Parts.ipv4([9, 9, 9, 9], protocol: 17, fragment: 1)[..<22]), originalLength: 24)
    #expect(cut.isPayloadCut && cut.capturedPayloadLength == 2 && cut.payloadLength == 4)
    // What looks like another extension header is data.
    let data = Self.decode(Parts.ipv6(Parts.fragment(next: 60, offset: 1448, more: true) + Parts.options(next: 6) + Parts.tcp(), next: 44))
    #expect(data.transport.rawValue == 60 && !data.hasPorts)
    // "Don't fragment" alone is no fragment.
    #expect(!Self.decode(Parts.ipv4(Parts.tcp(), fragment: 0x4000)).isFragment)
  }

  @Test func `the first fragment that an ICMP error quotes has its ports`() {
    let original = Parts.ipv4(Parts.udp(length: 2000), protocol: 17, fragment: 0x2000, identification: 77)
    let frame = Parts.ipv4(Parts.icmp(type: 3, code: 3, payload: original), protocol: 1)
    let quoted = PacketDecoder.decodeQuotation(in: frame.span, of: Self.decode(frame))
    #expect(quoted.isFragment && quoted.hasPorts && quoted.destinationPort == 443)
  }

  @Test func `requests and replies of ICMP have an identifier, and other messages have none`() {
    func identifier(_ type: UInt8, next: UInt8) -> UInt16 {
      let message: [UInt8] = [type, 0, 0, 0, 0x12, 0x34, 0, 1, 9, 9]
      return Self.decode(next == 1 ? Parts.ipv4(message, protocol: 1) : Parts.ipv6(message, next: next)).icmpIdentifier
    }
    for type in [0, 8, 13, 18] as [UInt8] { #expect(identifier(type, next: 1) == 0x1234) }
    for type in [128, 129] as [UInt8] { #expect(identifier(type, next: 58) == 0x1234) }
    for type in [3, 5, 11, 19, 128] as [UInt8] { #expect(identifier(type, next: 1) == 0) }
    for type in [1, 8, 135] as [UInt8] { #expect(identifier(type, next: 58) == 0) }
  }

  @Test func `an ICMP error quotes the packet that caused it`() {
    let original = Parts.ipv4(Parts.tcp(flags: .syn, payload: []), totalLength: 1500)
    // RFC 792: the IP header and 8 octets.
    for kept in [28, 40] {
      let frame = Parts.ethernet(Parts.ipv4(Parts.icmp(type: 3, code: 1, payload: Array(original[..<kept])), protocol: 1), type: 0x0800)
      let error = Self.decode(frame, .ethernet)
      #expect(error.isICMPError && error.isUnreachable && error.icmpCode == 1 && !error.hasPorts)
      let quoted = PacketDecoder.decodeQuotation(in: frame.span, of: error)
      #expect(quoted.hasInternetHeader && quoted.hasPorts && quoted.sourcePort == 50_000 && quoted.sequence == 0x1122_3344)
      #expect(quoted.ipLength == 1500)
    }
    let v6 = Parts.ipv6(Parts.icmp(type: 1, code: 4, payload: Parts.ipv6(Parts.udp(), next: 17)), next: 58)
    let error = Self.decode(v6)
    #expect(error.isUnreachable && PacketDecoder.decodeQuotation(in: v6.span, of: error).destinationPort == 443)
  }

  @Test func `only errors quote, and only unreachable is final`() {
    let echo = Self.decode(Parts.ipv4(Parts.icmp(type: 8, payload: Parts.ipv4(Parts.tcp())), protocol: 1))
    #expect(!echo.isICMPError)
    let frame = Parts.ipv4(Parts.icmp(type: 8, payload: Parts.ipv4(Parts.tcp())), protocol: 1)
    #expect(!PacketDecoder.decodeQuotation(in: frame.span, of: echo).hasInternetHeader)
    let needsFragmentation = Self.decode(Parts.ipv4(Parts.icmp(type: 3, code: 4, payload: Parts.ipv4(Parts.tcp())), protocol: 1))
    #expect(needsFragmentation.isICMPError && !needsFragmentation.isUnreachable)
    let tooBig = Self.decode(Parts.ipv6(Parts.icmp(type: 2, payload: Parts.ipv6(Parts.tcp())), next: 58))
    #expect(tooBig.isICMPError && !tooBig.isUnreachable)
    let empty = Parts.ipv4(Parts.icmp(type: 3, code: 1, payload: []), protocol: 1)
    #expect(!PacketDecoder.decodeQuotation(in: empty.span, of: Self.decode(empty)).hasInternetHeader)
  }

  @Test func `other protocols are packets of their number, without ports`() {
    let packet = Self.decode(Parts.ipv4(Parts.ipv4(Parts.tcp()), protocol: 253))
    #expect(packet.stop == .complete && packet.transport.rawValue == 253 && !packet.hasPorts && packet.payloadLength == 45)
  }

  @Test func `random octets never trap and never claim what was not captured`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let whole = Self.shapes.map(\.packet)
    for round in 0..<60_000 {
      let link = Link.all[Int(next()) % Link.all.count]
      var frame = link.wrap(whole[Int(next()) % whole.count], next() & 1 == 0)
      if round % 3 == 0 { frame = (0..<Int(next() % 120)).map { _ in UInt8(next() & 255) } }
      for _ in 0..<(next() % 6) where !frame.isEmpty { frame[Int(next()) % frame.count] = UInt8(next() & 255) }
      let packet = Self.decode(frame, link.type, originalLength: Int(next() % 300))
      #expect(packet.payloadOffset + packet.capturedPayloadLength <= frame.count, "seed \(seed), round \(round)")
      #expect(packet.capturedPayloadLength <= packet.payloadLength, "seed \(seed), round \(round)")
      _ = PacketDecoder.decodeQuotation(in: frame.span, of: packet)
    }
  }
}

extension PacketDecoderTests.Shape {
  var headerLengthOfTCPOptions: Int { testDescription.contains("TCP with options") ? 12 : 0 }
}

extension [UInt8] {
  fileprivate func settingOctet(_ index: Int, _ value: UInt8) -> [UInt8] {
    var copy = self
    copy[index] = value
    return copy
  }
}
