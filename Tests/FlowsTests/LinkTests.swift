import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server
private let nodes = (IPAddress(v4: 0xc0a8_0101), IPAddress(v4: 0xc0a8_0102))

/// One packet, seen on several links of a host.
@Suite struct LinkTests {
  private static func vxlan(_ packet: [UInt8]) -> [UInt8] {
    let frame = [UInt8](repeating: 2, count: 12) + [8, 0] + packet
    return Traffic.udp(SocketAddress(ip: nodes.0, port: 51_000), SocketAddress(ip: nodes.1, port: 8472), [8, 0, 0, 0, 0, 0, 1, 0] + frame)
  }

  private static let connection: [[UInt8]] = [
    Traffic.tcp(client, server, .syn, sequence: 1000), Traffic.tcp(server, client, [.syn, .ack], sequence: 9000, acknowledgment: 1001),
    Traffic.tcp(client, server, .ack, sequence: 1001, acknowledgment: 9001),
    Traffic.tcp(client, server, [.psh, .ack], sequence: 1001, Traffic.clientHello("shop.example", padding: 600)),
  ]

  @Test func `a packet that veth, bridge and uplink show counts once, in each direction`() throws {
    var run = MeterRun()
    for (index, packet) in Self.connection.enumerated() {
      for link in index == 1 ? [2, 7, 12] : [12, 7, 2] as [UInt32] { run.feed(packet, link: link) }
    }
    #expect(run.meter.counters.copies == 8)
    let record = try run.record()
    #expect(record.out.packets == 3 && record.in.packets == 1 && record.tls?.sni?.text == "shop.example")
    #expect(record.out.bytes == UInt64([0, 2, 3].reduce(0) { $0 + Self.connection[$1].count }))
  }

  @Test(arguments: [true, false])
  func `what a node shows bare and in a tunnel counts once, side by side`(isBareFirst: Bool) throws {
    var run = MeterRun()
    for (index, packet) in Self.connection.enumerated() {
      // Answers come to the node in the tunnel before they are handed to the pod.
      let isBare = (index == 1) != isBareFirst
      for bare in [isBare, !isBare] { run.feed(bare ? packet : Self.vxlan(packet), link: bare ? 12 : 2) }
    }
    #expect(run.meter.counters.copies == 4)
    let record = try run.record()
    #expect(record.out.packets == 3 && record.in.packets == 1)
    #expect(record.tls?.sni?.text == "shop.example" && record.encapsulation == (isBareFirst ? [] : ["vxlan"]))
  }

  @Test func `a datagram in fragments on two links is one packet`() throws {
    var run = MeterRun()
    let packet = Traffic.udp(client, server, [UInt8](repeating: 7, count: 600))
    for piece in Traffic.fragments(packet, size: 256) { for link in [12, 2] as [UInt32] { run.feed(piece, link: link) } }
    #expect(run.meter.counters.copies == 1)
    let record = try run.record()
    #expect(record.out.packets == 1 && record.out.bytes == UInt64(packet.count + 2 * 20))
  }

  @Test func `a question and its answer on two links are asked once`() {
    var run = MeterRun()
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    for link in [12, 2] as [UInt32] { run.feed(Traffic.udp(stub, MeterRun.resolver, Traffic.query(7, "a.example")), link: link) }
    for link in [2, 12] as [UInt32] { run.feed(Traffic.udp(MeterRun.resolver, stub, Traffic.answer(7, "a.example", [server.ip])), link: link) }
    let batch = run.meter.drain(at: run.time)
    #expect(batch.names.map(\.name.text) == ["a.example"])
    #expect(batch.records().map(\.out.packets) == [1])
  }

  @Test func `after a second of silence another link takes over, and not before`() throws {
    var run = MeterRun()
    let packet = Traffic.udp(client, server, [1])
    run.feed(packet, link: 2)
    run.wait(seconds: 0.9)
    run.feed(packet, link: 3)
    run.wait(seconds: 1.1)
    for _ in 0..<2 { for link in [3, 2] as [UInt32] { run.feed(packet, link: link) } }
    let record = try run.record()
    #expect(record.out.packets == 3)
  }

  @Test func `who takes over the address of a pod whose link is gone is another one`() throws {
    var run = MeterRun()
    let packets = [Traffic.udp(client, server, [1]), Traffic.icmp(client.ip, server.ip, type: 8, [1])]
    let answers = [Traffic.udp(server, client, [1]), Traffic.icmp(server.ip, client.ip, type: 0, [1])]
    for link in [2, 3] as [UInt32] {
      // On the pod's link and on the bridge; answers come the other way round.
      for packet in packets { for shown in [link, 12] { run.feed(packet, link: shown) } }
      for answer in answers { for shown in [12, link] { run.feed(answer, link: shown) } }
      if link == 2 { run.meter.linkIsGone(2) }
    }
    let records = run.drain()
    #expect(records.count == 4 && records.allSatisfy { $0.out.packets == 1 && $0.in.packets == 1 })
  }

  @Test func `a link that comes back ends neither this host's own flows nor connections`() throws {
    var run = MeterRun { $0.clients.unite([IPAddress(v4: 0x7f00_0001), client.ip]) }
    let pod = SocketAddress(ip: IPAddress(v4: 0x0af4_010b), port: 50_000)
    let segments = [Traffic.tcp(pod, server, .syn, sequence: 1000), Traffic.tcp(pod, server, .ack, sequence: 1001)]
    for (index, segment) in segments.enumerated() {
      if index == 1 {
        run.meter.linkIsGone(2)
        run.wait(seconds: 2)
      }
      for packet in [segment, Traffic.udp(client, server, [1])] { run.feed(packet, link: index == 0 ? 2 : 3) }
    }
    #expect(run.drain().map(\.out.packets) == [2, 2])
  }

  @Test func `of links that are gone the last thousand are remembered`() {
    var links = GoneLinks()
    for link in 1...UInt16(GoneLinks.capacity) + 2 { links.insert(link) }
    links.insert(3)
    #expect([0, 1, 2, 3, 1026, 1027].map { links.contains($0) } == [false, false, false, true, true, false])
  }

  @Test func `a cooked frame says itself which link it was on, and without numbers nothing is a copy`() throws {
    func cooked(_ packet: [UInt8], _ link: UInt8) -> [UInt8] { [8, 0, 0, 0, 0, 0, 0, link, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8) + packet }
    var run = MeterRun()
    let packet = Self.connection[0]
    for link in [12, 2, 12] as [UInt8] {
      let frame = cooked(packet, link)
      run.meter.observe(frame.span, linkType: .linuxSLL2, at: run.time, originalLength: frame.count)
    }
    #expect(try run.record().out.packets == 2)
    var plain = MeterRun()
    for _ in 0..<3 { plain.feed(packet) }
    #expect(try plain.record().out.packets == 3)
  }
}
