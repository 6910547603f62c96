import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server
private let stub = SocketAddress(ip: client.ip, port: 40_000)

/// Names whose addresses come in several answers.
@Suite struct AliasTests {
  private static func exchange(_ run: inout MeterRun, _ name: String, type: RecordType = .a, id: UInt16, _ answer: [UInt8]) {
    run.feed(Traffic.udp(stub, MeterRun.resolver, Traffic.query(id, name, type: type)))
    run.feed(Traffic.udp(MeterRun.resolver, stub, answer))
  }

  private static func names(_ run: inout MeterRun) -> [String] {
    run.handshake()
    return run.only()?.names.map { ([$0.name.text] + $0.chain.map(\.text)).joined(separator: " ") + " \($0.confidence)" } ?? []
  }

  @Test func `a client that follows the aliases itself is after the name it first asked for`() {
    var run = MeterRun()
    Self.exchange(&run, "shop.example", id: 1, Traffic.answer(1, "shop.example", aliases: ["a.cdn.example"], [], ttl: 60))
    Self.exchange(&run, "a.cdn.example", id: 2, Traffic.answer(2, "a.cdn.example", aliases: ["b.cdn.example", "c.cdn.example"], []))
    Self.exchange(&run, "c.cdn.example", id: 3, Traffic.answer(3, "c.cdn.example", [server.ip], ttl: 5))
    #expect(Self.names(&run) == ["shop.example a.cdn.example b.cdn.example c.cdn.example resolved"])
  }

  @Test(arguments: [(4.9, "shop.example a.cdn.example resolved"), (5.1, "a.cdn.example resolved")])
  func `whoever asks for the alias later asks for the alias`(seconds: Double, expected: String) {
    var run = MeterRun()
    Self.exchange(&run, "shop.example", id: 1, Traffic.answer(1, "shop.example", aliases: ["a.cdn.example"], []))
    run.wait(seconds: seconds)
    Self.exchange(&run, "a.cdn.example", id: 2, Traffic.answer(2, "a.cdn.example", [server.ip]))
    #expect(Self.names(&run) == [expected])
  }

  @Test func `an alias without an address of the other type leads nowhere`() {
    var run = MeterRun()
    Self.exchange(&run, "shop.example", type: .aaaa, id: 1, Traffic.answer(1, "shop.example", type: .aaaa, aliases: ["a.cdn.example"], []))
    Self.exchange(&run, "a.cdn.example", id: 2, Traffic.answer(2, "a.cdn.example", [server.ip]))
    #expect(Self.names(&run) == ["a.cdn.example resolved"])
  }

  @Test func `A and AAAA that are asked for side by side are each led to the name first asked for`() {
    for last in [RecordType.a, .aaaa] {
      var run = MeterRun()
      for type in last == .a ? [RecordType.aaaa, .a] : [.a, .aaaa] {
        Self.exchange(&run, "shop.example", type: type, id: 1, Traffic.answer(1, "shop.example", type: type, aliases: ["a.cdn.example"], []))
      }
      Self.exchange(&run, "a.cdn.example", id: 2, Traffic.answer(2, "a.cdn.example", [server.ip]))
      #expect(Self.names(&run) == ["shop.example a.cdn.example resolved"])
    }
  }

  @Test func `where an alias and a service lead to one name, it is not known which one is meant`() {
    var run = MeterRun()
    Self.exchange(&run, "other.example", id: 1, Traffic.answer(1, "other.example", aliases: ["t.cdn.example"], []))
    Self.exchange(&run, "shop.example", type: .https, id: 2, Traffic.httpsAnswer(2, "shop.example", priority: 1, target: "t.cdn.example"))
    Self.exchange(&run, "t.cdn.example", id: 3, Traffic.answer(3, "t.cdn.example", [server.ip]))
    #expect(Self.names(&run) == ["t.cdn.example resolved"])
  }

  @Test func `what another client was led to says nothing`() {
    var run = MeterRun()
    run.resolve("shop.example", aliases: ["a.cdn.example"], [], client: IPAddress(v4: 0x0a00_0009), id: 1)
    Self.exchange(&run, "a.cdn.example", id: 2, Traffic.answer(2, "a.cdn.example", [server.ip]))
    #expect(Self.names(&run) == ["a.cdn.example resolved"])
  }

  @Test func `where several names lead, it is not known which one is meant`() {
    var run = MeterRun()
    Self.exchange(&run, "shop.example", id: 1, Traffic.answer(1, "shop.example", aliases: ["a.cdn.example"], []))
    Self.exchange(&run, "news.example", id: 2, Traffic.answer(2, "news.example", aliases: ["a.cdn.example"], []))
    Self.exchange(&run, "a.cdn.example", id: 3, Traffic.answer(3, "a.cdn.example", [server.ip]))
    #expect(Self.names(&run) == ["a.cdn.example resolved"])
  }

  @Test(arguments: [0, 1] as [UInt16])
  func `an HTTPS record leads to the host it names`(priority: UInt16) {
    var run = MeterRun()
    Self.exchange(&run, "shop.example", type: .https, id: 1, Traffic.httpsAnswer(1, "shop.example", priority: priority, target: "svc.example"))
    Self.exchange(&run, "svc.example", id: 2, Traffic.answer(2, "svc.example", [server.ip]))
    #expect(Self.names(&run) == ["shop.example svc.example resolved"])
  }

  @Test func `an HTTPS record for its owner leads nowhere, and its hints are addresses`() {
    var run = MeterRun()
    Self.exchange(&run, "shop.example", type: .https, id: 1, Traffic.httpsAnswer(1, "shop.example", priority: 1, target: "", hints: [server.ip]))
    #expect(Self.names(&run) == ["shop.example resolved"])
  }

  @Test func `a loop of aliases ends, and many aliases stay inside their bound`() {
    var run = MeterRun()
    for id in 0..<3_000 as Range<UInt16> {
      let (from, to) = ("n\(id % 50).example", "n\((id + 1) % 50).example")
      Self.exchange(&run, from, id: id, Traffic.answer(id, from, aliases: [to], []))
    }
    Self.exchange(&run, "n0.example", id: 5_000, Traffic.answer(5_000, "n0.example", [server.ip]))
    let names = Self.names(&run)
    #expect(names.count == 1 && names[0].split(separator: " ").count <= DNSMessage.maximumChainLength + 2)
  }
}
