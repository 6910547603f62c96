import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server

@Suite struct FlowStateTests {
  enum Step: Sendable {
    case out(TCPFlags)
    case back(TCPFlags)
    case unreachable
  }

  @Test(arguments: [
    ("SYN alone", [.out(.syn)], .unanswered),
    ("SYN, again", [.out(.syn), .out(.syn)], .unanswered),
    ("SYN, reset", [.out(.syn), .back([.rst, .ack])], .refused),
    ("SYN, ICMP unreachable", [.out(.syn), .unreachable], .refused),
    ("SYN, ICMP unreachable, answered in the end", [.out(.syn), .unreachable, .out(.syn), .back([.syn, .ack])], .established),
    ("SYN, given up by the client itself", [.out(.syn), .out(.rst)], .unanswered),
    ("SYN, SYN+ACK", [.out(.syn), .back([.syn, .ack])], .established),
    ("handshake", [.out(.syn), .back([.syn, .ack]), .out(.ack)], .established),
    ("one side finished", [.out(.syn), .back([.syn, .ack]), .out(.ack), .out([.fin, .ack]), .back(.ack)], .established),
    ("both sides finished", [.out(.syn), .back([.syn, .ack]), .out([.fin, .ack]), .back([.fin, .ack]), .out(.ack)], .closed),
    ("a reset after both finished", [.out(.syn), .back([.syn, .ack]), .out([.fin, .ack]), .back([.fin, .ack]), .out(.rst)], .closed),
    ("reset by the server", [.out(.syn), .back([.syn, .ack]), .out(.ack), .back(.rst)], .reset),
    ("reset by the client", [.out(.syn), .back([.syn, .ack]), .out([.rst, .ack])], .reset),
    ("joined midway, both sides", [.out(.ack), .back(.ack)], .established),
    ("joined midway, one side", [.out(.ack), .out([.psh, .ack])], .unanswered),
    ("an ICMP message about an established connection", [.out(.syn), .back([.syn, .ack]), .unreachable], .established),
  ] as [(String, [Step], FlowState)])
  func `the state follows from the flags`(name: String, steps: [Step], state: FlowState) {
    var run = MeterRun()
    for step in steps {
      switch step {
      case .out(let flags): run.feed(Traffic.tcp(client, server, flags, sequence: 1000))
      case .back(let flags): run.feed(Traffic.tcp(server, client, flags, sequence: 9000))
      case .unreachable:
        let quoted = Traffic.tcp(client, server, .syn, sequence: 1000)
        run.feed(Traffic.icmp(IPAddress(v4: 0x0a00_00fe), client.ip, type: 3, code: 1, Array(quoted[..<28])))
      }
    }
    let records = run.drain().filter { $0.transport == .tcp }
    #expect(records.count == 1, "\(name)")
    #expect(records.first?.state == state, "\(name)")
    #expect(records.first?.source == client && records.first?.destination == server, "\(name)")
  }

  @Test func `a live flow that nobody answered yet is attempted`() {
    var run = MeterRun { $0.activeTimeout = 10 * FlowMeterConfiguration.second }
    run.feed(Traffic.tcp(client, server, .syn))
    _ = run.meter.advance(to: run.time)
    run.wait(seconds: 11)
    let records = run.meter.advance(to: run.time).records()
    #expect(records.map(\.state) == [.attempted] && records.map(\.endReason) == [.activeTimeout])
  }

  @Test func `datagrams are attempted, answered, unanswered or refused`() {
    let other = SocketAddress(ip: server.ip, port: 9)
    var run = MeterRun()
    run.feed(Traffic.udp(client, server))
    run.feed(Traffic.udp(server, client))
    let lost = Traffic.udp(client, other)
    run.feed(lost)
    run.feed(Traffic.icmp(server.ip, client.ip, type: 3, code: 3, Array(lost[..<28])))
    run.feed(Traffic.udp(SocketAddress(ip: client.ip, port: 4), server))
    run.feed(Traffic.icmp(client.ip, server.ip, type: 8))
    run.feed(Traffic.icmp(server.ip, client.ip, type: 0))
    let records = run.drain()
    #expect(records.map(\.state) == [.answered, .refused, .unanswered, .answered])
    #expect(records.map(\.transport) == [.udp, .udp, .udp, .icmp])
    // The error message and what it quotes are no flows; the echo and its reply are one, without ports.
    #expect(records[3].destination.port == nil && records[3].out.packets + records[3].in.packets == 2)
  }

  @Test func `a new initial sequence number is a new connection, a repeated one is not`() {
    var run = MeterRun()
    run.handshake(isn: 1000)
    run.feed(Traffic.tcp(client, server, .syn, sequence: 1000))
    run.feed(Traffic.tcp(client, server, [.fin, .ack], sequence: 1001))
    run.feed(Traffic.tcp(server, client, [.fin, .ack], sequence: 9001))
    run.feed(Traffic.tcp(client, server, .ack, sequence: 1002))
    run.handshake(isn: 777_000)
    // A connection whose end was not captured.
    run.handshake(isn: 888_000)
    let records = run.drain()
    #expect(records.map(\.state) == [.closed, .established, .established])
    #expect(records.map { $0.out.packets } == [5, 2, 2] && records.map { $0.in.packets } == [2, 1, 1])
    #expect(Set(records.map(\.id)).count == 3)
    #expect(records.map(\.endReason) == [.endOfFlow, .endOfFlow, .forcedEnd])
  }

  @Test func `stragglers stay in their flow, and what comes after the linger is another`() {
    var run = MeterRun()
    run.handshake()
    run.feed(Traffic.tcp(client, server, [.fin, .ack], sequence: 1001))
    run.feed(Traffic.tcp(server, client, [.fin, .ack], sequence: 9001))
    run.wait(seconds: 4)
    run.feed(Traffic.tcp(client, server, .ack, sequence: 1002))
    run.wait(seconds: 6)
    run.feed(Traffic.tcp(server, client, .ack, sequence: 9002))
    let records = run.drain()
    #expect(records.map { $0.out.packets + $0.in.packets } == [6, 1])
    #expect(records.map(\.state) == [.closed, .unanswered])
  }

  @Test(arguments: [
    ("TCP without an answer", [Traffic.tcp(client, server, .syn)], 65),
    ("TCP with one", [Traffic.tcp(client, server, .syn), Traffic.tcp(server, client, [.syn, .ack])], 7260),
    ("UDP", [Traffic.udp(client, server)], 60),
    ("an answered DNS query", [
      Traffic.udp(client, MeterRun.resolver, Traffic.query(1, "a.example")),
      Traffic.udp(MeterRun.resolver, client, Traffic.answer(1, "a.example", [server.ip])),
    ], 10),
    ("ICMP", [Traffic.icmp(client.ip, server.ip, type: 8)], 30),
    ("GRE", [Traffic.ip(client.ip, server.ip, Transport(rawValue: 47), [0, 0, 8, 0])], 60),
  ] as [(String, [[UInt8]], Double)])
  func `a silent flow ends after its timeout and not before`(name: String, packets: [[UInt8]], timeout: Double) {
    var run = MeterRun()
    run.feed(all: packets)
    let last = run.time
    _ = run.meter.advance(to: run.time)
    run.wait(seconds: timeout - 1)
    let early = run.meter.advance(to: run.time)
    run.wait(seconds: 2)
    let late = run.meter.advance(to: run.time)
    let counters = run.meter.counters
    #expect(early.records().isEmpty, "\(name)")
    #expect(late.records().map(\.endReason) == [.idleTimeout], "\(name)")
    #expect(late.records().first?.end == last, "\(name)")
    #expect(counters.flowsLive == 0 && counters.flowsEnded[.idleTimeout] == 1, "\(name)")
  }

  @Test func `a packet after the timeout begins a new flow though no sweep came between`() {
    var run = MeterRun()
    run.feed(Traffic.udp(client, server))
    run.wait(seconds: 61)
    run.feed(Traffic.udp(client, server))
    #expect(run.drain().map(\.endReason) == [.idleTimeout, .forcedEnd])
  }

  @Test func `interim records add up to the final one`() {
    var run = MeterRun { $0.activeTimeout = 60 * FlowMeterConfiguration.second }
    run.handshake()
    _ = run.meter.advance(to: run.time)
    var records: [FlowRecord] = []
    for _ in 0..<5 {
      run.wait(seconds: 30)
      run.say([UInt8](repeating: 65, count: 100))
      records += run.meter.advance(to: run.time).records()
    }
    run.wait(seconds: 200)
    records += run.meter.advance(to: run.time).records()
    // Nothing new to tell: no record.
    run.wait(seconds: 200)
    let idle = run.meter.advance(to: run.time).records()
    #expect(idle.isEmpty)
    records += run.drain()
    #expect(records.count >= 3)
    #expect(Set(records.map(\.id)).count == 1)
    #expect(records.first?.reportedOut == FlowCounters())
    for (earlier, later) in zip(records, records.dropFirst()) {
      #expect(later.reportedOut == earlier.out && later.reportedIn == earlier.in)
    }
    #expect(records.last?.out.packets == 7 && records.last?.endReason == .forcedEnd)
    #expect(records.dropLast().allSatisfy { $0.endReason == .activeTimeout && $0.state == .established })
  }
}
