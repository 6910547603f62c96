import EgressModel
import Testing

@Suite struct IPAddressTests {
  @Test(arguments: [
    ("0.0.0.0", "0.0.0.0"), ("203.0.113.10", "203.0.113.10"), ("::", "::"), ("::1", "::1"),
    // RFC 5952 section 4: lower case, no leading zeros, the longest run shortened, the first on a tie, never a single group.
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("fe80:0:0:0:0:0:0:1", "fe80::1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("0:0:1::", "0:0:1::"), ("ff02:0:0:1:0:0:0:0", "ff02:0:0:1::"), ("255.255.255.255", "255.255.255.255"), ("10.0.99.100", "10.0.99.100"),
    ("fdab:cdef:1234:5678:9abc:def0:1234:5678", "fdab:cdef:1234:5678:9abc:def0:1234:5678"),
  ])
  func `an address reads any spelling and writes one`(spelling: String, canonical: String) throws {
    let address = try #require(IPAddress(spelling))
    #expect(address.description == canonical)
    #expect(IPAddress(canonical) == address)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", ":", ":::", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7",
    "fe80::1%eth0", "::1/128", "+1::", "1:2:3:4:5:6:7:", "1.2.3.4::", "1..2.3", ".1.2.3", "1.2.3.", "1.2.3.4.", "00.1.2.3", "1.2.3.-4", "999999999999.1.1.1",
  ])
  func `what is no address is nil`(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(arguments: [
    ("10.1.2.3/8", "10.0.0.0/8", "10.255.255.255", "11.0.0.0"), ("0.0.0.0/0", "0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
    ("::/0", "::/0", "2001:db8::1", "203.0.113.1"), ("2001:db8::ff/64", "2001:db8::/64", "2001:db8::1", "2001:db8:0:1::"),
    ("192.0.2.7/32", "192.0.2.7/32", "192.0.2.7", "192.0.2.6"), ("2001:db8::7/128", "2001:db8::7/128", "2001:db8::7", "2001:db8::6"),
    ("8000::/1", "8000::/1", "ffff::", "7fff::"),
  ])
  func `a block masks its host bits and holds its own family only`(text: String, canonical: String, inside: String, outside: String) throws {
    let block = try #require(IPPrefix(text))
    #expect(block.description == canonical)
    #expect(block.contains(try #require(IPAddress(inside))))
    #expect(!block.contains(try #require(IPAddress(outside))))
  }

  @Test(arguments: ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "/8"])
  func `what is no block is nil`(text: String) {
    #expect(IPPrefix(text) == nil)
  }

  @Test(arguments: [
    ("10.0.0.1", true), ("172.31.255.255", true), ("172.32.0.0", false), ("192.168.0.1", true), ("100.64.0.1", true), ("100.128.0.1", false),
    ("fd00::1", true), ("2001:db8::1", false), ("9.255.255.255", false),
  ])
  func `private blocks are those of RFC 1918, 6598 and 4193`(text: String, expected: Bool) throws {
    #expect(try #require(IPAddress(text)).isPrivate == expected)
  }
}
