import EgressModel
import Testing
import Wire

@Suite struct ClaimedHostTests {
  private func claimed(_ octets: [UInt8]) -> ClaimedHost { ClaimedHost(octets.span, in: 0..<octets.count) }

  @Test(arguments: [
    ("Shop.Example.COM", "shop.example.com"), ("www.example.", "www.example"), ("x", "x"), ("123456", "123456"), ("localhost", "localhost"),
    ("_dmarc.under_score.example", "_dmarc.under_score.example"), ("*.wild.example", "*.wild.example"),
    ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("1.2.3.4.example", "1.2.3.4.example"), ("dead.beef", "dead.beef"),
  ])
  func `a host name is lower case without its trailing dot`(text: String, name: String) {
    #expect(claimed([UInt8](text.utf8)) == .name(DomainName(presentation: name)))
  }

  @Test(arguments: [
    ("192.0.2.55", "192.0.2.55"), ("2001:DB8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
    ("::", "::"),
  ])
  func `an address literal is an address`(text: String, address: String) {
    #expect(claimed([UInt8](text.utf8)) == IPAddress(address).map(ClaimedHost.address))
  }

  @Test(arguments: [
    ("", ClaimedHost.Defect.empty), (".", .badLabel), ("..", .badLabel), (".a.example", .badLabel), ("a..example", .badLabel),
    (String(repeating: "c", count: 64) + ".example", .badLabel), ("a." + String(repeating: "c", count: 64), .badLabel),
    ("a b.example", .badOctet), ("a\tb", .badOctet), ("good.example\u{0}.evil.example", .badOctet), ("a.example\r\nX: 1", .badOctet),
    ("\u{1b}[31mred", .badOctet), ("bücher.example", .badOctet), ("host.example:443", .badOctet), ("[host]", .badOctet),
    ("[192.0.2.1]", .badOctet),
    ("fe80::1%eth0", .badOctet), ("../../etc/passwd", .badLabel), ("a/b", .badOctet), ("<script>", .badOctet), ("user@host", .badOctet),
    ("192.0.2.300", .numericTopLabel), ("127.1", .numericTopLabel), ("010.0.0.1", .numericTopLabel), ("1.2.3.4.", .numericTopLabel),
  ])
  func `anything else is invalid and says why`(text: String, defect: ClaimedHost.Defect) {
    #expect(claimed([UInt8](text.utf8)) == .invalid(defect))
  }

  @Test func `255 octets are read and not one more`() {
    let label = String(repeating: "a", count: 63)
    let longest = [label, label, label, label].joined(separator: ".")
    #expect(longest.utf8.count == 255)
    #expect(claimed([UInt8](longest.utf8)).name?.text == longest)
    #expect(claimed([UInt8](longest.utf8) + [0x2e]) == .invalid(.tooLong))
  }

  @Test func `only octets of host names come through`() {
    for octet in UInt8.min...UInt8.max {
      let isHostOctet =
        (0x30...0x39).contains(octet) || (0x41...0x5a).contains(octet) || (0x61...0x7a).contains(octet) || [0x2d, 0x5f, 0x2a].contains(octet)
      #expect((claimed([0x61, octet, 0x61]).name != nil) == (isHostOctet || octet == 0x2e), "octet \(octet)")
    }
  }
}
