import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server
private let nodes = (IPAddress(v4: 0xc0a8_0101), IPAddress(v4: 0xc0a8_0102))

@Suite struct TunnelledFlowTests {
  private static func ipip(_ packet: [UInt8]) -> [UInt8] { Traffic.ip(nodes.0, nodes.1, Transport(rawValue: 4), packet) }

  private static func vxlan(_ packet: [UInt8]) -> [UInt8] {
    let frame = [UInt8](repeating: 2, count: 12) + [8, 0] + packet
    return Traffic.udp(SocketAddress(ip: nodes.0, port: 51_000), SocketAddress(ip: nodes.1, port: 8472), [8, 0, 0, 0, 0, 0, 1, 0] + frame)
  }

  private static let connection: [[UInt8]] = [
    Traffic.tcp(client, server, .syn, sequence: 1000), Traffic.tcp(server, client, [.syn, .ack], sequence: 9000, acknowledgment: 1001),
    Traffic.tcp(client, server, .ack, sequence: 1001, acknowledgment: 9001),
    Traffic.tcp(client, server, [.psh, .ack], sequence: 1001, Traffic.clientHello("shop.example", padding: 600)),
  ]

  @Test func `a flow in tunnels is the innermost one, with its own octets, its name and its encapsulation`() throws {
    var run = MeterRun()
    for packet in Self.connection { run.feed(Self.ipip(Self.vxlan(packet))) }
    let only = run.only()
    let record = try #require(only)
    #expect(record.source == client && record.destination == server && record.encapsulation == ["ipip", "vxlan"])
    #expect(record.out.packets == 3 && record.in.packets == 1)
    #expect(record.out.bytes == UInt64([0, 2, 3].reduce(0) { $0 + Self.connection[$1].count }))
    #expect(record.tls?.sni?.text == "shop.example" && record.state == .established)
  }

  @Test func `only tunnels between trusted ends are opened; of others the tunnel itself is the flow, whatever is inside`() {
    let trusted = [IPPrefix(nodes.0), IPPrefix(nodes.1)]
    let forged = Traffic.ip(client.ip, nodes.1, Transport(rawValue: 4), Self.connection[0])
    for wrapped in [Self.ipip, Self.vxlan] as [([UInt8]) -> [UInt8]] {
      var run = MeterRun { $0.tunnelEnds = trusted }
      run.feed(wrapped(Self.connection[0]))
      run.feed(all: Traffic.fragments(wrapped(Self.connection[3]), size: 256))
      run.feed(forged)
      run.feed(all: Traffic.fragments(forged, size: 16, id: 9))
      let records = run.drain()
      #expect(records.map(\.source.ip) == [client.ip, client.ip] && records.map(\.transport) == [.tcp, Transport(rawValue: 4)])
      #expect(records.map(\.out.packets) == [2, 2] && records.map(\.encapsulation.isEmpty) == [false, true])
      #expect(records.first?.tls?.sni?.text == "shop.example")
    }
    // The tunnel of somebody else, over UDP.
    var run = MeterRun { $0.tunnelEnds = [IPPrefix(nodes.0)] }
    run.feed(Self.vxlan(Self.connection[0]))
    #expect(run.drain().map(\.destination) == [SocketAddress(ip: nodes.1, port: 8472)])
  }

  @Test func `a tunnel that carries no IP is a flow of its own`() throws {
    var run = MeterRun()
    run.feed(Traffic.ip(nodes.0, nodes.1, Transport(rawValue: 47), [0, 0, 8, 6, 0, 1, 8, 0]))
    let only = run.only()
    let record = try #require(only)
    #expect(record.transport.rawValue == 47 && record.encapsulation.isEmpty)
  }

  @Test func `names looked up inside a tunnel are those of the client inside`() {
    var run = MeterRun()
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    run.feed(Self.vxlan(Traffic.udp(stub, MeterRun.resolver, Traffic.query(7, "a.example"))))
    run.feed(Self.vxlan(Traffic.udp(MeterRun.resolver, stub, Traffic.answer(7, "a.example", [server.ip]))))
    run.feed(Self.vxlan(Self.connection[0]))
    #expect(run.only()?.names.map(\.name.text) == ["a.example"])
  }

  @Test(arguments: [16, 64, 256])
  func `a tunnel whose packets are fragmented carries each inner packet once`(size: Int) throws {
    var run = MeterRun()
    for (index, packet) in Self.connection.enumerated() {
      // The tunnel's packets are fragmented, and the fragments travel through another tunnel.
      for piece in Traffic.fragments(Self.vxlan(packet), size: size, id: UInt16(index)) { run.feed(Self.ipip(piece)) }
    }
    let reassembled = run.meter.counters.datagramsReassembled
    let records = run.drain()
    // The shortest of the four packets has 98 octets.
    #expect(records.count == 1 && reassembled == (size == 256 ? 1 : 4))
    #expect(records.first?.encapsulation == ["ipip", "vxlan"] && records.first?.out.packets == 3)
    #expect(records.first?.out.bytes == UInt64([0, 2, 3].reduce(0) { $0 + Self.connection[$1].count }))
    #expect(records.first?.tls?.sni?.text == "shop.example")
  }

  @Test(arguments: [(12, true), (13, false)])
  func `fragments of fragments end where nesting ends`(depth: Int, isReached: Bool) throws {
    var packets = [Self.connection[0]]
    var id: UInt16 = 0
    var datagrams: UInt64 = 0
    for _ in 0..<depth {
      packets = packets.flatMap { packet in
        id += 1
        let pieces = Traffic.fragments(Self.ipip(packet), size: 24, id: id)
        if pieces.count > 1 { datagrams += 1 }
        return pieces
      }
    }
    var run = MeterRun()
    run.feed(all: packets)
    let reassembled = run.meter.counters.datagramsReassembled
    let records = run.drain()
    #expect(records.allSatisfy { $0.encapsulation == [String](repeating: "ipip", count: 12) })
    #expect(reassembled == datagrams)
    #expect(records.map(\.transport) == [isReached ? .tcp : Transport(rawValue: 4)] && records.first?.out.packets == 1)
  }
}
