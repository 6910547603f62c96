import EgressModel
import Testing

@testable import Flows

@Suite struct TranslatedFlowTests {
  private static let node = SocketAddress(ip: IPAddress(v4: 0xc0a8_4d0a), port: 61_000)
  private let pod = MeterRun.client
  private let node = Self.node
  private let server = MeterRun.server

  private static func run() -> MeterRun {
    MeterRun { $0.clients.unite([IPAddress(v4: 0x7f00_0001), node.ip]) }
  }

  @Test(arguments: [true, false])
  func `a connection that a node translates counts once, for who began it`(isPodFirst: Bool) {
    var run = Self.run()
    for client in isPodFirst ? [pod, node] : [node, pod] { run.handshake(client: client) }
    let record = run.only()
    #expect(record?.source == pod)
    #expect(record?.out.packets == 2 && record?.in.packets == 1)
    #expect(run.meter.counters.flowsTranslated == 1)
    #expect(run.drain().isEmpty)
  }

  @Test func `an interim record is not made of the copy either`() {
    var run = Self.run()
    for client in [pod, node] { run.handshake(client: client) }
    run.wait(seconds: 3)
    var sources: [SocketAddress] = []
    for _ in 0..<3 {
      sources += run.meter.advance(to: run.time).records().map(\.source)
      run.wait(seconds: 1)
    }
    #expect(sources.allSatisfy { $0 == pod })
  }

  @Test func `datagrams that keep their port count once`() {
    var run = Self.run()
    let payload: [UInt8] = [1, 2, 3]
    run.feed(Traffic.udp(pod, server, payload))
    run.feed(Traffic.udp(SocketAddress(ip: node.ip, port: pod.port), server, payload))
    run.feed(Traffic.udp(node, server, payload))
    #expect(run.drain().map(\.source) == [pod, node])
  }

  @Test func `the node's own connections, other pods' and later ones stay`() {
    var run = Self.run()
    run.handshake(isn: 1, client: pod)
    run.handshake(isn: 2, client: node)
    // Two pods with one sequence number, by chance.
    run.handshake(isn: 1, client: SocketAddress(ip: IPAddress(v4: 0x0a00_0002), port: 50_000))
    run.wait(seconds: 2)
    run.handshake(isn: 1, client: SocketAddress(ip: node.ip, port: 61_001))
    #expect(run.drain().count == 4)
    #expect(run.meter.counters.flowsTranslated == 0)
  }

  private static let datagram: [UInt8] = Array("a datagram that is like no other".utf8)

  @Test(arguments: [true, false])
  func `a datagram counts once though its port is translated, if it is long enough to prove it`(isLong: Bool) {
    var run = Self.run()
    let payload = isLong ? Self.datagram : Array(Self.datagram.prefix(15))
    run.feed(Traffic.udp(pod, server, payload))
    run.feed(Traffic.udp(node, server, payload))
    run.feed(Traffic.udp(SocketAddress(ip: node.ip, port: 61_002), server, Array(payload.reversed())))
    #expect(run.drain().map(\.source.port) == (isLong ? [pod.port, 61_002] : [pod.port, node.port, 61_002]))
  }

  @Test(arguments: [false, true])
  func `an echo request counts once though its identifier is translated`(isV6: Bool) {
    let v6 = (pod: IPAddress("2001:db8:244:1::11")!, node: IPAddress("2001:db8:77::10")!, server: IPAddress("2001:db8:cd::10")!)
    let (from, own, to) = isV6 ? (v6.pod, v6.node, v6.server) : (pod.ip, node.ip, server.ip)
    var run = MeterRun { $0.clients.unite([IPAddress(v4: 0x7f00_0001), own]) }
    func echo(_ source: IPAddress, id: UInt8, sequence: UInt8) -> [UInt8] {
      var packet = Traffic.icmp(source, to, type: isV6 ? 128 : 8, Self.datagram)
      let header = isV6 ? 40 : 20
      packet[header + 5] = id
      packet[header + 7] = sequence
      return packet
    }
    run.feed(echo(from, id: 1, sequence: 1))
    run.feed(echo(own, id: 9, sequence: 1))
    #expect(run.drain().map(\.source.ip) == [from])
    // The node's own, of another number.
    run.feed(echo(from, id: 1, sequence: 1))
    run.feed(echo(own, id: 9, sequence: 2))
    #expect(run.drain().count == 2)
    // The node's own beside the copy of a pod's: each identifier is a flow.
    for sequence in 3...4 as ClosedRange<UInt8> { for (source, id) in [(from, 1), (own, 9)] as [(IPAddress, UInt8)] { run.feed(echo(source, id: id, sequence: sequence)) } }
    run.feed(echo(own, id: 10, sequence: 7))
    let records = run.drain()
    #expect(records.map(\.source) == [SocketAddress(ip: from, port: nil), SocketAddress(ip: own, port: nil)])
    #expect(records.map(\.out.packets) == [2, 1])
  }

  @Test func `what goes to a Service counts once and says what it became, and once more behind the node's address`() {
    let service = SocketAddress(ip: IPAddress(v4: 0x0a60_0032), port: 80)
    let backend = SocketAddress(ip: IPAddress(v4: 0x0af4_010c), port: 8080)
    var run = Self.run()
    run.meter.services = [service.ip]
    run.handshake(client: pod, server: service)
    run.handshake(client: pod, server: backend)
    run.handshake(client: node, server: backend)
    let record = run.only()
    #expect(record?.source == pod && record?.destination == service && record?.backend == backend)
    #expect(run.meter.counters.flowsTranslated == 2)
  }

  @Test func `two connections with one sequence number hide nothing but behind a Service, and nobody on the internet`() {
    let service = SocketAddress(ip: IPAddress(v4: 0x0a60_0032), port: 80)
    var run = Self.run()
    run.meter.services = [service.ip]
    run.handshake(client: pod, server: service)
    run.handshake(client: pod, server: server)
    run.handshake(client: pod, server: SocketAddress(ip: IPAddress(v4: 0xcb00_7163), port: 443))
    #expect(run.drain().count == 3)
    #expect(run.meter.counters.flowsTranslated == 0)
  }

  @Test func `what connection tracking says of a flow holds for its records`() {
    let backend = SocketAddress(ip: IPAddress(v4: 0x0af4_010c), port: 8080)
    // Who this host is, is not known, so nothing is found by sequence numbers.
    var run = MeterRun()
    run.handshake(client: pod)
    run.handshake(client: node)
    for start in run.meter.advance(to: run.time).started { run.meter.note(start.source == pod ? .destination(backend) : .copy, of: start) }
    let records = run.drain()
    #expect(records.map(\.source) == [pod] && records.first?.backend == backend)
  }
}
