import EgressModel
import Testing
import Wire

@testable import Flows

/// Whoever sends the traffic must not decide how much memory it takes.
@Suite struct FloodTests {
  private static func source(_ number: Int) -> SocketAddress {
    SocketAddress(ip: IPAddress(v4: 0x0a01_0000 + UInt32(number >> 14)), port: 10_000 + UInt16(number & 0x3fff))
  }

  /// First octets that could become something, and never do.
  @Test(arguments: [[22, 3, 1], [5, 1, 0], [0, 0, 0], Array("GET /".utf8), Array("EHLO x\r\n".utf8), Array("CONNECT a:1 HTTP/1.1\r\n\r\n".utf8)] as [[UInt8]])
  func `streams of a few octets stay inside the bound, and why they are given up is counted`(start: [UInt8]) {
    var run = MeterRun {
      $0.reassemblyByteLimit = 200_000
      $0.capacity = 2_000
    }
    var peak = 0
    for number in 0..<3_000 {
      run.feed(Traffic.tcp(Self.source(number), MeterRun.server, .syn, sequence: 1000))
      run.feed(Traffic.tcp(Self.source(number), MeterRun.server, .ack, sequence: 1001, start))
      peak = max(peak, run.meter.counters.reassemblyBytes)
    }
    let counters = run.meter.counters
    #expect(peak <= 200_000 && peak > 190_000 && counters.flowsLive == 2_000)
    #expect(counters.flowsEvicted[.unanswered] == 1_000)
    // What was said by CONNECT and EHLO is understood, so nothing is lost with it.
    let isUnderstood = start.starts(with: Array("CONNECT".utf8)) || start.starts(with: Array("EHLO".utf8))
    #expect(isUnderstood || counters.streamsAbandoned[.noMemory] > 2_000)
    #expect(run.meter.streams.count <= 200_000 / 256)
    _ = run.drain()
    #expect(run.meter.counters.reassemblyBytes == 0 && run.meter.streams.count == 0)
  }

  @Test func `octets that wait for those before them count for more than themselves`() {
    var run = MeterRun()
    run.handshake()
    for piece in 0..<100 { run.say([UInt8(piece)], at: 1 + 2 * piece) }
    #expect(run.meter.counters.reassemblyBytes == 256 + 100 * 65)
  }

  @Test func `half DTLS hellos stay inside the bound`() {
    var run = MeterRun { $0.reassemblyByteLimit = 50_000 }
    let fragment: [UInt8] = [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 100] + [UInt8](repeating: 1, count: 100)
    let datagram = [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 112] + fragment
    var peak = 0
    for number in 0..<300 {
      run.feed(Traffic.udp(Self.source(number), MeterRun.server, datagram))
      peak = max(peak, run.meter.counters.reassemblyBytes)
    }
    // 100 octets, and 1,024 to keep them.
    #expect(peak <= 50_000 && peak > 48_000)
    #expect(run.meter.counters.streamsAbandoned[.noMemory] == 300 - 44)
  }

  @Test func `names stay inside their bound of octets, too: the ones not asked for again go`() {
    var run = MeterRun { $0.nameByteLimit = 100_000 }
    let label = String(repeating: "x", count: 60)
    for number in 0..<1_000 as Range<UInt32> {
      run.resolve("n\(number).\(label).\(label).\(label).example", [IPAddress(v4: 0xcb00_7200 + number)], id: UInt16(number))
      run.resolve("kept.example", id: UInt16(2_000 + number))
    }
    let counters = run.meter.counters
    #expect(counters.nameBytes <= 100_000 && counters.nameBytes > 95_000)
    #expect(counters.namesKnown < 300 && counters.namesKnown + Int(counters.namesEvicted) == 1_001)
    run.handshake()
    #expect(run.only()?.names.map(\.name.text) == ["kept.example"])
  }

  @Test func `a name that is alone larger than the bound is kept alone`() {
    var run = MeterRun { $0.nameByteLimit = 10 }
    for number in 0..<5 as Range<UInt32> { run.resolve("n\(number).example", [IPAddress(v4: 0xcb00_7200 + number)], id: UInt16(number)) }
    #expect(run.meter.counters.namesKnown == 1 && run.meter.counters.namesEvicted == 4)
  }

  @Test func `of what a hello offers, 16 protocols of 64 octets are kept`() throws {
    var hello = ClientHello(legacyVersion: .tls12)
    hello.alpn = (0..<40).map { [UInt8](repeating: 0x61, count: 50 + $0) }
    #expect(hello.facts.alpn.count == 15 && hello.facts.alpn.allSatisfy { $0.utf8.count <= 64 })
  }
}
