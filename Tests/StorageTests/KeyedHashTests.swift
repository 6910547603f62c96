import Testing

@testable import Storage

@Suite struct KeyedHashTests {
  /// By an implementation of its own, which gave the vector of the paper (SipHash-2-4) too.
  @Test(arguments: [
    ("", 0x336d_3897_9e4a_286b), ("abc", 0xaf11_1aec_140a_b974), ("a longer text over several words", 0xd619_4cef_2e40_736f),
  ] as [(String, UInt64)])
  func `the hash is the one of the paper`(text: String, expected: UInt64) {
    let hash = KeyedHash(key: 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    #expect(hash.of(text) == Int64(bitPattern: expected))
  }

  @Test func `where one text ends and the next begins makes a difference, and so does the key`() {
    let hash = KeyedHash(key: 1, 2)
    #expect(hash.of("a", "bc") != hash.of("ab", "c"))
    #expect(hash.of("a", "bc") == hash.of("a", "bc"))
    #expect(hash.of("a") != KeyedHash(key: 1, 3).of("a"))
  }
}
