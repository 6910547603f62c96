import EgressModel
import Testing
import Wire

@Suite struct DNSTransportTests {
  typealias F = DNSFixtures

  @Test func `several messages in one segment are found one by one`() throws {
    let stream = Octets.block16(F.shop) + Octets.block16(F.shop) + [0, 40, 1]
    let first = try #require(DNSTCP.message(in: stream.span).value)
    #expect(first == 2..<2 + F.shop.count)
    #expect(try DNSMessage(decoding: stream.span.extracting(first)).answers.count == 4)
    let second = try #require(DNSTCP.message(in: stream.span, at: first.upperBound).value)
    #expect(second.count == F.shop.count)
    #expect(DNSTCP.message(in: stream.span, at: second.upperBound) == .needMore(atLeast: second.upperBound + 42))
  }

  @Test func `every prefix asks for what is missing`() {
    let stream = Octets.block16(F.shop)
    for count in 0..<stream.count {
      #expect(DNSTCP.message(in: stream.span.extracting(0..<count)) == .needMore(atLeast: count < 2 ? 2 : stream.count))
    }
  }

  @Test(arguments: [(11, false), (12, true), (65_535, true)])
  func `a frame holds 12 to 65535 octets`(length: Int, isFound: Bool) {
    let stream = Octets.block16([UInt8](repeating: 0, count: length))
    #expect((DNSTCP.message(in: stream.span).value != nil) == isFound)
  }

  @Test(arguments: [
    ("192.0.2.1", "1.2.0.192.in-addr.arpa"), ("0.0.0.0", "0.0.0.0.in-addr.arpa"),
    ("2001:db8::42", "2.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
  ])
  func `an address and its reverse name are each other's`(address: String, name: String) throws {
    let address = try #require(IPAddress(address))
    #expect(address.reverseName.text == name)
    #expect(IPAddress(reverseName: DomainName(presentation: name)) == address)
  }

  @Test(arguments: [
    "arpa", ".", "in-addr.arpa", "1.in-addr.arpa", "2.0.192.in-addr.arpa", "1.1.2.0.192.in-addr.arpa", "01.2.0.192.in-addr.arpa",
    "256.2.0.192.in-addr.arpa", "a.b.c.d.in-addr.arpa", "0.ip6.arpa", "1.2.0.192.in-addr.example",
    "10.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    "g.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  ])
  func `a name that is no whole address is none`(name: String) {
    #expect(IPAddress(reverseName: DomainName(presentation: name)) == nil)
  }

  @Test(arguments: ["192.0.2.1", "2001:db8::42"])
  func `an encoded PTR query decodes to its question`(address: String) throws {
    let address = try #require(IPAddress(address))
    let message = try F.decode(DNSMessage.encodePTRQuery(id: 0xbeef, address: address))
    #expect(message.id == 0xbeef)
    #expect(!message.flags.isResponse && message.flags.isRecursionDesired)
    #expect(message.question == .init(name: address.reverseName, type: .ptr))
    #expect(message.stop == nil)
  }
}
