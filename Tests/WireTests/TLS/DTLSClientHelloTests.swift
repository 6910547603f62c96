import EgressModel
import Testing
import Wire

@Suite struct DTLSClientHelloTests {
  typealias F = HelloFixtures
  typealias O = Octets

  /// The body of a hello with a cookie of `cookie` octets.
  static func body(_ name: String, cookie: Int = 0, padding: Int = 0) -> [UInt8] {
    let extensions = F.serverName(name) + (padding > 0 ? F.ext(21, [UInt8](repeating: 0, count: padding)) : [])
    return O.u16(0xfefd) + [UInt8](repeating: 0x55, count: 32) + [0] + O.block8([UInt8](repeating: 0xc0, count: cookie))
      + O.block16(O.u16(0xc02b)) + [1, 0] + O.block16(extensions)
  }

  static func fragment(_ body: [UInt8], _ range: Range<Int>, sequence: Int = 0, type: UInt8 = 1) -> [UInt8] {
    [type] + O.u24(body.count) + O.u16(sequence) + O.u24(range.lowerBound) + O.u24(range.count) + body[range]
  }

  static func record(_ content: [UInt8], version: Int = 0xfefd, epoch: Int = 0) -> [UInt8] {
    [22] + O.u16(version) + O.u16(epoch) + [0, 0, 0, 0, 0, 1] + O.block16(content)
  }

  /// One datagram a piece of `size` octets.
  static func datagrams(_ body: [UInt8], size: Int, sequence: Int = 0) -> [[UInt8]] {
    stride(from: 0, to: body.count, by: size).map { record(fragment(body, $0..<min($0 + size, body.count), sequence: sequence), version: 0xfeff) }
  }

  private func name(_ datagrams: [[UInt8]]) -> String? {
    var handshake = DTLSClientHello()
    for (index, datagram) in datagrams.enumerated() {
      switch handshake.feed(datagram: datagram.span) {
      case .found(let hello): return index == datagrams.count - 1 ? hello.serverName?.text : nil
      case .needMore: continue
      case .other: return nil
      }
    }
    return nil
  }

  @Test(arguments: [1_000, 40, 7, 3])
  func `a hello over any fragments is found with its last octet, in whatever order they come`(size: Int) {
    let datagrams = Self.datagrams(Self.body("dtls.example"), size: size)
    let first = datagrams[0]
    let mayBegin = DTLSClientHello.mayBegin(first.span)
    #expect(mayBegin && name(datagrams) == "dtls.example" && name(datagrams.reversed()) == "dtls.example")
    // All of them in one datagram, and all in one record.
    #expect(size < 40 || name([datagrams.flatMap { $0 }]) == "dtls.example")
    let body = Self.body("dtls.example")
    let fragments = stride(from: 0, to: body.count, by: size).flatMap { Self.fragment(body, $0..<min($0 + size, body.count)) }
    #expect(name([Self.record(fragments)]) == "dtls.example")
  }

  @Test func `after a cookie the second hello counts, if the first was not whole`() {
    let first = Self.datagrams(Self.body("dtls.example"), size: 20)
    let second = Self.datagrams(Self.body("dtls.example", cookie: 20), size: 1_000, sequence: 1)
    #expect(name([first[0]] + second) == "dtls.example")
    // What is left of the first does not disturb it.
    let halves = Self.datagrams(Self.body("dtls.example", cookie: 20), size: 50, sequence: 1)
    #expect(name([halves[0], first[1]] + halves.dropFirst()) == "dtls.example")
  }

  @Test func `every prefix of a datagram is read as far as it goes`() {
    let datagram = Self.datagrams(Self.body("dtls.example"), size: 1_000)[0]
    for count in 0..<datagram.count {
      var handshake = DTLSClientHello()
      let part = Array(datagram[..<count])
      if case .found = handshake.feed(datagram: part.span) { Issue.record("\(count) octets") }
      if case .found(let hello) = handshake.feed(datagram: datagram.span) {
        #expect(hello.serverName?.text == "dtls.example")
      } else {
        Issue.record("after \(count) octets")
      }
    }
  }

  @Test func `what is no hello is something else`() {
    let body = Self.body("dtls.example")
    for content in [
      Self.fragment(body, 0..<body.count, type: 2), [1] + O.u24(65_537) + O.u16(0) + O.u24(0) + O.u24(0), [1] + O.u24(5) + O.u16(0) + O.u24(3) + O.u24(3),
      Self.fragment([UInt8](repeating: 0xff, count: 60), 0..<60),
    ] {
      var handshake = DTLSClientHello()
      guard case .other = handshake.feed(datagram: Self.record(content).span) else {
        Issue.record("\(content)")
        continue
      }
    }
    for datagram in [Self.record(body, epoch: 1), Self.record(Self.fragment(body, 0..<3), version: 0x0303), [UInt8](repeating: 22, count: 40), [22, 0xfe]] {
      let mayBegin = DTLSClientHello.mayBegin(datagram.span)
      #expect(!mayBegin)
    }
  }

  @Test func `32 datagrams are read, and not one more`() {
    let body = Self.body("dtls.example", padding: 2_000)
    for (size, isFound) in [(70, true), (60, false)] {
      let datagrams = Self.datagrams(body, size: size)
      #expect((name(datagrams) != nil) == isFound && (datagrams.count <= 32) == isFound)
    }
  }
}
