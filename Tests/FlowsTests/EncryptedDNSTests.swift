import EgressModel
import Testing
import Wire

@testable import Flows

private let client = MeterRun.client

@Suite struct EncryptedDNSTests {
  private static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(v4: 0) }

  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var application: Application
    var sni: String?
    var alpn: [String] = []
    var address = "203.0.113.10"
    var port: UInt16 = 443
    var isEncrypted = false
    var lookedUp: String?
  }

  static let cases: [Case] = [
    Case(testDescription: "the protocol's name", application: .dot, sni: "a.example", alpn: ["dot"], port: 4433),
    Case(testDescription: "port 853", application: .dot, sni: "a.example", port: 853),
    Case(testDescription: "port 853, and no DNS", application: .tls, sni: "a.example", alpn: ["h2"], port: 853),
    Case(testDescription: "a resolver's name", application: .doh, sni: "dns.google", alpn: ["h2", "http/1.1"]),
    Case(testDescription: "a name below a resolver's", application: .doh, sni: "abc123.dns.nextdns.io", alpn: ["h2"]),
    Case(testDescription: "a resolver's name without protocols, on another port", application: .doh, sni: "dns.quad9.net", port: 8443),
    Case(testDescription: "a resolver's name for another protocol", application: .tls, sni: "dns.google", alpn: ["smtp"]),
    Case(testDescription: "a name that ends like a resolver's", application: .tls, sni: "notdns.google", alpn: ["h2"]),
    Case(testDescription: "another name at a resolver's address", application: .tls, sni: "www.example", alpn: ["h2"], address: "1.1.1.1"),
    Case(testDescription: "no name at a resolver's address", application: .doh, alpn: ["h2"], address: "1.1.1.1"),
    Case(testDescription: "no name at a resolver's IPv6 address", application: .doh, address: "2620:fe::fe"),
    Case(testDescription: "no name elsewhere", application: .tls, alpn: ["h2"]),
    Case(testDescription: "a resolver that was looked up", application: .doh, alpn: ["h2"], lookedUp: "cloudflare-dns.com"),
    Case(testDescription: "another name that was looked up at a resolver's address", application: .tls, address: "8.8.8.8", lookedUp: "a.example"),
    Case(testDescription: "an encrypted hello's public name", application: .tls, sni: "cloudflare-dns.com", alpn: ["h2"], isEncrypted: true),
  ]

  @Test(arguments: cases)
  func `encrypted DNS is known by its protocol name, its port, or whom it talks to`(example: Case) throws {
    let server = SocketAddress(ip: Self.address(example.address), port: example.port)
    let client = server.ip.isV4 ? client : SocketAddress(ip: Self.address("2001:db8::1"), port: 50_000)
    var run = MeterRun()
    if let name = example.lookedUp { run.resolve(name, [server.ip], client: client.ip) }
    run.handshake(client: client, server: server)
    let hello = Traffic.clientHello(example.sni, isEncrypted: example.isEncrypted, alpn: example.alpn)
    run.feed(Traffic.tcp(client, server, [.psh, .ack], sequence: 1001, hello))
    let record = run.only()
    #expect(record?.application == example.application)
    #expect(record?.tls?.alpn == example.alpn)
  }

  @Test func `every line of the bundled table is a resolver, and a comment is none`() {
    let bundled = KnownResolvers.bundled
    #expect(bundled.contains(DomainName(presentation: "one.one.one.one")) && bundled.contains(Self.address("9.9.9.9")))
    #expect(!bundled.contains(DomainName(presentation: "google")) && !bundled.contains(Self.address("0.0.0.0")))
    #expect(!bundled.contains(DomainName(presentation: "#")))
    let own = KnownResolvers(table: Array("# a.example\tcomment\nb.example\tB\n192.0.2.1\tB\n".utf8))
    #expect(own.contains(DomainName(presentation: "x.y.b.example")) && own.contains(Self.address("192.0.2.1")))
    #expect(!own.contains(DomainName(presentation: "a.example")) && !own.contains(DomainName(presentation: "example")))
    #expect(!own.contains(DomainName(presentation: "ab.example")) && !own.contains(DomainName(presentation: "b.example.org")))
    // A name said by a TLS client may be any text, of any number of dots.
    #expect(own.contains(DomainName(presentation: String(repeating: "a.", count: 5_000) + "b.example")))
    #expect(!own.contains(DomainName(presentation: String(repeating: ".", count: 5_000))))
  }
}
