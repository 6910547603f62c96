import EgressModel
import Flows
import Testing

/// Initial packets made by another implementation of RFC 9001 (Python's cryptography): version 1, connection ID 0102030405060708, a
/// ClientHello for `quic.example` with ALPN `h3`, whole in one datagram and halved over two.
@Suite struct QUICNameTests {
  static let whole = octets(
    "cd000000010801020304050607080000406a623fb51aeb50779aeb3056b8fe3bb913a53e137fd64b1aee90ede886b3b5291c44d9a7fa8c80fae45751" +
    "8db6d58c66cad482a9ecd032f1ae998a5dcf839c5a9c3e66e0d2c8acd59534cfa56b60acfef43f142a210c32ad2d29a16bce57ffb756254fde648535" +
    "ea885a9f")
  static let firstHalf = octets(
    "cd0000000108010203040506070800004040e71d88f71cf1048169bf3b0c64ad4e51dbf1d5a94e2b13a408cedd64d7d11c4b2f49bfd76ab92112f438" +
    "d0d8015be93fe9de4fe2d07405f83cf43f23ee1e5067")
  static let secondHalf = octets(
    "c10000000108010203040506070800004040188ad8ff1ba7505fa869577b731b6cf89f5780c6414c224b55e2f27489a893079596bec0e0994bec0515" +
    "6390107e0ce96505d68e03e0f8b2166ab9b1545215df")

  /// Under the keys of that connection ID: a PING, and the hello once more, sent to the ID that the server chose.
  static let ping = octets(
    "c80000000108010203040506070800004026f68d98d55b8d515ea869727b731b7df8905780ca3039bf803c5141d0953095d69cffb5e4ea30")
  static let answered = octets(
    "c70000000104a1a2a3a4000040b567333d003ba4658b6ca06202174c3bc0bddc2c72a4bca6fabcc2f89e5a33d89aabf151ca55ea9c77d329a2bc1e36" +
    "53a0ee44fc7446eff51ad1ec3d628188ea1414d3ea3ae07bc61c2c69015514d73b1536cd16085276bf093a993211c7902c5e24b8fd13b90f9df63240" +
    "9cf89dbc243607342875ac29cc1ea321b807fc4e9ed5e6aca63db80e7186eab2e2baa9d8c6638f045319b4a4eb1712b733b2c072fe11f83bb80c280f" +
    "89d2ea8b618e8574800c71bc47f4b0")

  static func octets(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0 }
  }

  static let name = NameEvidence(name: DomainName(presentation: "quic.example"), source: .quicSNI, confidence: .confirmed)

  @Test(arguments: [[whole], [firstHalf, secondHalf], [secondHalf, firstHalf], [firstHalf, firstHalf, secondHalf], [firstHalf + secondHalf]])
  func `a hello over any datagrams in any order names the flow`(datagrams: [[UInt8]]) {
    var run = MeterRun()
    for datagram in datagrams { run.feed(Traffic.udp(MeterRun.client, MeterRun.server, datagram)) }
    #expect(run.meter.counters.reassemblyBytes == 0)
    let flow = run.only()
    #expect(flow?.names == [Self.name])
    #expect(flow?.application == .quic)
    #expect(flow?.tls?.alpn == ["h3"])
    #expect(flow?.tls?.version == "1.3")
  }

  @Test func `half a hello is held, counted and let go`() {
    var run = MeterRun()
    run.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.firstHalf))
    #expect(run.meter.counters.reassemblyBytes > 0)
    #expect(run.only()?.names == [])
    #expect(run.meter.counters.reassemblyBytes == 0)
    #expect(run.meter.counters.streamsAbandoned[.incomplete] == 1)
  }

  @Test func `a flood of half hellos stays inside the bound`() {
    var run = MeterRun { $0.reassemblyByteLimit = 64 << 10 }
    for port in 1024..<3024 {
      let client = SocketAddress(ip: MeterRun.client.ip, port: UInt16(port))
      run.feed(Traffic.udp(client, MeterRun.server, Self.firstHalf))
      #expect(run.meter.counters.reassemblyBytes <= 64 << 10)
    }
    #expect(run.meter.counters.streamsAbandoned[.noMemory] > 1900)
  }

  /// Others before it: RTP, whose first bit is set, too; STUN; a version that nobody can open; nothing at all.
  private static let others: [[UInt8]] = [
    [0x80, 0x60] + [UInt8](repeating: 7, count: 200), [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 7, count: 12),
    [0xc0, 0x51, 0x30, 0x35, 0x30, 8] + [UInt8](repeating: 7, count: 200), [],
  ]

  @Test(arguments: others + [[0x40, 1, 2, 3]]) func `what comes before a hello does not hide it`(other: [UInt8]) {
    var run = MeterRun()
    run.feed(Traffic.udp(MeterRun.client, MeterRun.server, other))
    run.feed(Traffic.udp(MeterRun.server, MeterRun.client, other))
    run.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.whole))
    #expect(run.only()?.names == [Self.name])
  }

  @Test func `a flow that begins with many other datagrams is not listened to`() {
    for (count, names) in [(14, [Self.name]), (15, [Self.name]), (16, [])] {
      var run = MeterRun()
      for _ in 0..<count { run.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.others[0])) }
      run.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.whole))
      #expect(run.meter.counters.reassemblyBytes == 0)
      #expect(run.only()?.names == names, "\(count)")
    }
  }

  @Test func `an answer that was captured before the hello does not hide it, and the flow is the client's`() {
    // Long headers of the same version, under other connection IDs: nothing of it opens with a client's keys.
    var answer = Self.whole
    answer[6] ^= 0xff
    for datagrams in [[answer], [answer, answer, answer]] {
      var run = MeterRun()
      for datagram in datagrams { run.feed(Traffic.udp(MeterRun.server, MeterRun.client, datagram)) }
      run.feed(Traffic.udp(MeterRun.client, MeterRun.server, Self.whole))
      #expect(run.meter.counters.reassemblyBytes == 0)
      let record = run.only()
      #expect(record?.names == [Self.name] && record?.source == MeterRun.client && record?.in.packets == UInt64(datagrams.count))
    }
  }

  @Test func `keys that opened something are not forgotten for what the server answers`() {
    var answer = Self.whole
    answer[6] ^= 0xff
    for first in [Self.ping, Self.secondHalf] {
      var run = MeterRun()
      run.feed(Traffic.udp(MeterRun.client, MeterRun.server, first))
      run.feed(Traffic.udp(MeterRun.server, MeterRun.client, answer))
      run.feed(Traffic.udp(MeterRun.client, MeterRun.server, first == Self.ping ? Self.answered : Self.firstHalf))
      #expect(run.only()?.names == [Self.name])
    }
  }

  @Test func `who is called does not become who called by a hello of its own`() {
    var run = MeterRun()
    run.feed(Traffic.udp(SocketAddress(ip: MeterRun.client.ip, port: 1), MeterRun.server))
    run.wait(seconds: 6)
    run.feed(Traffic.udp(MeterRun.client, MeterRun.server, [1, 2, 3]))
    run.feed(Traffic.udp(MeterRun.server, MeterRun.client, Self.whole))
    let record = run.drain().last
    #expect(record?.source == MeterRun.client && record?.names == [] && record?.tls == nil && record?.application == .quic)
  }

  @Test func `a hello on the port of DNS hides no look-up`() {
    for datagram in [Self.whole, Self.firstHalf] {
      var run = MeterRun()
      let stub = SocketAddress(ip: MeterRun.client.ip, port: 40_000)
      run.feed(Traffic.udp(stub, MeterRun.resolver, datagram))
      run.resolve("a.example")
      run.handshake()
      #expect(run.meter.counters.dns[.answer] == 1 && run.meter.counters.dns[.malformed] == 0)
      #expect(run.drain().last?.names.map(\.name.text) == ["a.example"])
    }
  }

  @Test(arguments: [53, 123, 5353] as [UInt16]) func `no port hides a hello`(port: UInt16) {
    let far = SocketAddress(ip: MeterRun.server.ip, port: port)
    let near = SocketAddress(ip: MeterRun.client.ip, port: port)
    for (source, destination) in [(MeterRun.client, far), (near, MeterRun.server)] {
      var run = MeterRun()
      run.feed(Traffic.udp(source, destination, Self.whole))
      run.feed(Traffic.udp(destination, source, [0x40, 1, 2, 3]))
      #expect(run.meter.counters.dns[.malformed] == 0)
      #expect(run.drain().map(\.names) == [[Self.name]])
    }
  }
}
