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
}
