import EgressModel
import Testing

@Suite struct TextTests {
  @Test(arguments: [
    ("Shop.Example.COM.", "shop.example.com"), (".", "."), ("a b", #"a\032b"#), ("a\u{0}b", #"a\000b"#), ("caf\u{e9}", #"caf\195\169"#),
    ("=cmd()", #"\061cmd\040\041"#), ("*.example.com", "*.example.com"), ("a\u{1b}[31m", #"a\027\09131m"#), (#"a\b"#, #"a\092b"#),
  ])
  func `a name from the wire is lower case and printable`(octets: String, text: String) {
    #expect(DomainName(octets: octets.utf8)?.text == text)
  }

  @Test func `no octets make no name`() {
    #expect(DomainName(octets: []) == nil)
  }

  @Test func `a name is under a suffix by whole labels`() {
    let suffix = DomainName(presentation: "example.com")
    #expect(DomainName(presentation: "api.example.com").isSameOrUnder(suffix))
    #expect(DomainName(presentation: "example.com").isSameOrUnder(suffix))
    #expect(!DomainName(presentation: "badexample.com").isSameOrUnder(suffix))
    #expect(!DomainName(presentation: "com").isSameOrUnder(suffix))
  }

  @Test func `JSON keeps the order of members, leaves out what is absent and escapes controls`() {
    let value: JSONValue = .object([
      "z": .string("a\"\\\n\u{1b}\u{7f}é"), "absent": nil, "a": .array([.integer(-1), .unsigned(.max), .boolean(true), .number(0.5)]),
    ])
    #expect(value.text == #"{"z":"a\"\\\n\u001b\u007fé","a":[-1,18446744073709551615,true,0.5]}"#)
    #expect(value.prettyText == "{\n  \"z\": \"a\\\"\\\\\\n\\u001b\\u007fé\",\n  \"a\": [\n    -1,\n    18446744073709551615,\n    true,\n    0.5\n  ]\n}")
  }
}
