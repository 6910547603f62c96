import Drift
import EgressModel
import Testing

@Suite struct PublicSuffixListTests {
  @Test(arguments: [
    ("api.segment.io", "segment.io"), ("segment.io", "segment.io"), ("a.b.example.co.uk", "example.co.uk"),
    ("alice.github.io", "alice.github.io"), ("bucket.s3.amazonaws.com", "bucket.s3.amazonaws.com"), ("www.city.kawasaki.jp", "city.kawasaki.jp"),
    ("git.corp.internal", "corp.internal"), (#"a\032b.example.com"#, "example.com"), (#"a\032b.com"#, #"a\032b.com"#),
    ("xn--bcher-kva.example.org", "example.org"),
  ])
  func `a name lies under the domain that somebody registered`(name: String, domain: String) {
    #expect(PublicSuffixList.registrableDomain(of: DomainName(presentation: name))?.text == domain)
  }

  @Test(arguments: [
    "com", "co.uk", "github.io", "localhost", ".", "", "..", ".com", "a..com", "203.0.113.10", "2001:db8::1", "::ffff:10.0.0.1", "a\u{0}b.com",
  ])
  func `suffixes, addresses and what is no sequence of labels have none`(name: String) {
    #expect(PublicSuffixList.registrableDomain(of: DomainName(presentation: name)) == nil)
  }

  @Test func `a name is looked at up to four times 255 octets`() {
    func name(_ count: Int) -> DomainName { DomainName(presentation: String(repeating: "a", count: count - 4) + ".com") }
    #expect(PublicSuffixList.registrableDomain(of: name(1020)) != nil)
    #expect(PublicSuffixList.registrableDomain(of: name(1021)) == nil)
  }

  @Test func `every octet in every place of a name is survived`() {
    for octet in UInt8.min...UInt8.max {
      for octets in [[octet], [octet] + Array(".com".utf8), Array("a.".utf8) + [octet], Array("a".utf8) + [octet] + Array("b.co.uk".utf8)] {
        guard let name = DomainName(octets: octets) else { continue }
        if let domain = PublicSuffixList.registrableDomain(of: name) { #expect(name.isSameOrUnder(domain)) }
      }
    }
  }
}
