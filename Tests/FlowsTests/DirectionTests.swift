import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server

@Suite struct DirectionTests {
  private static let hello = Traffic.clientHello("shop.example.com")
  private static let dns = SocketAddress(ip: server.ip, port: 53)
  /// Its port tells nothing.
  private static let alternative = SocketAddress(ip: server.ip, port: 8443)

  /// Each turned flow was begun by the client, whatever came first.
  @Test(arguments: [
    ("SYN first", [Traffic.tcp(client, server, .syn)], false),
    ("SYN+ACK first", [Traffic.tcp(server, client, [.syn, .ack])], false),
    ("the server's data, then the hello", [Traffic.tcp(alternative, client, .ack, [1, 2]), Traffic.tcp(client, alternative, .ack, hello)], true),
    ("the server's data, then the request", [
      Traffic.tcp(alternative, client, .ack, [1, 2]), Traffic.tcp(client, alternative, .ack, Traffic.request("a.example")),
    ], true),
    ("a late SYN proves it", [Traffic.tcp(alternative, client, .ack, [1, 2]), Traffic.tcp(client, alternative, .syn)], true),
    ("client first, without proof", [Traffic.udp(client, server)], false),
    ("the server's data first, told by the ports", [Traffic.tcp(server, client, .ack, [1, 2])], false),
    ("an echo reply first", [Traffic.icmp(server.ip, client.ip, type: 0)], false),
    ("a DNS answer first", [Traffic.udp(dns, client, Traffic.answer(1, "a.example", [server.ip]))], false),
  ] as [(String, [[UInt8]], Bool)])
  func `who began the flow is its source`(name: String, packets: [[UInt8]], turns: Bool) {
    var run = MeterRun()
    run.feed(all: packets)
    let turned = run.meter.counters.flowsTurned
    let records = run.drain()
    #expect(records.count == 1, "\(name)")
    #expect(records.first?.source.ip == client.ip, "\(name)")
    #expect(turned == (turns ? 1 : 0), "\(name)")
    let fromClient = packets.filter { $0[12..<16].elementsEqual(Traffic.bigEndian(0x0a00_0001 as UInt32)) }
    #expect(records.first?.out.packets == UInt64(fromClient.count), "\(name)")
    #expect(records.first?.out.bytes == UInt64(fromClient.reduce(0) { $0 + $1.count }), "\(name)")
  }

  @Test func `who is local counts more than who spoke first and less than a SYN`() {
    let local = [IPPrefix(client.ip)]
    var run = MeterRun { $0.local = local }
    run.feed(Traffic.udp(server, client))
    // An inbound connection: the SYN says that the other side began it.
    run.feed(Traffic.tcp(server, client, .syn))
    // Both local or neither: nothing to tell.
    run.feed(Traffic.udp(SocketAddress(ip: server.ip, port: 1), SocketAddress(ip: server.ip, port: 2)))
    let records = run.drain()
    #expect(records.map(\.source.ip) == [client.ip, server.ip, server.ip])
    #expect(records[2].source.port == 1)
  }

  @Test func `what who was called says names nothing`() {
    for said in [Self.hello, Traffic.request("a.example"), Array("CONNECT a.example:443 HTTP/1.1\r\n\r\n".utf8)] {
      var run = MeterRun { $0.local = [IPPrefix(client.ip)] }
      run.feed(Traffic.tcp(server, client, .ack, sequence: 500, said))
      let record = run.only()
      #expect(record?.source == client && record?.names == [] && record?.proxy == nil && record?.tls == nil)
      #expect(record?.application != nil)
    }
  }

  @Test func `ports tell who began only where the capture may have begun behind it`() {
    let low = SocketAddress(ip: client.ip, port: 800)
    let high = SocketAddress(ip: server.ip, port: 40_000)
    var run = MeterRun()
    run.feed(Traffic.udp(low, high))
    run.wait(seconds: 6)
    run.feed(Traffic.udp(SocketAddress(ip: client.ip, port: 801), high))
    #expect(run.drain().map(\.source.ip) == [server.ip, client.ip])
  }

  @Test func `a SYN with data behind its captured answer begins no second flow`() {
    var run = MeterRun()
    run.feed(Traffic.tcp(server, client, [.syn, .ack], sequence: 9000, acknowledgment: 1001 + UInt32(Self.hello.count)))
    run.feed(Traffic.tcp(client, server, .syn, sequence: 1000, Self.hello))
    let record = run.only()
    #expect(record?.source == client && record?.name?.name.text == "shop.example.com")
  }

  @Test func `a start is told once, with the flow's id, and can be switched off`() {
    var run = MeterRun()
    run.handshake()
    run.feed(Traffic.udp(client, server))
    let started = run.meter.advance(to: run.time).started
    let again = run.meter.advance(to: run.time).started
    #expect(started.map(\.transport) == [.tcp, .udp] && started.allSatisfy { $0.source == client && $0.destination == server })
    #expect(again.isEmpty)
    #expect(run.drain().map(\.id) == started.map(\.id))

    var silent = MeterRun { $0.reportsStarts = false }
    silent.handshake()
    #expect(silent.meter.advance(to: silent.time).started.isEmpty)
  }
}
