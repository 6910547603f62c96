import Testing
import Wire

/// Lists and hashes by hand (sha256sum), after JA4's public description.
@Suite struct JA4Tests {
  typealias F = HelloFixtures

  private func ja4(_ handshake: [UInt8], over carrier: ClientHello.Carrier = .tcp) throws -> String {
    try F.decode(handshake).ja4(over: carrier)
  }

  /// The example of the description, its lists in another order and with GREASE.
  @Test func `the published example`() throws {
    let suites = [0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35]
    let empty = [0x1b, 0x15, 0x2d, 0x17, 0xff01, 0x05, 0x0a, 0x23, 0x33, 0x0b, 0x12, 0x4469].map { F.ext($0, []) }
    let hello = F.handshake(
      suites: suites,
      extensions: [F.ext(0x3a3a, []), F.alpn(["h2", "http/1.1"]), F.supportedVersions([0xfafa, 0x0304, 0x0303]), F.serverName("a.example")] + empty
        + [F.signatureAlgorithms([0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601])])
    #expect(try ja4(hello) == "t13d1516h2_8daaf6152771_e5627efa2ab1")
    #expect(try ja4(hello, over: .quic) == "q13d1516h2_8daaf6152771_e5627efa2ab1")
  }

  @Test(arguments: [
    ([], "00"), (["h2"], "h2"), (["http/1.1", "h2"], "h1"), (["x"], "xx"), (["\u{1}a"], "01"), (["a-"], "6d"), ([""], "00"),
  ] as [([String], String)])
  func `the first protocol gives two characters`(protocols: [String], expected: String) throws {
    let text = try ja4(F.handshake(extensions: protocols.isEmpty ? [] : [F.alpn(protocols)]))
    #expect(text.dropFirst(8).prefix(2) == expected)
  }

  @Test(arguments: [
    (0x0303, [], "12"), (0x0302, [], "11"), (0x0301, [], "10"), (0x0300, [], "s3"), (0x0303, [0x0304, 0x0303], "13"), (0x0303, [0x7f1c, 0x0303], "00"),
    (0x0303, [0x5a5a, 0x0303], "12"), (0x0505, [], "00"),
  ] as [(Int, [Int], String)])
  func `the newest version that is offered`(legacy: Int, supported: [Int], expected: String) throws {
    let text = try ja4(F.handshake(version: legacy, extensions: supported.isEmpty ? [] : [F.supportedVersions(supported)]))
    #expect(text.dropFirst().prefix(2) == expected)
  }

  @Test func `nothing offered is zeros, and no count is above 99`() throws {
    #expect(try ja4(F.handshake(suites: [0x0a0a], extensions: nil)) == "t12i000000_000000000000_000000000000")
    #expect(try ja4(F.handshake(suites: Array(1...120), extensions: nil)).prefix(10) == "t12i990000")
  }

  @Test func `without algorithms no underscore is hashed`() throws {
    // 0017
    #expect(try ja4(F.handshake(suites: [0x1301], extensions: [F.ext(0x17, [])])) == "t12i010100_0f2cb44170f4_1ca028f07214")
  }
}
