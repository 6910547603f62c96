import EgressModel
import Wire

/// Inputs made by the tests' own builders: one of every kind, so that a fuzzer need not find out what a protocol looks like.
enum OwnSeeds {
  static var all: [Seed] { packets + dns + tls + quic + http + socks + openings + traffic }

  private static let client = SocketAddress(ip: IPAddress(v4: 0x0a00_0001), port: 50_000)
  private static let server = SocketAddress(ip: IPAddress(v4: 0xcb00_710a), port: 443)
  private static let resolver = SocketAddress(ip: IPAddress(v4: 0x0a00_0035), port: 53)

  /// TCP, UDP and ICMP of both families on every link and in every tunnel, and in pieces.
  private static var packets: [Seed] {
    let bare: [(packet: [UInt8], isV4: Bool)] = [
      (FrameParts.ipv4(FrameParts.tcp()), true), (FrameParts.ipv6(FrameParts.tcp(options: [1, 1, 1, 1])), false),
      (FrameParts.ipv4(FrameParts.udp(), protocol: 17), true),
      (FrameParts.ipv6(FrameParts.options(next: 44) + FrameParts.fragment(next: 17, offset: 0, more: true) + FrameParts.udp(), next: 0), false),
      (FrameParts.ipv4(FrameParts.icmp(type: 3, code: 1, payload: FrameParts.ipv4(FrameParts.udp(), protocol: 17)), protocol: 1), true),
      (FrameParts.ipv6(FrameParts.icmp(type: 1, payload: FrameParts.ipv6(FrameParts.tcp())), next: 58), false),
      (FrameParts.ipv4(FrameParts.sctp(), protocol: 132, options: [7, 4, 0, 0]), true),
    ]
    let linked = Link.all.flatMap { link in bare.map { Seed(.packet, PacketTarget.seed(link.wrap($0.packet, $0.isV4), link.type)) } }
    let tunnelled = Tunnel.all.flatMap { tunnel in
      bare.prefix(2).filter { $0.isV4 ? tunnel.carriesV4 : tunnel.carriesV6 }.map {
        Seed(.packet, PacketTarget.seed(tunnel.wrap($0.packet, $0.isV4), .raw))
      }
    }
    return linked + tunnelled
  }

  private static var dns: [Seed] {
    let names = ["shop.example.com", "a.b.c.d.e", "10.113.0.203.in-addr.arpa"]
    let questions = names.flatMap { name in [RecordType.a, .aaaa, .https, .cname].map { Traffic.query(7, name, type: $0) } }
    let answers = [
      DNSFixtures.shop, Traffic.answer(7, names[0], aliases: ["cdn.example", "edge.example"], [server.ip]),
      Traffic.answer(7, names[0], type: .aaaa, [IPAddress(high: 0x2001_0db8 << 32, low: 2)]), Traffic.answer(7, names[0], [], code: 3),
      Traffic.httpsAnswer(7, names[0], priority: 1, target: "svc.example", hints: [server.ip]),
      Traffic.httpsAnswer(7, names[0], priority: 0, target: "alias.example"),
      DNSFixtures.message(
        questions: [DNSFixtures.question(DNSFixtures.name(names[2]), 12)],
        answers: [DNSFixtures.record(DNSFixtures.pointer(12), 12, DNSFixtures.name("mail.example"))]),
    ]
    return (questions + answers).flatMap { [Seed(.dns, $0), Seed(.dns, Octets.block16($0) + Octets.block16($0))] }
  }

  private static let hellos = [
    HelloFixtures.plain, HelloFixtures.modern, HelloFixtures.handshake(extensions: nil),
    HelloFixtures.handshake(version: 0x0301, extensions: [HelloFixtures.alpn(["h2"]), HelloFixtures.serverName("192.0.2.1"), HelloFixtures.ext(21, [0, 0])]),
  ]

  private static var tls: [Seed] {
    let streams = hellos.flatMap { [$0, HelloFixtures.record($0), HelloFixtures.records($0, sizes: [1, 30, 200])] }
    // Type 1, length, message sequence 0, one fragment of the whole.
    let fragments = hellos.map { hello in
      let body = Array(hello[4...])
      return [1] + Octets.u24(body.count) + [0, 0] + Octets.u24(0) + Octets.u24(body.count) + body
    }
    let datagrams = fragments.map { [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0] + Octets.block16($0) as [UInt8] }
    let ssl2: [UInt8] = [0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16] + [UInt8](repeating: 0, count: 37)
    return (streams + datagrams + [ssl2, HelloFixtures.record(certificate)]).map { Seed(.tls, $0) }
  }

  /// A ServerHello and a certificate for `shop.example` with an alternative name, as far as its names (RFC 5280 §4.1).
  private static var certificate: [UInt8] {
    func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag] + (content.count < 128 ? [] : [0x81]) + Octets.block8(content) }
    let commonName = der(0x30, der(0x31, der(0x30, der(6, [0x55, 4, 3]) + der(12, Array("shop.example".utf8)))))
    let alternatives = der(0x30, der(6, [0x55, 0x1d, 0x11]) + der(4, der(0x30, der(0x82, Array("www.shop.example".utf8)))))
    let body =
      der(0xa0, [2, 1, 2]) + der(2, [1]) + der(0x30, []) + der(0x30, []) + der(0x30, []) + commonName + der(0x30, []) + der(0xa3, der(0x30, alternatives))
    let certificate = der(0x30, der(0x30, body))
    let hello = [3, 3] + [UInt8](repeating: 4, count: 32) + [0, 0xc0, 0x2f, 0] as [UInt8]
    let list = Octets.u24(certificate.count) + certificate
    return [2] + Octets.u24(hello.count) + hello + [11] + Octets.u24(list.count + 3) + Octets.u24(list.count) + list
  }

  private static var quic: [Seed] {
    let sealed = [1, 0x6b33_43cf, 0xff00_001d].compactMap { try? InitialPacket.sample(version: $0).octets }
    let retry: [UInt8] = [0xf0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4] + [UInt8](repeating: 7, count: 24)
    let negotiation: [UInt8] = [0x80, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4, 0x1a, 0x2a, 0x3a, 0x4a, 0, 0, 0, 1]
    let frames = InitialPacket.crypto(Array(HelloFixtures.plain[..<40]), at: 0)
    let rest = InitialPacket.crypto(Array(HelloFixtures.plain[40...]), at: 40)
    let acknowledgment: [UInt8] = [2, 1, 0, 1, 0, 0, 0, 3, 1, 0, 0, 0, 1, 2, 3]
    return sealed.map { Seed(.quic, QUICTarget.seed(0, [$0, $0])) } + [
      Seed(.quic, QUICTarget.seed(0, [retry, negotiation])), Seed(.quic, QUICTarget.seed(1, [InitialPacket.sampleFrame])),
      Seed(.quic, QUICTarget.seed(1, [rest, [1] + acknowledgment, frames])), Seed(.quic, QUICTarget.seed(1, [frames + rest + [0x1c, 0, 0, 0]])),
      Seed(.quic, QUICTarget.seed(3, [frames, rest])), Seed(.quic, QUICTarget.seed(11, [frames + [0, 0, 0], rest])),
    ] + hellos.flatMap { hello in [0x02, 0x4a, 0x92, 0xea].map { Seed(.quic, [$0] + hello) } }
  }

  private static var http: [Seed] {
    let heads = [
      "GET / HTTP/1.1\r\nHost: shop.example.com:8080\r\nAccept: */*\r\n\r\n", "GET http://user@shop.example/x?y HTTP/1.1\r\nHost: other.example\r\n\r\n",
      "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT shop.example:443 HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\nhost:\t shop.example \n\n",
      "GET /chat HTTP/1.1\r\nHost: im.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Type: application/grpc\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n folded\r\n\r\nbody", "shop.example.com:443", "[2001:db8::1]:80", "192.0.2.1.", "xn--bcher-kva.example",
    ]
    // RFC 7541 C.3.1 and C.4.1, and a literal.
    let blocks = [
      Octets.hex("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d"), Octets.hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"),
      [0x82, 0] + Octets.block8(Array("host".utf8)) + Octets.block8(Array("shop.example".utf8)) as [UInt8],
    ]
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Octets.u24(6) + [4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]
    return heads.map { Seed(.http, $0) } + blocks.map { Seed(.http, preface + Octets.u24($0.count) + [1, 5, 0, 0, 0, 1] + $0) }
      + blocks.map { Seed(.http, preface + Octets.u24(4) + [1, 1, 0, 0, 0, 1] + $0[..<4] + Octets.u24($0.count - 4) + [9, 4, 0, 0, 0, 1] + $0[4...]) }
  }

  private static let proxied: [[UInt8]] = [
    [4, 1, 1, 0xbb, 203, 0, 113, 10] + Array("joe\0".utf8), [4, 1, 1, 0xbb, 0, 0, 0, 7] + Array("joe\0shop.example\0".utf8),
    [5, 1, 0, 5, 1, 0, 3] + Octets.block8(Array("shop.example".utf8)) + [1, 0xbb],
    [5, 2, 0, 2, 1, 3, 0x6a, 0x6f, 0x65, 1, 0x78, 5, 1, 0, 1, 203, 0, 113, 10, 1, 0xbb], [5, 1, 1, 5, 1, 0, 4] + [UInt8](repeating: 1, count: 18),
    Array("PROXY TCP4 192.0.2.1 203.0.113.10 56324 443\r\n".utf8), Array("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n".utf8), Array("PROXY UNKNOWN\r\n".utf8),
    Octets.hex("0d0a0d0a000d0a515549540a 21 11 000c c0000201 cb00710a dc04 01bb"), Octets.hex("0d0a0d0a000d0a515549540a 20 00 0000"),
    Octets.hex("0d0a0d0a000d0a515549540a 21 21 0027") + [UInt8](repeating: 1, count: 36) + [4, 0, 0],
  ]

  private static var socks: [Seed] { proxied.map { Seed(.socks, $0) } }

  private static let spoken: [[UInt8]] = [
    "EHLO mail.example\r\nSTARTTLS\r\n", "HELO x\r\nMAIL FROM:<a@b>\r\n", "a001 CAPABILITY\r\na002 STARTTLS\r\n", "CAPA\r\nSTLS\r\n", "AUTH TLS\r\n",
    "USER joe\r\nPASS x\r\n", "CAPABILITIES\r\nSTARTTLS\r\n", "MODE READER\r\n", "SSH-2.0-OpenSSH_9.6\r\n",
    "<?xml version='1.0'?><stream:stream to='im.example' xmlns='jabber:client'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "*2\r\n$3\r\nGET\r\n$1\r\nx\r\n", "AUTH x y\r\nPING\r\n",
  ].map { Array($0.utf8) } + [
    // PostgreSQL: SSLRequest, StartupMessage. MySQL: SSLRequest. RDP: a negotiation with a cookie.
    Octets.u32(8) + Octets.u32(80_877_103), Octets.u32(22) + Octets.u32(196_608) + Array("user\0joe\0\0\0\0\0".utf8),
    [32, 0, 0, 1, 5, 0x8a, 3, 0, 0, 0, 0, 1, 33] + [UInt8](repeating: 0, count: 23),
    [3, 0, 0, 41, 36, 0xe0, 0, 0, 0x12, 0x34, 0] + Array("Cookie: mstshash=joe\r\n".utf8) + [1, 0, 8, 0, 3, 0, 0, 0],
    // LDAP: StartTLS, bind. MongoDB: OP_MSG. Kafka: ApiVersions.
    Octets.hex("301d 020101 7718 8016") + Array("1.3.6.1.4.1.1466.20037".utf8), Octets.hex("300c 020101 6007 020103 0400 8000"),
    [21, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0], Octets.u32(17) + Octets.u16(18) + Octets.u16(3) + Octets.u32(1) + Octets.block16(Array("rdkafka".utf8)),
    // NTP, version 4, client.
    [0x23, 0, 6, 0xec] + [UInt8](repeating: 0, count: 44),
  ]

  private static var openings: [Seed] { (spoken + proxied).map { Seed(.openings, $0) } }

  /// Whole conversations for the meter: looked up, spoken in one piece and in several, tunnelled, upgraded, in fragments, refused.
  private static var traffic: [Seed] {
    let answer = Traffic.answer(7, "shop.example.com", aliases: ["cdn.example"], [server.ip])
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    let lookUp = [Traffic.udp(stub, resolver, Traffic.query(7, "shop.example.com")), Traffic.udp(resolver, stub, answer)]
    let hello = HelloFixtures.record(HelloFixtures.plain)
    let openers = [hello, HelloFixtures.record(hellos[2]), Traffic.request("shop.example.com")] + spoken + proxied.map { $0 + hello } + [
      Array("CONNECT shop.example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n".utf8) + hello, Octets.block16(Traffic.query(9, "a.example")),
    ]
    var stories = openers.map { lookUp + connection($0, [$0.count]) } + openers.map { connection($0, [7, 1, 30]) }
    stories += Tunnel.all.filter(\.carriesV4).map { tunnel in connection(hello, [60]).map { tunnel.wrap($0, true) } }
    let initials = (try? InitialPacket.sample(version: 1).octets).map { Traffic.udp(client, server, $0) } ?? []
    let large = Traffic.udp(resolver, stub, answer + [UInt8](repeating: 0, count: 60))
    stories += [
      lookUp + [initials], [lookUp[0]] + Traffic.fragments(large, size: 40), Traffic.fragments(initials, size: 400).reversed(),
      [connection([], [1])[0], Traffic.icmp(server.ip, client.ip, type: 3, code: 3, connection([], [1])[0])],
      Tunnel.all.filter(\.carriesV4).flatMap { Traffic.fragments($0.wrap(lookUp[0], true), size: 40) },
    ]
    return stories.flatMap { packets -> [Seed] in
      let frames = packets.map { MeterTarget.Frame(octets: $0, linkType: .raw, pause: 20, originalLength: $0.count) }
      let slow = packets.map { MeterTarget.Frame(octets: $0, linkType: .raw, pause: 3_000, originalLength: $0.count + 32) }
      return [Seed(.meter, MeterTarget.seed([], frames)), Seed(.meter, MeterTarget.seed([.isTight, .reportsLongFlows, .drainsInParts], slow))]
    }
  }

  /// A client that says `said` in segments of these sizes, the last size again and again, and is answered and closed.
  private static func connection(_ said: [UInt8], _ sizes: [Int]) -> [[UInt8]] {
    var packets = [
      Traffic.tcp(client, server, .syn, sequence: 1_000), Traffic.tcp(server, client, [.syn, .ack], sequence: 9_000, acknowledgment: 1_001),
    ]
    var offset = 0
    var sizes = sizes[...]
    while offset < said.count, packets.count < 40 {
      let end = min(said.count, offset + (sizes.count > 1 ? sizes.removeFirst() : sizes[sizes.startIndex]))
      packets.append(
        Traffic.tcp(client, server, [.psh, .ack], sequence: 1_001 + UInt32(offset), acknowledgment: 9_001, Array(said[offset..<end])))
      offset = end
    }
    packets.append(Traffic.tcp(server, client, [.psh, .ack], sequence: 9_001, acknowledgment: 1_001, HelloFixtures.record(certificate)))
    packets.append(Traffic.tcp(client, server, [.fin, .ack], sequence: 1_001 + UInt32(said.count), acknowledgment: 9_001))
    packets.append(Traffic.tcp(server, client, [.fin, .ack], sequence: 9_200, acknowledgment: 1_002 + UInt32(said.count)))
    return packets
  }
}
