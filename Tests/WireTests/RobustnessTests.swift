import Testing
import Wire

/// What strangers may send: the decoders must come back, whatever it is.
@Suite struct RobustnessTests {
  /// Gives the octets to every decoder; returns how many found something.
  private func decodeAll(_ bytes: [UInt8]) -> Int {
    var found = 0
    if let message = try? DNSMessage(decoding: bytes.span) {
      found += 1
      _ = message.resolution()
    }
    if DNSTCP.message(in: bytes.span).value != nil { found += 1 }
    if (try? ClientHello(decodingHandshake: bytes.span))?.facts != nil { found += 1 }
    if TLSStream.clientHello(in: bytes.span).value?.facts != nil { found += 1 }
    if HTTPRequest.head(in: bytes.span).value?.proxyTarget != nil { found += 1 }
    if HTTPRequest.head(in: bytes.span, isComplete: true).value?.host != nil { found += 1 }
    if ClaimedHost(bytes.span, in: 0..<bytes.count).name != nil { found += 1 }
    if StreamOpening.first(in: bytes.span).value != nil { found += 1 }
    if StreamOpening.first(in: bytes.span, isComplete: true).value != nil { found += 1 }
    return found
  }

  private static let valid: [(String, [UInt8])] = [
    ("DNS", DNSFixtures.shop), ("DNS over TCP", Octets.block16(DNSFixtures.shop)), ("handshake", HelloFixtures.plain),
    ("record", HelloFixtures.record(HelloFixtures.plain)), ("records", HelloFixtures.records(HelloFixtures.plain, sizes: [7])),
    ("modern", HelloFixtures.record(HelloFixtures.modern)), ("GET", [UInt8](HTTPRequestTests.get.utf8)),
    ("CONNECT", [UInt8]("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n".utf8)), ("SOCKS 4a", SOCKSRequestTests.version4a),
    ("SOCKS 5", SOCKSRequestTests.greeting + SOCKSRequestTests.login + SOCKSRequestTests.name),
    ("PROXY 2", ProxyHeaderTests.version2(0x21, 0x21, ProxyHeaderTests.v6)),
  ]

  @Test(arguments: valid.indices)
  func `no octet of a valid message can be changed so that a decoder traps`(index: Int) {
    let (what, bytes) = Self.valid[index]
    #expect(decodeAll(bytes) > 0, "\(what)")
    var found = 0
    for place in bytes.indices {
      for value in [0, 0x0a, 0x3a, 0x7f, 0xc0, 0xff, bytes[place] ^ 1, bytes[place] ^ 0x80] {
        var changed = bytes
        changed[place] = value
        found += decodeAll(changed)
      }
    }
    #expect(found > 0)
  }

  @Test(arguments: valid.indices)
  func `no cut of a valid message makes a decoder trap`(index: Int) {
    let (_, bytes) = Self.valid[index]
    for start in stride(from: 0, to: bytes.count, by: 1 + bytes.count / 40) {
      for end in stride(from: start, through: bytes.count, by: 1 + bytes.count / 100) { _ = decodeAll([UInt8](bytes[start..<end])) }
    }
  }

  @Test func `a hundred thousand random inputs come back`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("random inputs: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let starts: [[UInt8]] = [
      [], [22, 3, 1], [22, 3, 1, 0, 40, 1, 0, 0, 36, 3, 3], [1, 0, 0, 60, 3, 3], [0x80, 46, 1, 3, 1], [0, 40, 0, 0, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0],
      [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 1, 0, 1, 1, 0x61, 0, 0, 1, 0, 1, 0xc0, 12], [UInt8]("GET ".utf8), [UInt8]("GET / HTTP/1.1\r\nHost:".utf8),
      [UInt8]("CONNECT ".utf8), [4, 1], [5, 1, 0], [5, 1, 0, 5, 1, 0], ProxyHeaderTests.signature + [0x21, 0x11, 0],
    ]
    for _ in 0..<100_000 {
      let start = starts[Int.random(in: 0..<starts.count, using: &generator)]
      _ = decodeAll(start + generator.bytes(Int.random(in: 0...80, using: &generator)))
    }
  }

  @Test func `random mixtures of valid messages come back`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("mixtures: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      var bytes = Self.valid[Int.random(in: 0..<Self.valid.count, using: &generator)].1
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0...2, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...4, using: &generator)))
        default: bytes.insert(contentsOf: generator.bytes(Int.random(in: 1...4, using: &generator)), at: place)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      _ = decodeAll(bytes)
    }
  }
}
