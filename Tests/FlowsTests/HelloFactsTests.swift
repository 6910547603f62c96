import EgressModel
import Testing
import Wire

@testable import Flows

/// What is remembered of a hello is what is made of it alone.
struct HelloFactsTests {
  private func hello(_ name: String?, suites: [UInt16] = [0x1301, 0x1302], protocols: [String] = ["h2", "http/1.1"]) -> ClientHello {
    var hello = ClientHello(legacyVersion: .tls12)
    hello.claimedServerName = name.flatMap { DomainName(octets: $0.utf8) }.map { .name($0) }
    hello.cipherSuites = suites
    hello.extensions = name == nil ? [16, 43] : [0, 16, 43]
    hello.signatureAlgorithms = [0x0403]
    hello.supportedVersions = [.tls13]
    hello.alpn = protocols.map { Array($0.utf8) }
    return hello
  }

  private func alone(_ hello: ClientHello, _ carrier: ClientHello.Carrier) -> TLSFacts {
    var facts = hello.facts
    facts.ja4 = hello.ja4(over: carrier)
    return facts
  }

  @Test func `hellos that differ in anything have facts of their own, in any order and again`() {
    var remembered = HelloFacts()
    var hellos = [hello("a.example"), hello("b.example"), hello(nil), hello("a.example", suites: [0x1302, 0x1301]), hello("a.example", protocols: ["h2"])]
    for change in 0..<5 {
      var other = hello("c.example")
      switch change {
      case 0: other.ech = .grease
      case 1: other.signatureAlgorithms = [0x0804]
      case 2: other.supportedVersions = [.tls12]
      case 3: other.extensions = [0, 16, 43, 51]
      default: other.legacyVersion = .tls11
      }
      hellos.append(other)
    }
    var seen = Set<TLSFacts>()
    for _ in 0..<3 {
      for hello in hellos {
        for carrier in [ClientHello.Carrier.tcp, .quic, .dtls] {
          let facts = remembered.facts(of: hello, over: carrier)
          #expect(facts == alone(hello, carrier))
          seen.insert(facts)
        }
      }
      hellos.reverse()
    }
    #expect(seen.count == 3 * (hellos.count - 1), "only the order of suites makes no difference")
  }

  @Test func `what was made of a hello is used again for another name, and not for another client`() {
    var remembered = HelloFacts()
    // Where the texts of the protocols lie.
    func place(_ facts: TLSFacts) -> Int { unsafe facts.alpn.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) } }
    let first = remembered.facts(of: hello("a.example"), over: .tcp)
    let second = remembered.facts(of: hello("b.example"), over: .tcp)
    #expect(place(first) == place(second))
    let other = remembered.facts(of: hello("a.example", suites: [0x1303]), over: .tcp)
    #expect(place(other) != place(first))
  }

  @Test func `more hellos than are remembered, and larger ones, are read as well`() {
    var remembered = HelloFacts()
    for round in 0..<2 {
      for number in 0..<UInt16(600) {
        let hello = hello("n\(number).example", suites: [0x1301, number])
        #expect(remembered.facts(of: hello, over: .tcp) == alone(hello, .tcp), "round \(round)")
      }
    }
    let large = hello("large.example", suites: (0..<2000).map { $0 })
    for _ in 0..<2 { #expect(remembered.facts(of: large, over: .tcp) == alone(large, .tcp)) }
  }
}
