import EgressModel
import Testing
import Wire

@Suite struct TLSStreamTests {
  typealias F = HelloFixtures

  private func hello(in stream: [UInt8]) -> StreamResult<ClientHello> { TLSStream.clientHello(in: stream.span) }

  @Test(arguments: [[20_000], [100], [4, 1_000], [1], [5], [60], [1_000, 1, 1, 1, 500]])
  func `a hello is found however it is cut into records`(sizes: [Int]) throws {
    let expected = try F.decode(F.modern)
    #expect(hello(in: F.records(F.modern, sizes: sizes)) == .found(expected))
  }

  @Test(arguments: [[20_000], [100], [4, 1_000], [1], [3, 1, 7]])
  func `every prefix asks for more than it has and for no more than there is`(sizes: [Int]) {
    let stream = F.records(F.plain, sizes: sizes)
    for count in 0..<stream.count {
      guard case .needMore(let atLeast) = TLSStream.clientHello(in: stream.span.extracting(0..<count)) else {
        Issue.record("\(count) octets")
        return
      }
      #expect(atLeast > count && atLeast <= stream.count, "\(count) octets")
    }
  }

  @Test func `what follows the hello is left alone`() throws {
    let expected = try F.decode(F.plain)
    #expect(hello(in: F.record(F.plain) + F.record([1], type: 20)) == .found(expected))
    #expect(hello(in: F.record(F.plain + [2, 0, 0, 0])) == .found(expected))
  }

  @Test func `tiny records make the caller ask some dozens of times`() {
    let message = F.handshake(extensions: [F.ext(21, [UInt8](repeating: 0, count: 20_000)), F.serverName("a.example")])
    let stream = F.records(message, sizes: [1])
    var calls = 0
    var atLeast = 0
    while calls < 1_000 {
      calls += 1
      switch TLSStream.clientHello(in: stream.span.extracting(0..<min(atLeast, stream.count))) {
      case .needMore(let count):
        #expect(count > atLeast)
        atLeast = count
        continue
      case .found(let hello):
        #expect(hello.serverName?.text == "a.example")
      case .other(let reason):
        Issue.record("\(reason)")
      }
      break
    }
    #expect(calls < 80)
  }

  @Test(arguments: [(16, true), (17, false)])
  func `16 empty records are tolerated and not one more`(count: Int, isFound: Bool) {
    let stream = (0..<count).flatMap { _ in F.record([]) } + F.record(F.plain)
    #expect((hello(in: stream).value != nil) == isFound)
  }

  @Test func `a hello that could only end past the limit is given up`() {
    // 22,000 octets in records of one octet take 132,000.
    let message = F.handshake(extensions: [F.ext(21, [UInt8](repeating: 0, count: 22_000))])
    let stream = F.records(message, sizes: [1])
    #expect(stream.count > TLSStream.maximumPrefixLength)
    var atLeast = 0
    for _ in 0..<100 {
      switch TLSStream.clientHello(in: stream.span.extracting(0..<min(atLeast, stream.count))) {
      case .needMore(let count):
        #expect(count <= TLSStream.maximumPrefixLength)
        atLeast = count
      case .other(let reason):
        #expect(reason == .overLimit)
        return
      case .found:
        Issue.record("found")
        return
      }
    }
    Issue.record("asked a hundred times")
  }

  @Test(arguments: [
    ("HTTP", [UInt8]("GET / HTTP/1.1\r\n\r\n".utf8)), ("SSH", [UInt8]("SSH-2.0-OpenSSH_9.2\r\n".utf8)),
    ("a change of cipher", F.record([1], type: 20)),
    ("an alert", F.record([2, 40], type: 21)), ("a server's hello", F.record([2, 0, 0, 40])),
    ("a record of a version to come", [22, 4, 0, 0, 1, 1]),
    ("DTLS", [22, 0xfe, 0xfd, 0, 0]), ("a record of 2^14 + 1 octets", [22, 3, 1, 0x40, 0x01, 1, 0, 0]),
    ("a message of 64 KiB and more", F.record([1, 1, 0, 0])),
    ("an alert between the fragments", F.record([UInt8](F.plain.prefix(50))) + F.record([2, 40], type: 21)),
    ("a length that lies", F.record([1, 0, 0, 40] + Octets.u16(0x0303) + [UInt8](repeating: 0xff, count: 38))),
  ] as [(String, [UInt8])])
  func `what cannot become a hello is something else at once`(what: String, stream: [UInt8]) {
    guard case .other = hello(in: stream) else {
      Issue.record("\(what)")
      return
    }
  }

  @Test func `a record's start is told by what is there of it`() {
    for start in [[22], [22, 3], [22, 3, 0], [22, 3, 4], [22, 3, 1, 0]] as [[UInt8]] {
      let looks = TLSStream.looksLikeRecord(start.span)
      #expect(looks, "\(start)")
    }
    for start in [[], [21], [22, 2], [22, 3, 5], [0x80]] as [[UInt8]] {
      let looks = TLSStream.looksLikeRecord(start.span)
      #expect(!looks, "\(start)")
    }
  }

  /// An SSLv2-compatible hello that offers up to TLS 1.0.
  private let compatible: [UInt8] =
    [0x80, 9 + 6 + 16, 1, 3, 1] + Octets.u16(6) + Octets.u16(0) + Octets.u16(16) + [0, 0, 0x2f, 7, 0, 0xc0] + [UInt8](repeating: 5, count: 16)

  @Test func `an SSLv2-compatible hello is found without a name`() throws {
    let hello = try #require(self.hello(in: compatible).value)
    #expect(hello.claimedServerName == nil)
    #expect(hello.facts.version == "1.0")
    #expect(hello.cipherSuites == [0x2f])
    for count in 1..<compatible.count {
      guard case .needMore(let atLeast) = TLSStream.clientHello(in: compatible.span.extracting(0..<count)) else {
        Issue.record("\(count) octets")
        return
      }
      #expect(atLeast > count && atLeast <= compatible.count)
    }
  }

  @Test(arguments: [(2, 2), (3, 9), (6, 5), (6, 0), (10, 0xff)])
  func `an SSLv2-compatible hello that does not add up is something else`(place: Int, value: UInt8) {
    var bytes = compatible
    bytes[place] = value
    guard case .other = hello(in: bytes) else {
      Issue.record("octet \(place) as \(value)")
      return
    }
  }
}
