import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server
private let client6 = SocketAddress(ip: IPAddress(high: 0x2001_0db8_0000_0000, low: 1), port: 50_000)
private let server6 = SocketAddress(ip: IPAddress(high: 0x2001_0db8_0000_0000, low: 2), port: 443)

@Suite struct FragmentTests {
  /// A segment with a hello that no piece holds alone.
  private static func hello(_ from: SocketAddress = client, _ to: SocketAddress = server) -> [UInt8] {
    Traffic.tcp(from, to, [.psh, .ack], sequence: 1001, Traffic.clientHello("shop.example", padding: 400))
  }

  /// Octets of a datagram's fragments: each has an IP header, of IPv6 with eight octets more.
  private static func ipLength(_ pieces: [[UInt8]]) -> UInt64 { UInt64(pieces.reduce(0) { $0 + $1.count }) }

  @Test(arguments: [8, 56, 256, 480], [true, false])
  func `a datagram in pieces is one packet of its flow, read whole, in whatever order they come`(size: Int, isV4: Bool) throws {
    let (client, server) = isV4 ? (client, server) : (client6, server6)
    let pieces = Traffic.fragments(Self.hello(client, server), size: size)
    var generator = SeededGenerator(seed: UInt64(size))
    // In more than 64 runs at once, the pieces of eight octets would be given up.
    for order in [pieces, pieces.reversed(), size == 8 ? pieces : pieces.shuffled(using: &generator)] {
      var run = MeterRun()
      run.handshake(client: client, server: server)
      run.feed(all: order)
      let reassembled = run.meter.counters.datagramsReassembled
      let only = run.only()
      let record = try #require(only)
      #expect(reassembled == 1)
      #expect(record.tls?.sni?.text == "shop.example" && record.names.map(\.confidence) == [.confirmed])
      #expect(record.out.packets == 3 && record.out.bytes == 2 * (isV4 ? 40 : 60) + Self.ipLength(pieces))
    }
  }

  @Test func `pieces that come twice add nothing, before the datagram is whole and after`() throws {
    let pieces = Traffic.fragments(Self.hello(), size: 128)
    var run = MeterRun()
    run.handshake()
    for piece in pieces {
      run.feed(piece)
      run.feed(piece)
    }
    run.feed(all: pieces)
    let counters = run.meter.counters
    let records = run.drain()
    #expect(counters.datagramsReassembled == 1 && counters.fragments == UInt64(3 * pieces.count))
    #expect(records.count == 1 && records[0].out.packets == 3 && records[0].tls != nil)
    #expect(records[0].out.bytes == 2 * 40 + Self.ipLength(pieces))
  }

  @Test func `an identification may be used again: after a second by the same datagram, at once by another`() {
    for (seconds, isOther, isReversed) in [(1.1, false, false), (0.01, true, false), (0, true, false), (0, true, true)] {
      var run = MeterRun()
      for number in 0..<3 as Range<UInt8> {
        let octets = [UInt8](repeating: 1, count: 399) + [isOther ? number : 1]
        let pieces = Traffic.fragments(Traffic.udp(client, server, octets), size: 128)
        run.feed(all: isReversed ? pieces.reversed() : pieces)
        run.wait(seconds: seconds)
      }
      #expect(run.meter.counters.datagramsReassembled == 3 && run.meter.counters.datagramsAbandoned.total == 0)
      #expect(run.drain().map(\.out.packets) == [3], "\(seconds)")
    }
  }

  @Test(arguments: [0, 0.9]) func `a copy of the piece that made a datagram whole is not taken for one of the next`(seconds: Double) {
    func pieces(_ number: UInt8) -> [[UInt8]] {
      Traffic.fragments(Traffic.udp(client, server, [number] + [UInt8](repeating: 1, count: 399)), size: 128)
    }
    var run = MeterRun()
    run.feed(all: pieces(0))
    run.wait(seconds: seconds)
    run.feed(pieces(0)[3])
    run.wait(seconds: seconds * 2 / 3)
    run.feed(all: pieces(1))
    #expect(run.meter.counters.datagramsReassembled == 2 && run.meter.counters.datagramsAbandoned.total == 0)
    #expect(run.drain().map(\.out.packets) == [2])
  }

  @Test func `what never becomes whole counts in the order in which it began, whatever the seed`() {
    for seed in [1, 2, 3, 4] as [UInt64] {
      var run = MeterRun { $0.seed = seed &* 0x9e37_79b9_7f4a_7c15 }
      for number in 0..<20 as Range<UInt32> {
        let source = SocketAddress(ip: IPAddress(v4: 0x0a01_0000 + number), port: 4000)
        run.feed(Traffic.fragments(Traffic.udp(source, server, [UInt8](repeating: 1, count: 400)), size: 128)[0])
      }
      #expect(run.drain().map(\.source.ip) == (0..<20).map { IPAddress(v4: 0x0a01_0000 + $0) })
    }
  }

  @Test func `a DNS answer in fragments is believed like any other`() {
    var run = MeterRun()
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    run.feed(Traffic.udp(stub, MeterRun.resolver, Traffic.query(7, "a.example")))
    let answer = Traffic.answer(7, "a.example", (0..<60).map { IPAddress(v4: 0x0505_0500 + $0) } + [server.ip])
    run.feed(all: Traffic.fragments(Traffic.udp(MeterRun.resolver, stub, answer), size: 512).reversed())
    run.handshake()
    let dns = run.meter.counters.dns
    #expect(dns[.answer] == 1 && dns[.truncated] == 0)
    #expect(run.only()?.names.map(\.name.text) == ["a.example"])
  }

  struct Spoilt: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var cause: DatagramAbandonment
    /// The pieces of `hello`, changed.
    var change: @Sendable ([[UInt8]], _ header: [UInt8]) -> [[UInt8]]
  }

  static let spoilt: [Spoilt] = [
    Spoilt(testDescription: "a piece that reaches into another", cause: .overlapping) { pieces, header in
      [pieces[0], Traffic.fragment(header, [UInt8](repeating: 9, count: 64), at: 120, hasMore: true)] + pieces[1...]
    },
    Spoilt(testDescription: "a piece over all others", cause: .overlapping) { pieces, header in
      [pieces[0], pieces[2], Traffic.fragment(header, [UInt8](repeating: 9, count: 384), at: 0, hasMore: true), pieces[1]] + pieces[3...]
    },
    Spoilt(testDescription: "a second end", cause: .overlapping) { pieces, header in
      pieces.dropLast() + [Traffic.fragment(header, [9], at: 4_000, hasMore: false)] + pieces.suffix(1)
    },
    Spoilt(testDescription: "a piece behind the end", cause: .overlapping) { pieces, header in
      pieces.suffix(1) + [Traffic.fragment(header, [UInt8](repeating: 9, count: 8), at: 4_000, hasMore: true)] + pieces.dropLast()
    },
    Spoilt(testDescription: "longer than a datagram can be", cause: .malformed) { pieces, header in
      pieces.dropLast() + [Traffic.fragment(header, [UInt8](repeating: 9, count: 100), at: 65_528, hasMore: false)] + pieces.suffix(1)
    },
    Spoilt(testDescription: "a middle piece of four octets", cause: .malformed) { pieces, header in
      [pieces[0], Traffic.fragment(header, [9, 9, 9, 9], at: 128, hasMore: true)] + pieces[1...]
    },
    Spoilt(testDescription: "the last piece never comes", cause: .incomplete) { pieces, _ in pieces.dropLast() },
    Spoilt(testDescription: "the first piece never comes", cause: .incomplete) { pieces, _ in Array(pieces.dropFirst()) },
  ]

  @Test(arguments: spoilt)
  func `pieces that contradict one another, or are missing, name nothing and count once`(example: Spoilt) {
    let packet = Self.hello()
    let pieces = example.change(Traffic.fragments(packet, size: 128), Array(packet[..<20]))
    var run = MeterRun()
    run.handshake()
    run.feed(all: pieces)
    run.wait(seconds: 30.1)
    _ = run.meter.advance(to: run.time)
    let counters = run.meter.counters
    let records = run.drain()
    #expect(counters.datagramsAbandoned[example.cause] == 1 && counters.datagramsAbandoned.total == 1 && counters.datagramsReassembled == 0)
    #expect(records.allSatisfy { $0.names.isEmpty && $0.tls == nil })
    let isOrphan = example.testDescription.hasPrefix("the first")
    #expect(counters.orphanDatagrams == (isOrphan ? 1 : 0))
    #expect(records.map(\.out.packets) == (isOrphan ? [2, 1] : [3]))
    #expect(records.map(\.destination.port) == (isOrphan ? [443, nil] : [443]))
    #expect(records.reduce(0) { $0 + $1.out.bytes } == 80 + Self.ipLength(pieces))
  }

  @Test func `a piece whose tunnel holds a piece of another datagram counts once when all ends`() {
    var run = MeterRun()
    let inner = Traffic.fragments(Self.hello(), size: 64)[0] + [UInt8](repeating: 0, count: 200)
    run.feed(Traffic.fragments(Traffic.ip(client.ip, server.ip, Transport(rawValue: 4), inner), size: 128)[0])
    let records = run.drain()
    let fragments = run.meter.counters.fragments
    #expect(fragments == 2 && records.map(\.out.packets) == [1] && records.map(\.encapsulation) == [["ipip"]])
  }

  @Test func `what was captured in part is counted and not read`() {
    let pieces = Traffic.fragments(Self.hello(), size: 256)
    var run = MeterRun()
    run.handshake()
    for piece in pieces { run.feed(piece, captured: 96) }
    #expect(run.meter.counters.datagramsAbandoned.total == 0)
    let record = run.only()
    #expect(record?.out.packets == 3 && record?.names == [])
    #expect(run.meter.counters.datagramsAbandoned[.cut] == 1)
  }

  @Test func `a piece may wait for half a minute, and no longer`() {
    for (seconds, isRead) in [(29.9, true), (30.1, false)] {
      var run = MeterRun()
      let pieces = Traffic.fragments(Self.hello(), size: 256)
      run.handshake()
      run.feed(all: pieces.dropLast())
      run.wait(seconds: seconds)
      run.feed(all: pieces.suffix(1))
      #expect((run.meter.counters.datagramsReassembled == 1) == isRead)
      #expect(run.drain().contains { $0.tls != nil } == isRead)
    }
  }

  @Test func `a flood of pieces stays inside its group's room, and other senders are not touched`() throws {
    var run = MeterRun()
    run.handshake()
    let pieces = Traffic.fragments(Self.hello(), size: 256)
    run.feed(all: pieces.dropLast())
    let data = [UInt8](repeating: 1, count: 1480)
    for round in 0..<5_000 {
      // One sender: first pieces, far pieces, and pieces in between.
      let flood = Traffic.ip(IPAddress(v4: 0x0a09_0909), server.ip, .udp, data, fragment: 0x2000 | UInt16(round % 3) * 200, id: UInt16(round / 3))
      run.feed(flood)
      if round % 500 == 0 {
        let (count, octets) = (run.meter.fragments.count, run.meter.fragments.byteCount)
        #expect(count <= 1 + FragmentTable.datagramsPerGroup && octets <= FragmentTable.octetsPerGroup + 2_000)
      }
    }
    run.feed(all: pieces.suffix(1))
    let counters = run.meter.counters
    let records = run.drain()
    #expect(counters.datagramsReassembled == 1 && counters.datagramsAbandoned[.noRoom] > 1_000)
    #expect(records.contains { $0.tls?.sni?.text == "shop.example" })
    let flooded = records.filter { $0.source.ip == IPAddress(v4: 0x0a09_0909) }
    #expect(flooded.reduce(0) { $0 + $1.out.bytes } == 5_000 * 1_500)
  }

  @Test func `a flood from many senders stays inside the bound of all groups`() {
    var table = FragmentTable(seed: 3)
    let time = Timestamp(nanoseconds: 0)
    let data = [UInt8](repeating: 1, count: 1480)
    for round in 0..<20_000 as Range<UInt32> {
      let frame = Traffic.ip(IPAddress(v4: 0x0a00_0000 + round), server.ip, .udp, data, fragment: 0x2001, id: UInt16(round & 7))
      let packet = PacketDecoder.decode(frame.span, linkType: .raw, originalLength: frame.count)
      if let fragment = packet.fragment { _ = table.insert(packet, fragment, frame.span, on: 0, at: time) }
    }
    #expect(table.count == FragmentTable.groups * FragmentTable.datagramsPerGroup)
    #expect(table.byteCount <= FragmentTable.groups * FragmentTable.octetsPerGroup)
    #expect(table.removeAll().count == FragmentTable.groups * FragmentTable.datagramsPerGroup && table.count == 0)
  }

  @Test func `sixty-four runs are held, and not one more`() {
    for (runs, isHeld) in [(64, true), (65, false)] {
      var run = MeterRun()
      let header = Array(Self.hello()[..<20])
      for index in 0..<runs { run.feed(Traffic.fragment(header, [UInt8](repeating: 1, count: 8), at: index * 16, hasMore: true)) }
      #expect((run.meter.fragments.byteCount == runs * 8) == isHeld)
      _ = run.drain()
      #expect(run.meter.counters.datagramsAbandoned[isHeld ? .incomplete : .noRoom] == 1)
    }
  }

  @Test func `the largest datagram is put together`() {
    var run = MeterRun()
    var packet = Traffic.udp(client, server, [UInt8](repeating: 1, count: 65_507))
    #expect(packet.count == 65_535)
    for _ in 0..<2 {
      run.feed(all: Traffic.fragments(packet, size: 1480))
      // One octet more is too much: no length field can say it.
      packet.append(1)
      run.wait(seconds: 1.1)
    }
    let counters = run.meter.counters
    #expect(counters.datagramsReassembled == 1)
    _ = run.drain()
    #expect(run.meter.counters.datagramsAbandoned[.malformed] == 1)
  }

  /// The reassembler next to the plainest one there is: an array of optional octets.
  @Test func `random pieces come out as a plain reassembly of them would`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<2_000 {
      let data = (0..<Int.random(in: 1...400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var plain = [UInt8?](repeating: nil, count: data.count)
      var isSpoilt = false
      var datagram: Datagram?
      let header = Traffic.ip(client.ip, server.ip, Transport(rawValue: 253), [])
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        let offset = Int.random(in: 0...(data.count - 1) / 8, using: &random) * 8
        let end = min(data.count, offset + Int.random(in: 1...6, using: &random) * 8)
        let frame = Traffic.fragment(header, Array(data[offset..<end]), at: offset, hasMore: end < data.count)
        let packet = PacketDecoder.decode(frame.span, linkType: .raw, originalLength: frame.count)
        guard let fragment = packet.fragment else { continue }
        if datagram == nil { datagram = Datagram(packet, Datagram.Key(packet, fragment, on: 0), number: 0, at: Timestamp(nanoseconds: 0)) }
        datagram?.insert(packet, fragment, frame.span, at: Timestamp(nanoseconds: 0))
        let held = (offset..<end).filter { plain[$0] != nil }.count
        if held > 0, held < end - offset { isSpoilt = true }
        if isSpoilt { break }
        for index in offset..<end { plain[index] = data[index] }
        // What was whole is taken out.
        if datagram?.isWhole ?? false { break }
      }
      guard let datagram else { continue }
      #expect((datagram.fault == .overlapping) == isSpoilt, "seed \(seed), round \(round)")
      #expect(datagram.isWhole == (!isSpoilt && plain.allSatisfy { $0 != nil }), "seed \(seed), round \(round)")
      if datagram.isWhole { #expect(Array(datagram.octets.dropFirst(20)) == data, "seed \(seed), round \(round)") }
    }
  }
}
