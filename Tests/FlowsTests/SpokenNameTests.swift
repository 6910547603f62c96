import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server

@Suite struct SpokenNameTests {
  private static let name = "shop.example.com"
  private static let hello = Traffic.clientHello(name)

  private static func isNamed(_ record: FlowRecord?) -> Bool {
    record?.name == NameEvidence(name: DomainName(presentation: name), source: .tlsSNI, confidence: .confirmed) && record?.application == .tls
      && record?.tls?.sni?.text == name
  }

  @Test func `a hello in one segment names the flow, and nothing is held`() {
    var run = MeterRun()
    run.handshake()
    run.say(Self.hello)
    let counters = run.meter.counters
    #expect(counters.reassemblyBytes == 0 && counters.flowsNamed == 1)
    #expect(Self.isNamed(run.only()))
  }

  @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
  func `a hello cut anywhere twice names the flow, in whatever order it comes`(order: [Int]) {
    var failed: [String] = []
    for first in 1..<Self.hello.count - 1 {
      for second in first + 1..<Self.hello.count {
        let cuts = [0, first, second, Self.hello.count]
        var run = MeterRun()
        run.handshake()
        for piece in order { run.say(Array(Self.hello[cuts[piece]..<cuts[piece + 1]]), at: cuts[piece]) }
        let held = run.meter.counters.reassemblyBytes
        if held != 0 || !Self.isNamed(run.only()) { failed.append("\(first), \(second)") }
      }
    }
    #expect(failed.isEmpty)
  }

  @Test func `sequence numbers that wrap inside the hello do not matter`() {
    for distance in 0..<UInt32(Self.hello.count) {
      var run = MeterRun()
      let isn = UInt32.max - distance
      run.handshake(isn: isn)
      run.say(Array(Self.hello[40...]), at: 40, isn: isn)
      run.say(Array(Self.hello[..<40]), isn: isn)
      let named = Self.isNamed(run.only())
      #expect(named, "\(distance)")
    }
  }

  @Test func `of two copies that differ the first one wins`() {
    let evil = Traffic.clientHello("evil.example.com")
    var run = MeterRun()
    run.handshake()
    run.say(Array(Self.hello[10..<40]), at: 10)
    run.say(Array(evil[10..<60]), at: 10)
    // Again what was there, and a keep-alive octet before the stream.
    run.say(Array(Self.hello[10..<40]), at: 10)
    run.say([0], at: -1)
    run.say(Array(Self.hello[40...]), at: 40)
    run.say(Array(Self.hello[..<10]))
    let record = run.only()
    // Octets 40 to 60 came from the other copy first; the name lies behind them in neither.
    #expect(record?.name != nil && record?.application == .tls)

    var second = MeterRun()
    second.handshake()
    second.say(Array(Self.hello[10...]), at: 10)
    second.say(evil)
    #expect(Self.isNamed(second.only()))
  }

  @Test func `data that rides on the SYN is the start of the stream`() {
    for cut in [Self.hello.count, 50, 3] {
      var run = MeterRun()
      run.feed(Traffic.tcp(client, server, .syn, sequence: 1000, Array(Self.hello[..<cut])))
      run.feed(Traffic.tcp(server, client, [.syn, .ack], sequence: 5, acknowledgment: 1001))
      run.say(Array(Self.hello[cut...]), at: cut)
      #expect(Self.isNamed(run.only()), "\(cut)")
    }
  }

  @Test func `a capture that begins midway accepts a hello at the start of a segment`() {
    var run = MeterRun()
    run.feed(Traffic.tcp(server, client, .ack, sequence: 1, [1, 2, 3]))
    run.feed(Traffic.tcp(client, server, .ack, sequence: 500, [0, 1, 2]))
    run.feed(Traffic.tcp(client, server, .ack, sequence: 503, Array(Self.hello[..<30])))
    run.feed(Traffic.tcp(client, server, .ack, sequence: 533, Array(Self.hello[30...])))
    #expect(Self.isNamed(run.only()))
  }

  @Test func `midway, a stream that begins with nothing we read is given up after eight segments`() {
    var run = MeterRun()
    for segment in 0..<8 as Range<UInt32> { run.feed(Traffic.tcp(client, server, .ack, sequence: 500 + segment, [0])) }
    run.feed(Traffic.tcp(client, server, .ack, sequence: 508, Self.hello))
    #expect(run.only()?.name == nil)
  }

  @Test func `a stream whose start is known and is something else is left alone`() {
    var run = MeterRun()
    run.handshake()
    run.say([1, 2, 3, 4, 5, 6, 7, 8])
    run.say(Self.hello, at: 8)
    let record = run.only()
    #expect(record?.name == nil && record?.application == nil)
  }

  @Test(arguments: [
    ("shop.example.com", "shop.example.com", Confidence.confirmed), ("Shop.Example.COM:8080", "shop.example.com", .confirmed),
    ("203.0.113.10", "203.0.113.10", .hint), ("[2001:db8::1]:80", "2001:db8::1", .hint),
  ])
  func `the Host of a request names the flow; an address literal is only a hint`(host: String, name: String, confidence: Confidence) {
    for cut in [1, 10, 30, Traffic.request(host).count] {
      var run = MeterRun()
      run.handshake()
      run.say(Array(Traffic.request(host)[..<cut]))
      run.say(Array(Traffic.request(host)[cut...]), at: cut)
      let record = run.only()
      #expect(record?.names == [NameEvidence(name: DomainName(presentation: name), source: .httpHost, confidence: confidence)])
      #expect(record?.application == .http)
    }
  }

  @Test func `a name that was looked up stands before an address literal`() {
    var run = MeterRun()
    run.resolve(Self.name)
    run.handshake()
    run.say(Traffic.request("203.0.113.10"))
    #expect(run.only()?.names.map(\.source) == [.dns, .httpHost])
  }

  @Test func `the first request of a kept connection is enough`() {
    var run = MeterRun()
    run.handshake()
    let first = Traffic.request("a.example")
    run.say(first)
    run.say(Traffic.request("b.example"), at: first.count)
    #expect(run.only()?.names.map(\.name.text) == ["a.example"])
  }

  @Test func `an encrypted hello is GREASE beside the very name that was looked up, and hides one beside another name`() {
    for (lookedUp, expected): (String?, TLSFacts.ECH) in [("www.example", .grease), ("hidden.example", .outer), (nil, .outer)] {
      var run = MeterRun()
      if let lookedUp { run.resolve(lookedUp) }
      run.handshake()
      run.say(Traffic.clientHello("www.example", isEncrypted: true))
      #expect(run.drain().last?.tls?.ech == expected, "\(lookedUp ?? "nothing")")
    }
  }

  @Test func `an SSH banner is recognised on any port`() {
    var run = MeterRun()
    run.handshake()
    run.say(Array("SSH-2.0-OpenSSH_9.9\r\n".utf8))
    let record = run.only()
    #expect(record?.application == .ssh && record?.names.isEmpty == true)
  }

  @Test func `a segment cut by the snapshot length: what is there is used, what is not is counted`() {
    var cut = MeterRun()
    cut.handshake()
    cut.say(Self.hello, captured: 90)
    let abandoned = cut.meter.counters.streamsAbandoned
    let record = cut.only()
    #expect(record?.name == nil && abandoned[.truncated] == 1)
    #expect(record?.out.bytes == UInt64(80 + 40 + Self.hello.count))

    var whole = MeterRun()
    whole.handshake()
    whole.say(Self.hello + [UInt8](repeating: 0, count: 1000), captured: 40 + Self.hello.count)
    #expect(Self.isNamed(whole.only()))

    var request = MeterRun()
    request.handshake()
    request.say(Traffic.request("a.example") , captured: 40 + 45)
    #expect(request.only()?.name?.name.text == "a.example")
  }

  @Test func `a hole that is never filled is given up when its time is over, or when the flow ends`() {
    var run = MeterRun()
    run.handshake()
    run.say(Array(Self.hello[30...]), at: 30)
    let held = run.meter.counters.reassemblyBytes
    run.wait(seconds: 31)
    _ = run.meter.advance(to: run.time)
    let after = run.meter.counters
    run.say(Array(Self.hello[..<30]))
    let record = run.only()
    #expect(held == Self.hello.count - 30 + 256 + 64 && after.reassemblyBytes == 0 && after.streamsAbandoned[.incomplete] == 1)
    #expect(record?.name == nil)

    var ending = MeterRun()
    ending.handshake()
    ending.say(Array(Self.hello[..<30]))
    _ = ending.drain()
    #expect(ending.meter.counters.streamsAbandoned[.incomplete] == 1 && ending.meter.counters.reassemblyBytes == 0)
  }

  @Test func `a GSO frame of 64 KiB is counted whole and its hello read`() {
    var run = MeterRun()
    run.handshake()
    let data = Self.hello + [UInt8](repeating: 7, count: 65_160 - Self.hello.count)
    run.say(data)
    run.feed(Traffic.tcp(client, server, .ack, sequence: 70_000, [UInt8](repeating: 7, count: 100_000)))
    let record = run.only()
    #expect(Self.isNamed(record) && record?.out.packets == 4)
    #expect(record?.out.bytes == 80 + 65_200 + 100_040)
  }

  @Test func `half-open hellos stay inside the bound, and the newest still count`() {
    var run = MeterRun { $0.reassemblyByteLimit = 20_000 }
    let big = Traffic.clientHello(Self.name, padding: 1000)
    var peak = 0
    for number in 0..<500 as Range<UInt16> {
      let source = SocketAddress(ip: client.ip, port: 10_000 + number)
      run.feed(Traffic.tcp(source, server, .syn, sequence: 1000))
      run.feed(Traffic.tcp(source, server, .ack, sequence: 1001, Array(big[..<900])))
      peak = max(peak, run.meter.counters.reassemblyBytes)
    }
    let last = SocketAddress(ip: client.ip, port: 10_499)
    run.feed(Traffic.tcp(last, server, .ack, sequence: 1901, Array(big[900...])))
    let counters = run.meter.counters
    #expect(peak <= 20_000 && peak > 18_000)
    // 900 octets, and 256 to keep them.
    #expect(counters.streamsAbandoned[.noMemory] == 500 - 17)
    #expect(run.drain().filter { $0.name != nil }.map(\.source) == [last])
  }

  @Test func `one stream cannot hold more than its limit`() {
    var run = MeterRun { $0.streamByteLimit = 5_000 }
    run.handshake()
    run.say([22, 3, 1, 0x30, 0, 1, 0, 0x2f])
    run.say([1], at: 4_999)
    let before = run.meter.counters.reassemblyBytes
    // No window reaches so far: a stale segment, or one that is to hide what follows.
    run.say([1], at: 5_000)
    #expect(before == 9 + 256 + 64 && run.meter.counters.reassemblyBytes == before)
    run.say([UInt8](repeating: 1, count: 5_000), at: 8)
    let counters = run.meter.counters
    #expect(counters.reassemblyBytes == 0 && counters.streamsAbandoned[.overLimit] == 1)
  }

  @Test(arguments: [1_000_000, -1_000_000, 70_000]) func `a segment outside the window does not hide the hello`(offset: Int) {
    let hello = Traffic.clientHello("shop.example.com")
    for place in [0, 20] {
      var run = MeterRun()
      run.handshake()
      if place > 0 { run.say(Array(hello[..<place])) }
      run.say([1, 2, 3], at: offset)
      run.say(Array(hello[place...]), at: place)
      #expect(run.only()?.name?.name.text == "shop.example.com", "\(place)")
    }
  }

  @Test func `where the SYN was not captured its answer says where the stream begins`() {
    let hello = Traffic.clientHello("shop.example.com")
    var run = MeterRun()
    run.feed(Traffic.tcp(server, client, [.syn, .ack], sequence: 9000, acknowledgment: 1001))
    run.say(Array(hello[20...]), at: 20)
    run.say(Array(hello[..<20]))
    #expect(run.only()?.name?.name.text == "shop.example.com")
  }

  @Test func `a long update is DNS, and a short request for a proxy on its port is none`() {
    var update = Traffic.query(1, "a.example")
    update[2] = 5 << 3
    update += [UInt8](repeating: 0, count: 6_000)
    let socks: [UInt8] = [5, 1, 0, 5, 1, 0, 3, 9] + Array("a.example".utf8) + [1, 0xbb]
    for (said, application) in [(Traffic.bigEndian(UInt16(update.count)) + update, Application.dns), (socks, .socks)] {
      let far = SocketAddress(ip: server.ip, port: 53)
      var run = MeterRun()
      run.handshake(server: far)
      run.feed(Traffic.tcp(client, far, [.psh, .ack], sequence: 1001, acknowledgment: 9001, said))
      #expect(run.drain().first?.application == application)
    }
  }

  @Test(arguments: [1, 1_400]) func `the port of DNS hides no hello`(size: Int) {
    let hello = Traffic.clientHello("shop.example.com")
    for (from, to) in [(50_000, 53), (53, 443)] as [(UInt16, UInt16)] {
      let (near, far) = (SocketAddress(ip: client.ip, port: from), SocketAddress(ip: server.ip, port: to))
      var run = MeterRun()
      run.handshake(client: near, server: far)
      for start in stride(from: 0, to: hello.count, by: size) {
        let segment = Array(hello[start..<min(hello.count, start + size)])
        run.feed(Traffic.tcp(near, far, [.psh, .ack], sequence: 1001 + UInt32(start), acknowledgment: 9001, segment))
      }
      let record = run.drain().first
      #expect(record?.name?.name.text == "shop.example.com" && record?.application == .tls, "\(to)")
    }
  }
}
