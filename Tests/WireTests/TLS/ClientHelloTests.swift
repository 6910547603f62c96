import EgressModel
import Testing
import Wire

@Suite struct ClientHelloTests {
  typealias F = HelloFixtures

  private func decode(_ handshake: [UInt8]) throws(WireError) -> ClientHello { try F.decode(handshake) }

  @Test func `a hello of today gives its name, versions, protocols and lists in order`() throws {
    let hello = try decode(F.modern)
    #expect(hello.serverName?.text == "shop.example.com")
    #expect(hello.legacyVersion == .tls12)
    #expect(hello.version == .tls13)
    #expect(hello.cipherSuites == [0x2a2a, 0x1301, 0x1302, 0xc02b])
    #expect(hello.extensions == [0x4a4a, 51, 13, 43, 16, 0xfe0d, 0, 0x7a7a])
    #expect(hello.signatureAlgorithms == [0x0403, 0x0804])
    #expect(hello.supportedVersions.map(\.rawValue) == [0x8a8a, 0x0304, 0x0303])
    #expect(hello.facts == TLSFacts(sni: hello.serverName, alpn: ["h2", "http/1.1"], version: "1.3", ech: .outer))
  }

  @Test func `no extensions, no block of them, and no server name are all legal`() throws {
    for extensions in [nil, [], [F.alpn(["h2"])]] as [[[UInt8]]?] {
      let hello = try decode(F.handshake(version: 0x0301, extensions: extensions))
      #expect(hello.claimedServerName == nil)
      #expect(hello.facts.version == "1.0")
      #expect(hello.ech == .none)
    }
  }

  @Test(arguments: [
    ([0x0304, 0x0303], 0x0303, "1.3"), ([0x0303, 0x0a0a, 0x0304], 0x0303, "1.3"), ([0x7f1c, 0x0303], 0x0303, "1.3"),
    ([0x0302], 0x0303, "1.1"),
    ([0x1a1a], 0x0303, "1.2"), ([], 0x0302, "1.1"), ([], 0x0300, "ssl3"), ([], 0x0399, "0x399"), ([0xfefc, 0xfefd], 0x0303, "1.3"),
    ([0xfefd, 0xfeff], 0x0303, "1.2"),
  ] as [([Int], Int, String)])
  func `the newest version offered counts, GREASE does not`(supported: [Int], legacy: Int, text: String) throws {
    let hello = try decode(F.handshake(version: legacy, extensions: supported.isEmpty ? [] : [F.supportedVersions(supported)]))
    #expect(hello.version.description == text)
  }

  @Test func `the first of two server names counts, in one list and over two extensions`() throws {
    let list = F.ext(
      0, Octets.block16([0] + Octets.block16([UInt8]("a.example".utf8)) + [0] + Octets.block16([UInt8]("b.example".utf8))))
    #expect(try decode(F.handshake(extensions: [list])).serverName?.text == "a.example")
    let twice = try decode(F.handshake(extensions: [F.serverName("a.example"), F.serverName("b.example")]))
    #expect(twice.serverName?.text == "a.example")
    #expect(twice.repeatsServerName)
    #expect(try !decode(F.plain).repeatsServerName)
  }

  @Test func `another kind of name is none, but a host name after it counts`() throws {
    #expect(try decode(F.handshake(extensions: [F.serverName([1, 2, 3], kind: 7)])).claimedServerName == nil)
    let list = F.ext(0, Octets.block16([7] + Octets.block16([1]) + [0] + Octets.block16([UInt8]("b.example".utf8))))
    #expect(try decode(F.handshake(extensions: [list])).serverName?.text == "b.example")
  }

  @Test(arguments: [
    ("", ClaimedHost.invalid(.empty)), ("192.0.2.55", .address(IPAddress(v4: 0xc000_0237))), ("a b", .invalid(.badOctet)),
    (String(repeating: "a", count: 300), .invalid(.tooLong)),
  ])
  func `what is no host name is noted and names nothing`(name: String, claimed: ClaimedHost) throws {
    let hello = try decode(F.handshake(extensions: [F.serverName(name)]))
    #expect(hello.claimedServerName == claimed)
    #expect(hello.serverName == nil)
  }

  @Test func `an empty server_name extension, as only servers should send it, names nothing`() throws {
    #expect(try decode(F.handshake(extensions: [F.ext(0, [])])).claimedServerName == .invalid(.empty))
  }

  @Test(arguments: [
    ("real or well made", F.ech(), TLSFacts.ECH.outer), ("another AEAD", F.ech(aead: 3), .outer),
    ("a longer key", F.ech(key: 1_120), .outer),
    ("a second hello", F.ech(key: 0), .outer), ("an unknown KDF", F.ech(kdf: 0x4444), .outer),
    ("one octet and a tag", F.ech(payload: 17), .outer),
    ("type inner", F.ech(type: 1), .grease), ("reserved KDF", F.ech(kdf: 0), .grease), ("reserved AEAD", F.ech(aead: 0), .grease),
    ("export-only AEAD", F.ech(aead: 0xffff), .grease), ("only a tag", F.ech(payload: 16), .grease), ("empty", F.ext(0xfe0d, []), .grease),
    ("cut", F.ext(0xfe0d, [0, 0, 1, 0, 1, 7, 0, 32]), .grease),
    ("with octets after it", F.ext(0xfe0d, F.ech().dropFirst(4) + [0]), .grease),
  ])
  func `ECH is GREASE only where it cannot be real`(what: String, ech: [UInt8], expected: TLSFacts.ECH) throws {
    let hello = try decode(F.handshake(extensions: [ech, F.supportedVersions([0x0304])]))
    #expect(hello.ech == expected, "\(what)")
  }

  @Test func `ECH without TLS 1.3 cannot be real`() throws {
    #expect(try decode(F.handshake(extensions: [F.ech()])).ech == .grease)
    #expect(try decode(F.handshake(extensions: [F.ech(), F.supportedVersions([0x0303])])).ech == .grease)
  }

  @Test func `protocol names are shown escaped`() throws {
    let hello = try decode(F.handshake(extensions: [F.alpn(["http/1.1", "a\u{1b}b", #"\"#, "H2"])]))
    #expect(hello.facts.alpn == ["http/1.1", #"a\027b"#, #"\092"#, "H2"])
  }

  @Test func `every prefix is truncated`() {
    for count in 0..<F.modern.count {
      do throws(WireError) {
        let hello = try decode([UInt8](F.modern.prefix(count)))
        Issue.record("\(count) octets gave \(hello)")
      } catch {
        #expect(error.isTruncation, "\(count) octets: \(error)")
      }
    }
  }

  @Test func `octets after the message are left alone`() throws {
    #expect(try decode(F.plain + [1, 2, 3]) == decode(F.plain))
  }

  /// Every place where `plain` holds a length, in octets from its start.
  private static let lengthPlaces = [38, 71, 77, 79, 83, 85, 88]

  @Test(arguments: lengthPlaces)
  func `a length that exceeds what encloses it is malformed`(place: Int) {
    var bytes = F.plain
    bytes[place] = 0xff
    do throws(WireError) {
      let hello = try decode(bytes)
      Issue.record("\(hello)")
    } catch {
      #expect(!error.isTruncation, "\(error)")
    }
  }

  @Test(arguments: [
    ("another message", [2, 0, 0, 0]), ("nothing in it", [1, 0, 0, 0]), ("more than 64 KiB", [1, 1, 0, 0]),
    ("octets after the extensions", [1] + Octets.u24(45) + Octets.u16(0x0303) + [UInt8](repeating: 0, count: 32) + [0, 0, 2, 0x13, 1, 1, 0, 0, 0, 0, 0]),
    ("an odd list of suites", [1] + Octets.u24(41) + Octets.u16(0x0303) + [UInt8](repeating: 0, count: 32) + [0, 0, 3, 0x13, 1, 2, 0]),
  ] as [(String, [UInt8])])
  func `a message that breaks the rules is malformed`(what: String, bytes: [UInt8]) {
    do throws(WireError) {
      let hello = try decode(bytes)
      Issue.record("\(what) gave \(hello)")
    } catch {
      #expect(!error.isTruncation, "\(what): \(error)")
    }
  }

  @Test(arguments: [(256, true), (257, false)])
  func `256 extensions are read and not one more`(count: Int, isRead: Bool) {
    let bytes = F.handshake(extensions: (0..<count).map { F.ext(0x5000 + $0, []) })
    #expect(((try? decode(bytes)) != nil) == isRead)
  }

  @Test(arguments: [(0, true), (1, false)])
  func `a message of 64 KiB is read and not one octet more`(excess: Int, isRead: Bool) {
    let overhead = F.handshake(extensions: [F.ext(21, []), F.ext(22, [])]).count
    let padding = ClientHello.maximumByteCount - overhead + excess
    let suites = [Int](repeating: 0x1301, count: 2 + 500)
    let bytes = F.handshake(suites: suites, extensions: [F.ext(21, [UInt8](repeating: 0, count: padding - 1_000)), F.ext(22, [])])
    #expect(bytes.count == ClientHello.maximumByteCount + excess)
    #expect(((try? decode(bytes)) != nil) == isRead)
  }
}
