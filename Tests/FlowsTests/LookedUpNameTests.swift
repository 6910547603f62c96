import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client
private let server = MeterRun.server
private let resolver = MeterRun.resolver

@Suite struct LookedUpNameTests {
  private static func evidence(_ name: String, _ confidence: Confidence, chain: [String] = []) -> NameEvidence {
    NameEvidence(
      name: DomainName(presentation: name), source: .dns, confidence: confidence, chain: chain.map { DomainName(presentation: $0) })
  }

  @Test func `the queried name is bound with its chain, and the answer is told`() {
    var run = MeterRun()
    run.resolve("shop.example.com", aliases: ["shop.cdn.example.net", "e1.example.org"])
    run.handshake()
    let batch = run.meter.advance(to: run.time)
    #expect(run.only()?.names == [Self.evidence("shop.example.com", .resolved, chain: ["shop.cdn.example.net", "e1.example.org"])])
    #expect(batch.names.count == 1)
    let record = batch.names.first
    #expect(record?.client == client.ip && record?.server == resolver.ip && record?.name.text == "shop.example.com" && record?.type == "A")
    #expect(record?.addresses == [server.ip] && record?.ttl == 60 && record?.rcode == "NOERROR" && record?.chain.count == 2)
  }

  @Test func `several names for one address are shared, latest first, until the connection says which`() {
    var run = MeterRun()
    run.resolve("a.example")
    run.resolve("b.example", id: 8)
    run.handshake()
    #expect(run.only()?.names == [Self.evidence("b.example", .shared), Self.evidence("a.example", .shared)])

    run.handshake()
    run.say(Traffic.clientHello("a.example"))
    let names = run.only()?.names ?? []
    #expect(names.map(\.confidence) == [.confirmed, .resolved, .shared])
    #expect(names.map(\.name.text) == ["a.example", "a.example", "b.example"])
  }

  @Test(arguments: [(60.0, Confidence.resolved), (89, .resolved), (91, .hint)])
  func `a name is resolved for its time to live and half a minute more, and a hint after`(seconds: Double, confidence: Confidence) {
    var run = MeterRun()
    run.resolve("a.example", ttl: 60)
    run.wait(seconds: seconds)
    run.handshake()
    #expect(run.only()?.names == [Self.evidence("a.example", confidence)])
  }

  @Test(arguments: zip([8.0, 3], [["new.example"], ["new.example", "old.example"]]))
  func `an address that moves to another name has only the new one once the old has expired`(seconds: Double, names: [String]) {
    var run = MeterRun()
    run.resolve("old.example", ttl: 5)
    run.wait(seconds: seconds)
    run.resolve("new.example", ttl: 5, id: 8)
    run.handshake()
    let confidence = names.count == 1 ? Confidence.resolved : .shared
    #expect(run.only()?.names == names.map { Self.evidence($0, confidence) })
  }

  @Test func `a flow keeps its names for life, and names that come later are not its`() {
    var run = MeterRun()
    run.resolve("a.example", ttl: 1)
    run.handshake()
    run.wait(seconds: 3600)
    run.resolve("b.example", id: 9)
    run.say([0])
    #expect(run.only()?.names == [Self.evidence("a.example", .resolved)])
  }

  @Test(arguments: [0, 1] as [UInt32]) func `a name that is hardly to live is not hidden by one that was learned before and lives on`(ttl: UInt32) {
    var run = MeterRun()
    run.resolve("long.example", ttl: 300)
    run.resolve("short.example", ttl: ttl, id: 8)
    run.wait(seconds: 1.5)
    run.handshake()
    #expect(run.only()?.names == [Self.evidence("short.example", .shared), Self.evidence("long.example", .shared)])
    // The other way round the one that lives on has taken the place.
    var turned = MeterRun()
    turned.resolve("short.example", ttl: ttl)
    turned.resolve("long.example", ttl: 300, id: 8)
    turned.wait(seconds: 1.5)
    turned.handshake()
    #expect(turned.only()?.names == [Self.evidence("long.example", .resolved)])
  }

  @Test func `while a capture begins, nobody's answer is believed of a client whose query was seen`() {
    let evil = IPAddress(v4: 0xcb00_7142)
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    let forged = Traffic.answer(1, "bank.example", [evil])
    for (source, destination) in [
      (resolver, SocketAddress(ip: client.ip, port: 40_001)), (SocketAddress(ip: IPAddress(v4: 0x0808_0808), port: 53), stub),
    ] {
      var run = MeterRun()
      run.feed(Traffic.udp(stub, resolver, Traffic.query(1, "bank.example")))
      run.feed(Traffic.udp(source, destination, forged))
      run.handshake(server: SocketAddress(ip: evil, port: 443))
      #expect(run.meter.counters.dns[.unsolicited] == 1)
      #expect(run.only()?.names == [])
      // Of another client nothing was seen yet.
      run.feed(Traffic.udp(resolver, SocketAddress(ip: IPAddress(v4: 0x0a00_0009), port: 40_000), forged))
      #expect(run.meter.counters.dns[.answer] == 1)
    }
  }

  @Test func `a capture may begin between the queries for A and AAAA and their answers`() {
    var run = MeterRun()
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    for (id, address) in [(1, IPAddress(v4: 0xcb00_7108)), (2, server.ip)] as [(UInt16, IPAddress)] {
      run.feed(Traffic.udp(resolver, stub, Traffic.answer(id, "a.example", [address])))
    }
    run.feed(Traffic.udp(resolver, stub, Traffic.answer(3, "a.example", [IPAddress(v4: 0xcb00_7107)])))
    #expect(run.meter.counters.dns[.answer] == 2 && run.meter.counters.dns[.unsolicited] == 1)
    run.handshake()
    #expect(run.only()?.names == [Self.evidence("a.example", .resolved)])
  }

  @Test func `what comes with an error names nothing`() {
    var run = MeterRun()
    run.feed(Traffic.udp(client, resolver, Traffic.query(1, "a.example")))
    run.feed(Traffic.udp(resolver, client, Traffic.answer(1, "a.example", [server.ip], code: 2)))
    run.handshake()
    #expect(run.drain().last?.names == [])
  }

  @Test func `what another client looked up is a hint`() {
    var run = MeterRun()
    run.resolve("a.example", client: IPAddress(v4: 0x0a00_0002))
    run.handshake()
    #expect(run.only()?.names == [Self.evidence("a.example", .hint)])
  }

  @Test func `the look-ups of a stub on loopback are those of the host's own addresses`() {
    for (isHost, confidence) in [(true, Confidence.resolved), (false, .hint)] {
      var run = MeterRun { if isHost { $0.clients.unite([client.ip, IPAddress(v4: 0x7f00_0001)]) } }
      let stub = SocketAddress(ip: IPAddress(v4: 0x7f00_0035), port: 53)
      let asker = SocketAddress(ip: IPAddress(v4: 0x7f00_0001), port: 4000)
      run.feed(Traffic.udp(asker, stub, Traffic.query(1, "a.example")))
      run.feed(Traffic.udp(stub, asker, Traffic.answer(1, "a.example", [server.ip])))
      run.handshake()
      #expect(run.only()?.names == [Self.evidence("a.example", confidence)])
    }
  }

  @Test func `what a client looked up over one of its addresses names what it reaches from another`() {
    let other = IPAddress(v4: 0x0a00_0002)
    for (areOne, confidence) in [(true, Confidence.resolved), (false, .hint)] {
      var run = MeterRun { if areOne { $0.clients.unite([other, client.ip]) } }
      run.resolve("a.example", client: other)
      run.handshake()
      #expect(run.only()?.names == [Self.evidence("a.example", confidence)])
    }
  }

  @Test func `names of an earlier run count by their time`() {
    var run = MeterRun()
    let record = NameRecord(
      time: run.time, client: client.ip, server: resolver.ip, name: DomainName(presentation: "a.example"), type: "A", addresses: [server.ip],
      ttl: 60, rcode: "NOERROR")
    run.meter.learn(record)
    run.handshake()
    #expect(run.only()?.names == [Self.evidence("a.example", .resolved)])
  }

  @Test(arguments: [
    ("another id", Traffic.answer(8, "a.example", [server.ip]), resolver), ("another name", Traffic.answer(7, "b.example", [server.ip]), resolver),
    ("another type", Traffic.answer(7, "a.example", type: .aaaa, [server.ip]), resolver),
  ])
  func `an answer that fits no query is not believed`(name: String, answer: [UInt8], from: SocketAddress) {
    var run = MeterRun()
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    run.feed(Traffic.udp(stub, resolver, Traffic.query(7, "a.example")))
    run.feed(Traffic.udp(from, stub, answer))
    run.handshake()
    let dns = run.meter.counters.dns
    let batch = run.meter.advance(to: run.time)
    #expect(run.only()?.names == [], "\(name)")
    #expect(dns[.query] == 1 && dns[.unsolicited] == 1 && dns[.answer] == 0 && batch.names.isEmpty, "\(name)")
  }

  @Test func `an answer is believed once, whatever the case of its letters`() {
    var run = MeterRun()
    let stub = SocketAddress(ip: client.ip, port: 40_000)
    run.feed(Traffic.udp(stub, resolver, Traffic.query(7, "wWw.eXample")))
    run.feed(Traffic.udp(resolver, stub, Traffic.answer(7, "www.example", [server.ip])))
    run.feed(Traffic.udp(resolver, stub, Traffic.answer(7, "www.example", [IPAddress(v4: 0x0606_0606)])))
    let dns = run.meter.counters.dns
    #expect(dns[.answer] == 1 && dns[.unsolicited] == 1)
  }

  @Test func `an answer without its query is believed only when the capture has just begun`() {
    for (wait, outcome) in [(4.0, DNSOutcome.answer), (6, .unsolicited)] {
      var run = MeterRun()
      run.feed(Traffic.udp(server, client))
      run.wait(seconds: wait)
      run.feed(Traffic.udp(resolver, client, Traffic.answer(1, "a.example", [server.ip])))
      let count = run.meter.counters.dns[outcome]
      #expect(count == 1)
    }
  }

  @Test(arguments: [5353, 5355, 137] as [UInt16])
  func `multicast DNS, LLMNR and NetBIOS name nothing`(port: UInt16) {
    var run = MeterRun()
    let peer = SocketAddress(ip: resolver.ip, port: port)
    run.feed(Traffic.udp(SocketAddress(ip: client.ip, port: port), peer, Traffic.query(0, "printer.local")))
    run.feed(Traffic.udp(peer, SocketAddress(ip: client.ip, port: port), Traffic.answer(0, "printer.local", [server.ip])))
    run.handshake()
    let total = run.meter.counters.dns.total
    let records = run.drain()
    #expect(total == 0 && records.allSatisfy { $0.names.isEmpty })
  }

  @Test func `DNS over TCP is read for as long as the connection lives, several messages a segment, cut anywhere`() {
    let framed = { (message: [UInt8]) in Traffic.bigEndian(UInt16(message.count)) + message }
    let asked = framed(Traffic.query(1, "a.example")) + framed(Traffic.query(2, "b.example"))
    let other = IPAddress(v4: 0x0505_0505)
    let answered = framed(Traffic.answer(1, "a.example", [server.ip])) + framed(Traffic.answer(2, "b.example", [other]))
    for cut in 1..<answered.count {
      var run = MeterRun()
      let asker = SocketAddress(ip: client.ip, port: 41_000)
      run.handshake(client: asker, server: resolver)
      run.feed(Traffic.tcp(asker, resolver, .ack, sequence: 1001, asked))
      run.wait(seconds: 1)
      run.feed(Traffic.tcp(resolver, asker, .ack, sequence: 9001, Array(answered[..<cut])))
      run.feed(Traffic.tcp(resolver, asker, .ack, sequence: 9001 + UInt32(cut), Array(answered[cut...])))
      run.handshake()
      let counters = run.meter.counters
      #expect(counters.dns[.query] == 2 && counters.dns[.answer] == 2 && counters.reassemblyBytes == 2 * 256)
      let records = run.drain()
      #expect(records.first?.application == .dns)
      #expect(records.last?.names == [Self.evidence("a.example", .resolved)])
    }
  }

  @Test func `a quiet DNS connection is not given up`() {
    var run = MeterRun()
    let asker = SocketAddress(ip: client.ip, port: 41_000)
    run.handshake(client: asker, server: resolver)
    for id in 0..<3 as Range<UInt16> {
      let query = Traffic.query(id, "a.example")
      let framed = Traffic.bigEndian(UInt16(query.count)) + query
      run.feed(Traffic.tcp(asker, resolver, .ack, sequence: 1001 + UInt32(id) * UInt32(framed.count), framed))
      run.wait(seconds: 100)
      _ = run.meter.advance(to: run.time)
    }
    let dns = run.meter.counters.dns
    #expect(dns[.query] == 3 && dns[.unanswered] == 3)
  }

  @Test func `what is no DNS message is counted, and a cut one too`() {
    var run = MeterRun()
    run.feed(Traffic.udp(client, resolver, [1, 2, 3]))
    run.feed(Traffic.udp(client, resolver, Traffic.query(1, "a.example")), captured: 45)
    run.feed(Traffic.udp(client, resolver, Traffic.query(1, "a.example")))
    run.feed(Traffic.udp(resolver, client, Traffic.answer(1, "a.example", aliases: ["b.example"], [server.ip])), captured: 90)
    let dns = run.meter.counters.dns
    #expect(dns[.malformed] == 1 && dns[.truncated] == 2 && dns[.query] == 1)
  }

  @Test func `an answer that no such name exists is told and names nothing`() {
    var run = MeterRun()
    run.feed(Traffic.udp(client, resolver, Traffic.query(1, "nowhere.example")))
    run.feed(Traffic.udp(resolver, client, Traffic.answer(1, "nowhere.example", [], code: 3)))
    let batch = run.meter.advance(to: run.time)
    #expect(batch.names.map(\.rcode) == ["NXDOMAIN"] && batch.names.first?.ttl == nil)
    #expect(run.meter.counters.namesKnown == 0)
  }

  @Test func `names stay inside their bound: the ones not asked for again go`() {
    var run = MeterRun { $0.nameCapacity = 50 }
    for number in 0..<200 as Range<UInt32> {
      run.resolve("n\(number).example", [IPAddress(v4: 0xcb00_7200 + number)], id: UInt16(number))
      run.resolve("kept.example", id: UInt16(1000 + number))
    }
    let counters = run.meter.counters
    run.handshake()
    #expect(counters.namesKnown == 50 && counters.namesEvicted == 201 - 50)
    #expect(run.only()?.names == [Self.evidence("kept.example", .resolved)])
  }

  @Test func `no look-up takes the place of another's hint`() {
    // Far apart, each another's: the multiplier is odd.
    let addresses = (1...2000 as ClosedRange<UInt32>).map { IPAddress(v4: $0 &* 0x9e37_79b1) }
    var run = MeterRun { $0.seed = 0x2545_f491_4f6c_dd1d }
    for (number, address) in addresses.enumerated() {
      run.resolve("n\(number).example", [address], client: IPAddress(v4: 0x0a00_0002), id: UInt16(number))
    }
    for address in addresses { run.handshake(server: SocketAddress(ip: address, port: 443)) }
    let names = run.drain().filter { $0.destination.port == 443 }.map(\.names)
    #expect(names == addresses.indices.map { [Self.evidence("n\($0).example", .hint)] })
  }

  @Test func `a hint is forgotten with its look-up`() {
    let other = IPAddress(v4: 0x0a00_0002)
    var run = MeterRun { $0.nameCapacity = 1 }
    run.resolve("a.example", client: other)
    run.resolve("b.example", [IPAddress(v4: 0xcb00_7201)], client: other, id: 8)
    run.handshake()
    #expect(run.only()?.names == [])
  }

  @Test func `queries stay inside their bound, and what is forgotten is counted`() {
    var table = QueryTable(capacity: 64, timeout: 30)
    for number in 1...1000 as ClosedRange<UInt64> { table.insert(number << 32 | 1, at: Timestamp(nanoseconds: 0)) }
    #expect(table.count == 64 && table.unanswered == 1000 - 64)
    let inTime = table.answer(1000 << 32 | 1, at: Timestamp(nanoseconds: 30))
    let late = table.answer(999 << 32 | 1, at: Timestamp(nanoseconds: 31))
    #expect(inTime && !late)
    table.forget(before: Timestamp(nanoseconds: 31))
    #expect(table.count == 0 && table.unanswered == 999)
  }

  @Test func `one address has no more names than its bound`() {
    var run = MeterRun { $0.namesPerAddress = 3 }
    for number in 0..<10 as Range<UInt16> { run.resolve("n\(number).example", id: number) }
    run.handshake()
    #expect(run.only()?.names.map(\.name.text) == ["n9.example", "n8.example", "n7.example"])
  }
}
