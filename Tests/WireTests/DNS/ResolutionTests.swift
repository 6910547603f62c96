import EgressModel
import Testing
import Wire

@Suite struct ResolutionTests {
  typealias F = DNSFixtures

  private func follow(type: Int = 1, of name: String = "q.example", flags: Int = 0x8180, _ answers: [[UInt8]]) throws -> Resolution {
    try #require(try F.decode(F.message(flags: flags, questions: [F.question(F.name(name), type)], answers: answers)).resolution())
  }

  private func alias(_ owner: String, _ target: String, ttl: Int = 60) -> [UInt8] { F.record(F.name(owner), 5, ttl: ttl, F.name(target)) }
  private func address(_ owner: String, _ last: UInt8, ttl: Int = 60) -> [UInt8] { F.record(F.name(owner), 1, ttl: ttl, [192, 0, 2, last]) }

  @Test func `the chain leads from the question to the addresses, with the smallest time to live`() throws {
    let resolution = try #require(try F.decode(F.shop).resolution())
    #expect(resolution.name.text == "shop.example.com")
    #expect(resolution.type == .a)
    #expect(resolution.chain.map(\.text) == ["cdn.example.com", "e.example.com"])
    #expect(resolution.addresses.map(\.description) == ["203.0.113.10", "203.0.113.11"])
    #expect(resolution.ttl == 5)
  }

  @Test func `the order of the records does not matter`() throws {
    let records = [alias("q.example", "a.example", ttl: 9), alias("a.example", "b.example"), alias("b.example",
    "c.example"), address("c.example", 1)]
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<24 {
      let resolution = try follow(records.shuffled(using: &generator))
      #expect(resolution.chain.map(\.text) == ["a.example", "b.example", "c.example"])
      #expect(resolution.addresses.map(\.description) == ["192.0.2.1"])
      #expect(resolution.ttl == 9)
    }
  }

  @Test func `the case of names does not matter`() throws {
    let resolution = try follow(of: "Q.eXample", [alias("q.EXAMPLE", "A.example"), address("a.exAMple", 1)])
    #expect(resolution.name.text == "q.example")
    #expect(resolution.chain.map(\.text) == ["a.example"])
    #expect(resolution.addresses.count == 1)
  }

  @Test func `records off the chain, of another type or another class are not believed`() throws {
    let resolution = try follow([
      address("other.example", 1), alias("q.example", "a.example"), address("q.example", 2), address("a.example", 3),
      F.record(F.name("a.example"), 28, Octets.hex("20010db8000000000000000000000001")), F.record(F.name("a.example"), 1, class: 3, [192, 0, 2, 4]),
      alias("other.example", "a.example", ttl: 1),
    ])
    #expect(resolution.addresses.map(\.description) == ["192.0.2.3"])
    #expect(resolution.ttl == 60)
  }

  @Test(arguments: [["q.example"], ["a.example", "q.example"], ["a.example", "b.example", "a.example"]])
  func `a loop of aliases leads to no address`(targets: [String]) throws {
    let owners = ["q.example"] + targets.dropLast()
    let resolution = try follow(zip(owners, targets).map { alias($0, $1) } + ["q.example", "a.example", "b.example"].map { address($0, 1) })
    #expect(resolution.addresses.isEmpty)
  }

  @Test(arguments: [(31, 1), (32, 0)])
  func `a chain of 31 aliases is followed to its end`(length: Int, addressCount: Int) throws {
    let names = ["q.example"] + (1...length).map { "n\($0).example" }
    let resolution = try follow(zip(names, names.dropFirst()).map { alias($0, $1) } + [address(names[length], 1)])
    #expect(resolution.chain.count == length)
    #expect(resolution.addresses.count == addressCount)
  }

  @Test func `a query for any type gives the addresses of the name itself`() throws {
    let resolution = try follow(type: 255, [F.record(F.name("q.example"), 16, [0]), address("q.example", 1), address("x.example", 2)])
    #expect(resolution.addresses.map(\.description) == ["192.0.2.1"])
  }

  @Test func `a query for the alias gives it and nothing behind it`() throws {
    let resolution = try follow(type: 5, [alias("q.example", "a.example"), alias("a.example", "b.example")])
    #expect(resolution.chain.map(\.text) == ["a.example"])
  }

  @Test func `a PTR query gives names and an HTTPS query gives hints`() throws {
    let pointer = try follow(type: 12, of: "1.2.0.192.in-addr.arpa", [F.record(F.name("1.2.0.192.in-addr.arpa"), 12, ttl: 7, F.name("Host.example"))])
    #expect(pointer.pointers.map(\.text) == ["host.example"])
    #expect(pointer.ttl == 7)
    let hint = Octets.u16(1) + [0] + Octets.u16(4) + Octets.block16([192, 0, 2, 9])
    let service = try follow(type: 65, [F.record(F.name("q.example"), 65, hint)])
    #expect(service.addressHints.map(\.description) == ["192.0.2.9"])
    #expect(service.addresses.isEmpty)
  }

  @Test func `a name that does not exist resolves to nothing`() throws {
    let resolution = try follow(flags: 0x8183, [])
    #expect(resolution.responseCode == .nameError)
    #expect(resolution.ttl == nil)
    #expect(resolution.addresses.isEmpty && resolution.chain.isEmpty)
  }

  @Test(arguments: [
    ("a query", F.message(flags: 0x0100, questions: [F.question(F.name("a"), 1)])),
    ("a status message", F.message(flags: 0x9000, questions: [F.question(F.name("a"), 1)])),
    ("no question", F.message(questions: [], answers: [F.record(F.name("a"), 1, [192, 0, 2, 1])])),
    ("class CH", F.message(questions: [F.question(F.name("a"), 16, class: 3)])),
  ])
  func `only an answer to one question of class IN resolves`(what: String, bytes: [UInt8]) throws {
    #expect(try F.decode(bytes).resolution() == nil, "\(what)")
  }

  @Test func `a cut answer resolves to what was there`() throws {
    let bytes = F.message(questions: [F.question(F.name("q.example"), 1)], answers: [address("q.example", 1), address("q.example", 2)])
    let message = try DNSMessage(decoding: bytes.span.extracting(0..<bytes.count - 1))
    #expect(message.resolution()?.addresses.map(\.description) == ["192.0.2.1"])
    #expect(message.stop?.isTruncation == true)
  }
}
