import EgressModel
import Testing
import Wire

@Suite struct QUICClientInitialsTests {
  typealias F = HelloFixtures

  private func feed(_ datagrams: [[UInt8]], isCut: Bool = false) -> StreamResult<ClientHello> {
    var initials = QUICClientInitials()
    var result = StreamResult<ClientHello>.needMore(atLeast: 0)
    for datagram in datagrams {
      result = initials.feed(datagram: datagram.span, isCut: isCut)
      guard case .needMore = result else { return result }
    }
    return result
  }

  private func name(_ datagrams: [[UInt8]], isCut: Bool = false) -> String? { feed(datagrams, isCut: isCut).value?.serverName?.text }

  /// `hello` as CRYPTO frames of these pieces.
  private func pieces(_ hello: [UInt8], _ ranges: [Range<Int>]) -> [[UInt8]] {
    ranges.map { InitialPacket.crypto([UInt8](hello[$0]), at: $0.lowerBound) }
  }

  @Test(arguments: [
    (
      1, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c",
      "e221af44860018ab0856972e194cd934"
    ),
    (
      0x6b33_43cf, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c",
      "a18b2faa745b6fe189cf772a9f84cbfc"
    ),
  ])
  func `the samples of RFC 9001 and RFC 9369 are protected and opened`(version: Int, start: String, tag: String) throws {
    let packet = try InitialPacket.sample(version: version).octets
    #expect(packet.count == 1_200)
    // The tag covers every octet, so with it the whole packet is the standard's.
    #expect(packet.starts(with: Octets.hex(start)))
    #expect([UInt8](packet.suffix(16)) == Octets.hex(tag))
    var initials = QUICClientInitials()
    let hello = try #require(initials.feed(datagram: packet.span).value)
    #expect(hello.facts == TLSFacts(sni: DomainName(presentation: "example.com"), alpn: ["alpn"], version: "1.3"))
    #expect(initials.version?.rawValue == UInt32(version))
  }

  @Test(arguments: [
    (0xff00_0016, "draft-22"), (0xff00_001b, "draft-27"), (0xff00_001d, "draft-29"), (0xff00_0022, "draft-34"),
    (0xface_b002, "0xfaceb002"), (0xface_b003, "0xfaceb003"), (0xface_b010, "0xfaceb010"),
  ])
  func `drafts are opened with their own salts`(version: Int, text: String) throws {
    #expect(name([try InitialPacket.sample(version: version).octets]) == "example.com")
    #expect(QUICVersion(rawValue: UInt32(version)).description == text)
  }

  @Test func `what fills up a datagram behind its packets hides no second one`() throws {
    let hello = [UInt8](InitialPacket.sampleFrame)
    let other = try InitialPacket(connectionID: [UInt8](repeating: 9, count: 8), frames: [1]).octets
    let sample = try InitialPacket(frames: hello).octets
    #expect(name([other + [UInt8](repeating: 0, count: 40) + sample]) == "example.com")
  }

  @Test(arguments: 1...4)
  func `a packet number has one to four octets`(length: Int) throws {
    let packet = InitialPacket(token: [1, 2, 3], number: 7, numberLength: length, frames: InitialPacket.sampleFrame)
    #expect(name([try packet.octets]) == "example.com")
  }

  @Test func `a short packet number is completed by those before it`() throws {
    let hello = F.plain
    let frames = pieces(hello, [0..<10, 10..<20, 20..<hello.count])
    let datagrams = [
      try InitialPacket(number: 200, numberLength: 1, frames: frames[0], paddedCount: 100).octets,
      try InitialPacket(number: 260, numberLength: 1, frames: frames[1], paddedCount: 100).octets,
      try InitialPacket(number: 300, numberLength: 1, frames: frames[2], paddedCount: 100).octets,
    ]
    #expect(name(datagrams) == "shop.example.com")
  }

  @Test func `a hello over three datagrams is found in any order`() throws {
    let frames = pieces(F.modern, [0..<600, 600..<1_200, 1_200..<F.modern.count])
    let datagrams = try frames.enumerated().map { try InitialPacket(number: $0.offset, frames: $0.element, paddedCount: 1_100).octets }
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [1, 1, 0, 2, 2], [0, 0, 1, 2]] {
      #expect(name(order.map { datagrams[$0] }) == "shop.example.com", "\(order)")
      let early = Set(order.dropLast())
      if early.count < 3 {
        guard case .needMore = feed(order.dropLast().map { datagrams[$0] }) else {
          Issue.record("\(order)")
          continue
        }
      }
    }
    #expect(feed([datagrams[0]]) == .needMore(atLeast: F.modern.count))
    #expect(feed([datagrams[1]]) == .needMore(atLeast: 4))
  }

  @Test func `pieces shuffled, overlapping, with other frames between are put together`() throws {
    var generator = SeededGenerator(seed: 3)
    let hello = F.modern
    for _ in 0..<20 {
      var starts = (0..<25).map { _ in Int.random(in: 0..<hello.count, using: &generator) } + [0]
      starts.sort()
      let ends = starts.dropFirst() + [hello.count]
      var frames = zip(starts, ends).map { start, end in
        let later = min(hello.count, end + Int.random(in: 0...20, using: &generator))
        return InitialPacket.crypto([UInt8](hello[start..<later]), at: start)
      }
      frames += [[1], [0, 0, 0], [2, 5, 0, 1, 1, 0, 1], [3, 5, 0, 0, 1, 9, 9, 9]]
      frames.shuffle(using: &generator)
      let datagrams = try stride(from: 0, to: frames.count, by: 10).map { start in
        try InitialPacket(number: start, frames: frames[start..<min(start + 10, frames.count)].flatMap { $0 }, paddedCount: 200).octets
      }
      #expect(name(datagrams) == "shop.example.com")
    }
  }

  @Test func `packets together in a datagram are opened one by one`() throws {
    let frames = pieces(F.plain, [0..<50, 50..<F.plain.count])
    let first = try InitialPacket(number: 0, frames: frames[0], paddedCount: 100).octets
    let second = try InitialPacket(number: 1, frames: frames[1], paddedCount: 100).octets
    // A 0-RTT packet: type 1, a length, and octets that nobody can read.
    let zeroRTT =
      [0xd0] + Octets.u32(1) + Octets.block8(Octets.hex("8394c8f03e515708")) + [0] + Octets.u16(0x4000 | 60)
      + [UInt8](repeating: 7, count: 60)
    #expect(name([first + second]) == "shop.example.com")
    #expect(name([zeroRTT, first + zeroRTT, second + [1, 2, 3]]) == "shop.example.com")
  }

  @Test func `later packets to the server's connection ID keep the first one's keys`() throws {
    let frames = pieces(F.plain, [0..<50, 50..<F.plain.count])
    let first = try InitialPacket(number: 0, frames: frames[0], paddedCount: 100).octets
    let second = try InitialPacket(
      connectionID: [1, 2, 3, 4], keyedBy: Octets.hex("8394c8f03e515708"), number: 1, frames: frames[1], paddedCount: 100
    ).octets
    #expect(name([first, second]) == "shop.example.com")
  }

  @Test func `after a Retry the hello begins again under new keys`() throws {
    let half = pieces(F.modern, [0..<600])[0]
    let first = try InitialPacket(number: 0, frames: half, paddedCount: 1_100).octets
    let frames = pieces(F.plain, [0..<50, 50..<F.plain.count])
    let retried = try frames.enumerated().map {
      try InitialPacket(
        connectionID: [9, 9, 9, 9], token: [UInt8](repeating: 5, count: 64), number: $0.offset + 1, frames: $0.element, paddedCount: 100
      ).octets
    }
    #expect(name([first] + retried) == "shop.example.com")
  }

  @Test func `after an unknown version the known one is opened`() throws {
    var unknown = try InitialPacket.sample(version: 1).octets
    unknown.replaceSubrange(1..<5, with: [0x1a, 0x2a, 0x3a, 0x4a])
    #expect(feed([unknown]) == .needMore(atLeast: 4))
    #expect(name([unknown, try InitialPacket.sample(version: 1).octets]) == "example.com")
  }

  @Test func `a changed octet anywhere gives no name`() throws {
    let packet = try InitialPacket(number: 2, frames: InitialPacket.sampleFrame).octets
    for place in packet.indices {
      for value in [packet[place] ^ 1, packet[place] ^ 0x80, 0, 0xff] where value != packet[place] {
        var changed = packet
        changed[place] = value
        #expect(feed([changed]).value == nil, "octet \(place) as \(value)")
      }
    }
  }

  @Test func `every prefix gives no name`() throws {
    let packet = try InitialPacket(number: 2, frames: InitialPacket.sampleFrame).octets
    for count in 0..<packet.count { #expect(feed([[UInt8](packet.prefix(count))]).value == nil, "\(count) octets") }
  }

  @Test func `a datagram that the capture cut names what is whole in it`() throws {
    let packet = try InitialPacket.sample(version: 1).octets
    let needed = 22 + InitialPacket.sampleFrame.count
    for count in [needed, needed + 1, 600, 1_199] {
      #expect(name([[UInt8](packet.prefix(count))], isCut: true) == "example.com", "\(count) octets")
    }
    for count in 0..<needed { #expect(feed([[UInt8](packet.prefix(count))], isCut: true).value == nil, "\(count) octets") }
  }

  @Test func `a piece far away takes no room and does no harm`() throws {
    let far = try [1 << 16, 1 << 40, 1 << 62 - 1].map {
      try InitialPacket(number: 0, frames: InitialPacket.crypto([1, 2, 3, 4], at: $0), paddedCount: 100).octets
    }
    #expect(name(far + [try InitialPacket.sample(version: 1).octets]) == "example.com")
  }

  @Test(arguments: [
    ("a frame that Initial packets do not have", [0x08, 0, 0]), ("an ACK with too many ranges", [2, 0, 0, 0xbf, 0xff, 0xff, 0xff, 0]),
    ("half an ACK", [2, 0x40]), ("half a CRYPTO frame", [6, 0]), ("a server's message", [6, 0, 4, 2, 0, 0, 0]),
    ("a hello of more than 64 KiB", [6, 0, 4, 1, 1, 0, 0]), ("a hello that lies", [6, 0, 6, 1, 0, 0, 2, 3, 3]),
  ] as [(String, [UInt8])])
  func `frames that make no hello give none`(what: String, frames: [UInt8]) throws {
    #expect(feed([try InitialPacket(frames: frames).octets]).value == nil, "\(what)")
  }

  @Test func `a first connection ID of 7 octets is too short and one of 8 is not`() throws {
    for count in [0, 7, 8, 20] {
      let packet = InitialPacket(connectionID: [UInt8](repeating: 4, count: count), frames: InitialPacket.sampleFrame)
      #expect((name([try packet.octets]) != nil) == (count >= 8), "\(count) octets")
    }
  }

  @Test func `32 datagrams are looked at and not one more`() throws {
    let empty = try InitialPacket(frames: [1], paddedCount: 50).octets
    let good = try InitialPacket.sample(version: 1).octets
    #expect(name([[UInt8]](repeating: empty, count: 31) + [good]) == "example.com")
    #expect(feed([[UInt8]](repeating: empty, count: 32) + [good]) == .other(.overLimit))
  }

  @Test func `keys are derived four times and not once more`() throws {
    let wrong = try (0..<4).map { index in
      var packet = try InitialPacket(connectionID: [UInt8](repeating: UInt8(index), count: 8), frames: [1], paddedCount: 50).octets
      packet[packet.count - 1] ^= 1
      return packet
    }
    let good = try InitialPacket.sample(version: 1).octets
    #expect(name(wrong.prefix(3) + [good]) == "example.com")
    #expect(feed(wrong + [good]) == .other(.overLimit))
  }

  @Test(arguments: [[], [0x40, 1, 2, 3, 4, 5, 6, 7], [UInt8]("GET / HTTP/1.1".utf8), [0xc0, 0, 0, 0, 1, 8]] as [[UInt8]])
  func `a datagram without a long header is something else at once`(datagram: [UInt8]) {
    #expect(feed([datagram]) == .other(.notLongHeader))
  }

  @Test func `random datagrams come back`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("random QUIC datagrams: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    var initials = QUICClientInitials()
    for round in 0..<20_000 {
      if round % 8 == 0 { initials = QUICClientInitials() }
      let start: [UInt8] = [0xc0 | UInt8.random(in: 0...63, using: &generator), 0, 0, 0, 1, 8]
      let datagram = start + generator.bytes(Int.random(in: 0...90, using: &generator))
      #expect(initials.feed(datagram: datagram.span, isCut: round % 2 == 0).value == nil)
    }
  }
}
