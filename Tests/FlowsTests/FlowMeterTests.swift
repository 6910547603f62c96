import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server

@Suite struct FlowMeterTests {
  @Test func `packets and octets are exact whatever was captured`() {
    var run = MeterRun()
    var expected = FlowCounters()
    for length in [0, 1, 100, 1460, 9000] {
      let packet = Traffic.udp(client, server, [UInt8](repeating: 1, count: length))
      run.feed(packet, captured: 28 + length % 7)
      expected.packets += 1
      expected.bytes += UInt64(packet.count)
    }
    let counters = run.meter.counters
    #expect(counters.frames == 5 && counters.bytes == expected.bytes)
    let record = run.only()
    #expect(record?.out == expected && record?.in == FlowCounters())
  }

  @Test func `frames that cannot be metered are counted by why`() {
    var run = MeterRun()
    run.feed([0x50, 0, 0])
    run.feed([0x45, 0, 0, 40])
    run.feed(Traffic.tcp(client, server, .syn), captured: 30)
    let arp: [UInt8] = [UInt8](repeating: 2, count: 12) + [8, 6, 0, 1]
    run.meter.observe(arp.span, linkType: .ethernet, at: run.time, originalLength: 60)
    run.meter.observe(arp.span, linkType: LinkType(rawValue: 147), at: run.time, originalLength: 60)
    let undecoded = run.meter.counters.undecoded
    #expect(undecoded[.malformedInternet] == 1 && undecoded[.truncatedInternet] == 1 && undecoded[.truncatedTransport] == 1)
    #expect(undecoded[.notIP] == 1 && undecoded[.unsupportedLinkType] == 1 && undecoded.total == 5)
    // The one whose ports were captured counts all the same.
    #expect(run.only()?.out.packets == 1)
  }

  @Test func `the observer's own conversations can be left out, and taken in again`() {
    var run = MeterRun()
    let own = SocketAddress(ip: IPAddress(v4: 0), port: 50_000)
    run.meter.ignore(own, transport: .udp)
    run.feed(Traffic.udp(client, server))
    run.feed(Traffic.udp(server, client))
    run.feed(Traffic.tcp(client, server, .syn))
    let ignored = run.meter.counters.ignoredFrames
    run.meter.observeAgain(own, transport: .udp)
    run.feed(Traffic.udp(client, server))
    #expect(ignored == 2)
    #expect(run.drain().map(\.transport) == [.tcp, .udp])
  }

  @Test func `draining gives every flow, start and name exactly once`() {
    var run = MeterRun { $0.capacity = 300 }
    for number in 0..<1000 as Range<UInt16> {
      run.feed(Traffic.udp(SocketAddress(ip: client.ip, port: 1000 + number), server))
      if number % 10 == 0 { run.resolve("n\(number).example", id: number) }
    }
    var ids: [UInt64] = []
    var starts: [UInt64] = []
    var names = 0
    var batches = 0
    while true {
      let batch = run.meter.drain(at: run.time, limit: 64)
      if batch.isEmpty { break }
      batches += 1
      #expect(batch.records().count <= 64)
      ids += batch.records().map(\.id)
      starts += batch.started.map(\.id)
      names += batch.names.count
    }
    let counters = run.meter.counters
    #expect(ids.count == Set(ids).count && Set(ids) == Set(starts) && UInt64(ids.count) == counters.flowsStarted)
    #expect(names == 100 && batches > 10)
    #expect(counters.flowsLive == 0 && counters.flowsEnded.total == counters.flowsStarted)
    #expect(counters.flowsEnded[.lackOfResources] == counters.flowsEvicted.total)
    #expect(run.meter.drain(at: run.time).isEmpty)
  }

  @Test func `a flood of attempts displaces attempts and not the connections under way`() {
    var run = MeterRun { $0.capacity = 64 }
    for number in 0..<8 as Range<UInt16> { run.handshake(client: SocketAddress(ip: client.ip, port: 1000 + number)) }
    // One that is over goes first.
    run.feed(Traffic.tcp(SocketAddress(ip: client.ip, port: 1000), server, .rst, sequence: 1001))
    for number in 0..<5000 as Range<UInt32> {
      run.feed(Traffic.tcp(SocketAddress(ip: IPAddress(v4: 0x0b00_0000 + number), port: 5), server, .syn, sequence: number))
    }
    let counters = run.meter.counters
    #expect(counters.flowsLive == 64 && counters.flowsStarted == 5008)
    #expect(counters.flowsEvicted[.unanswered] == 5008 - 64 - 1 && counters.flowsEvicted[.live] == 0)
    #expect(counters.flowsEvicted[.finished] == 1)
    let records = run.drain()
    #expect(records.count == 5008)
    #expect(records.filter { $0.state == .established && $0.endReason == .forcedEnd }.count == 7)
  }

  @Test func `when every flow is live, the one idle for longest makes room`() {
    var run = MeterRun { $0.capacity = 8 }
    for number in 0..<9 as Range<UInt16> { run.handshake(client: SocketAddress(ip: client.ip, port: 1000 + number)) }
    #expect(run.meter.counters.flowsEvicted[.live] == 1)
    let evicted = run.drain().filter { $0.endReason == .lackOfResources }
    #expect(evicted.map(\.source.port) == [1000])
  }

  @Test func `a table of one flow works`() {
    var run = MeterRun { $0.capacity = 1 }
    run.handshake()
    run.feed(Traffic.udp(client, server))
    run.handshake(isn: 5)
    #expect(run.drain().count == 3)
  }

  @Test func `time that runs backwards or jumps does not trap`() {
    var run = MeterRun()
    for time in [Int64.max, .min, 0, 5, .max, -1] {
      run.now = time == .max ? .max - 10_000_000 : time
      run.handshake()
      run.say(Array(Traffic.clientHello("a.example")[..<20]))
      run.resolve("a.example")
      _ = run.meter.advance(to: run.time)
    }
    let live = run.meter.counters.flowsLive
    #expect(live > 0)
    #expect(run.drain().count > 0)
  }

  @Test func `IPv6 flows are metered and named like IPv4 ones`() throws {
    let here = SocketAddress(ip: try #require(IPAddress("2001:db8::1")), port: 50_000)
    let there = SocketAddress(ip: try #require(IPAddress("2001:db8:1::2")), port: 443)
    let resolver = SocketAddress(ip: try #require(IPAddress("2001:db8::53")), port: 53)
    var run = MeterRun()
    run.feed(Traffic.udp(here, resolver, Traffic.query(1, "a.example", type: .aaaa)))
    run.feed(Traffic.udp(resolver, here, Traffic.answer(1, "a.example", type: .aaaa, [there.ip])))
    run.handshake(client: here, server: there)
    let refused = Traffic.tcp(here, SocketAddress(ip: there.ip, port: 1), .syn)
    run.feed(refused)
    run.feed(Traffic.icmp(there.ip, here.ip, type: 1, code: 4, Array(refused[..<48])))
    let records = run.drain()
    #expect(records.map(\.transport) == [.udp, .tcp, .tcp])
    #expect(records.map(\.state) == [.answered, .established, .refused])
    #expect(run.meter.counters.errorMessages == 1)
    #expect(records[1].names.map(\.confidence) == [.resolved] && records[1].out.bytes == 120)
  }

  @Test func `neighbour and listener discovery is no flow`() throws {
    let (here, there) = (try #require(IPAddress("2001:db8::1")), try #require(IPAddress("2001:db8::2")))
    var run = MeterRun()
    for type: UInt8 in [130, 131, 132, 133, 134, 135, 136, 137, 143] { run.feed(Traffic.icmp(here, there, type: type)) }
    #expect(run.meter.counters.linkUpkeepFrames == 9)
    run.feed(Traffic.icmp(here, there, type: 128))
    #expect(run.drain().map(\.out.packets) == [1])
  }

  @Test func `random packets never trap, and every packet is counted once`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var run = MeterRun {
      $0.capacity = 20
      $0.nameCapacity = 5
      $0.reassemblyByteLimit = 3_000
    }
    var records: [FlowRecord] = []
    for round in 0..<20_000 {
      let ends = [client, server, MeterRun.resolver, SocketAddress(ip: server.ip, port: 53)].shuffled(using: &random)
      let payloads = [[], [1], Traffic.clientHello("a.example"), Traffic.request("b.example"), Traffic.query(1, "c.example"), Traffic.answer(1, "c.example", [server.ip])]
      var payload = payloads[Int(random.next() % 6)]
      if random.next() % 2 == 0, !payload.isEmpty { payload = Array(payload[..<(Int(random.next() & 0xffff) % payload.count)]) }
      var packet =
        random.next() % 3 == 0
        ? Traffic.udp(ends[0], ends[1], payload)
        : Traffic.tcp(ends[0], ends[1], TCPFlags(rawValue: UInt8(random.next() & 63)), sequence: UInt32(random.next() % 2000), payload)
      if random.next() % 8 == 0 { packet[Int(random.next() & 0xffff) % packet.count] = UInt8(random.next() & 255) }
      if random.next() % 50 == 0 { run.wait(seconds: Double(random.next() % 400)) }
      run.feed(packet, captured: random.next() % 8 == 0 ? Int(random.next() % 90) : nil)
      if round % 100 == 0 { records += run.meter.advance(to: run.time).records() }
    }
    records += run.drain()
    let counters = run.meter.counters
    // A changed octet may make a fragment of a packet; those of one datagram count once.
    let datagrams = counters.datagramsReassembled + counters.datagramsAbandoned.total
    let undecoded = counters.undecoded.all.filter { $0.key != .truncatedTransport && $0.key != .malformedTransport }
    let lost = undecoded.reduce(counters.linkUpkeepFrames + counters.errorMessages) { $0 + $1.count }
    let counted = records.reduce(0) { $0 + $1.out.packets + $1.in.packets }
    #expect(counted + lost + counters.fragments - datagrams == 20_000, "seed \(seed)")
    #expect(counters.reassemblyBytes == 0, "seed \(seed)")
    #expect(Set(records.map(\.id)).count == records.count, "seed \(seed)")
  }

  @Test(arguments: [-3600.0, 3600.0])
  func `a clock that is set takes no flow away and keeps none back`(step: Double) {
    var run = MeterRun { $0.activeTimeout = 60 * FlowMeterConfiguration.second }
    run.handshake()
    run.feed(Traffic.udp(MeterRun.client, MeterRun.resolver))
    run.wait(seconds: 1)
    var records = run.meter.advance(to: run.time).records()
    run.wait(seconds: step)
    run.say([1, 2, 3])
    for _ in 0..<80 {
      run.wait(seconds: 1)
      records += run.meter.advance(to: run.time).records()
    }
    // The connection goes on and was told of again; what is idle has ended.
    let tcp = records.filter { $0.transport == .tcp }
    #expect(tcp.contains { $0.out.packets == 3 && $0.endReason == .activeTimeout })
    #expect(records.contains { $0.transport == .udp && $0.endReason == .idleTimeout })
    #expect(records.allSatisfy { $0.end >= $0.start })
    #expect(run.meter.counters.flowsLive == 1)
  }
}
