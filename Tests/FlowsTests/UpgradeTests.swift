import EgressModel
import Testing
import Wire

@testable import Flows

/// Streams that begin in the clear and go on with TLS, and other protocols by their content.
@Suite struct UpgradeTests {
  private static let ways: [(application: String, pieces: [String])] = [
    ("smtp", ["EHLO mail.example\r\n", "STARTTLS\r\n"]), ("imap", ["a1 CAPABILITY\r\n", "a2 STARTTLS\r\n"]), ("pop3", ["CAPA\r\n", "STLS\r\n"]),
    ("ftp", ["FEAT\r\n", "AUTH TLS\r\n"]), ("nntp", ["CAPABILITIES\r\n", "STARTTLS\r\n"]),
    ("xmpp", ["<?xml version='1.0'?><stream:stream to='im.example'>", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"]),
    ("postgres", ["\0\0\0\u{8}\u{4}\u{d2}\u{16}\u{2f}"]),
  ]

  private static func octets(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

  @Test(arguments: ways.indices)
  func `a hello behind the upgrade names the flow, wherever the stream is cut`(way: Int) throws {
    let pieces = Self.ways[way].pieces.map(Self.octets)
    let hello = Traffic.clientHello("shop.example.com")
    var run = MeterRun()
    run.handshake()
    var offset = 0
    for piece in pieces + [hello] {
      run.say(piece, at: offset)
      offset += piece.count
    }
    let held = run.meter.counters.reassemblyBytes
    let record = try run.record()
    #expect(held == 0 && record.name?.name.text == "shop.example.com" && record.application == .tls && record.proxy == nil)

    let stream = pieces.flatMap { $0 } + hello
    for cut in 1..<stream.count {
      var run = MeterRun()
      run.handshake()
      run.say(Array(stream[..<cut]))
      run.say(Array(stream[cut...]), at: cut)
      let sni = run.only()?.tls?.sni?.text
      #expect(sni == "shop.example.com", "\(cut)")
    }
  }

  @Test func `a request that announces more than its segment holds is waited for, and read on behind it`() throws {
    // RDP with the flag that a correlation of 36 octets follows. A fuzzer's find: reading went on behind the end of the segment.
    let request: [UInt8] = [3, 0, 0, 55, 50, 0xe0, 0, 0, 0x12, 0x34, 0, 1, 8, 8, 0, 3, 0, 0, 0]
    var run = MeterRun()
    run.handshake()
    run.say(request)
    run.say([UInt8](repeating: 6, count: 36), at: request.count)
    run.say(Traffic.clientHello("shop.example.com"), at: request.count + 36)
    let record = try run.record()
    #expect(record.tls?.sni?.text == "shop.example.com")
  }

  @Test(arguments: ways.indices)
  func `what began in the clear and stays there is known for what it is`(way: Int) throws {
    var run = MeterRun()
    run.handshake()
    let piece = Self.octets(Self.ways[way].pieces[0])
    run.say(piece)
    let record = try run.record()
    #expect(record.application?.rawValue == Self.ways[way].application)
  }

  @Test func `an upgrade that is refused goes on in the clear`() throws {
    var run = MeterRun()
    run.handshake()
    let text = Array("EHLO x\r\nSTARTTLS\r\n".utf8)
    run.say(text)
    run.say(Array("MAIL FROM:<a@b>\r\n".utf8), at: text.count)
    run.say(Traffic.clientHello("shop.example.com"), at: text.count + 17)
    let counters = run.meter.counters
    let record = try run.record()
    #expect(counters.reassemblyBytes == 0 && record.application == .smtp && record.names.isEmpty)
  }

  @Test func `an upgrade that is never made is given up after its time`() throws {
    var run = MeterRun()
    run.handshake()
    run.say(Array("EHLO x\r\nSTARTTLS\r\n".utf8))
    run.wait(seconds: 31)
    _ = run.meter.advance(to: run.time)
    run.say(Traffic.clientHello("shop.example.com"), at: 18)
    let record = try run.record()
    #expect(record.application == .smtp && record.names.isEmpty)
  }

  @Test(arguments: [
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\0\0\u{12}\u{1}\u{5}\0\0\0\u{1}\u{82}\u{86}\u{84}\u{1}\u{d}a.example.com", "http", "a.example.com"),
    ("GET /chat HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "websocket", "a.example.com"),
    ("*1\r\n$4\r\nPING\r\n", "redis", nil),
  ] as [(String, String, String?)])
  func `other protocols are known by their content`(text: String, application: String, name: String?) throws {
    let stream = Self.octets(text)
    for cut in [stream.count] + Array(1..<stream.count) {
      var run = MeterRun()
      run.handshake()
      run.say(Array(stream[..<cut]))
      if cut < stream.count { run.say(Array(stream[cut...]), at: cut) }
      let record = try run.record()
      #expect(record.application?.rawValue == application && record.name?.name.text == name, "\(cut)")
    }
  }

  @Test func `NTP is known by its content, and by the port alone it is not`() {
    let message: [UInt8] = [0x23] + [UInt8](repeating: 0, count: 47)
    for (payload, port, application) in [(message, 123, Application.ntp), (Array(message.dropLast()), 123, nil), (message, 124, nil)] as [([UInt8], UInt16, Application?)] {
      var run = MeterRun()
      run.feed(Traffic.udp(MeterRun.client, SocketAddress(ip: MeterRun.server.ip, port: port), payload))
      let record = run.only()
      #expect(record != nil && record?.application == application)
    }
  }

  // MARK: DTLS

  private static func dtls(_ name: String, _ range: Range<Int>? = nil) -> [UInt8] {
    // The body of the TLS hello, with an empty cookie behind its session.
    let tls = Array(Traffic.clientHello(name)[9...])
    let body = [0xfe, 0xfd] + tls[2..<35] + [0] + tls[35...]
    let range = range ?? 0..<body.count
    let fragment: [UInt8] =
      [1, 0] + Traffic.bigEndian(UInt16(body.count)) + [0, 0, 0] + Traffic.bigEndian(UInt16(range.lowerBound)) + [0] + Traffic.bigEndian(UInt16(range.count))
      + body[range.clamped(to: 0..<body.count)]
    return [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1] + Traffic.bigEndian(UInt16(fragment.count)) + fragment
  }

  @Test func `a DTLS hello names its flow, over several datagrams too`() throws {
    var whole = MeterRun()
    whole.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.dtls("dtls.example")))
    let record = try whole.record()
    #expect(record.application == .dtls && record.name == NameEvidence(name: DomainName(presentation: "dtls.example"), source: .tlsSNI, confidence: .confirmed))
    #expect(record.tls?.ja4?.hasPrefix("dd2d") == true)

    var halves = MeterRun()
    halves.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.dtls("dtls.example", 0..<40)))
    let held = halves.meter.counters.reassemblyBytes
    let count = Self.dtls("dtls.example").count - 25
    halves.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.dtls("dtls.example", 40..<count)))
    let after = halves.meter.counters.reassemblyBytes
    #expect(held > 40 && after == 0)
    let second = try halves.record()
    #expect(second.tls?.sni?.text == "dtls.example")
  }

  @Test func `whoever says the hello of DTLS behind STUN, who called is the source`() throws {
    let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 7, count: 12)
    for (sender, name) in [(MeterRun.client, "dtls.example"), (MeterRun.server, nil)] {
      let receiver = sender == MeterRun.client ? MeterRun.server : MeterRun.client
      var run = MeterRun()
      run.feed(Traffic.udp(MeterRun.client, MeterRun.server, stun))
      run.feed(Traffic.udp(MeterRun.server, MeterRun.client, stun))
      run.feed(Traffic.udp(sender, receiver, Self.dtls("dtls.example")))
      let record = try run.record()
      #expect(record.source == MeterRun.client && record.application == .dtls && record.name?.name.text == name)
    }
  }
}
