import EgressModel
import Testing
import Wire

@Suite struct ServerCertificateTests {
  typealias O = Octets
  typealias F = HelloFixtures

  static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    switch content.count {
    case ..<0x80: [tag, UInt8(content.count)] + content
    case ..<0x100: [tag, 0x81, UInt8(content.count)] + content
    default: [tag, 0x82] + O.u16(content.count) + content
    }
  }
  static func sequence(_ parts: [UInt8]...) -> [UInt8] { der(0x30, parts.flatMap { $0 }) }
  static func name(_ attribute: UInt8, _ text: String, tag: UInt8 = 0x0c) -> [UInt8] {
    der(0x31, sequence(der(0x06, [0x55, 4, attribute]), der(tag, [UInt8](text.utf8))))
  }

  /// A certificate of version 3 for these names; `alternatives` are tag and text of general names.
  static func certificate(commonName: String?, alternatives: [(UInt8, String)] = [], isCritical: Bool = false) -> [UInt8] {
    let algorithm = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))
    let names = alternatives.flatMap { der($0.0, [UInt8]($0.1.utf8)) }
    let extensions =
      sequence(der(0x06, [0x55, 0x1d, 0x13]), der(0x01, [0xff]), der(0x04, sequence([])))
      + (alternatives.isEmpty ? [] : sequence(der(0x06, [0x55, 0x1d, 0x11]), isCritical ? der(0x01, [0xff]) : [], der(0x04, der(0x30, names))))
    let body = sequence(
      der(0xa0, der(0x02, [2])), der(0x02, [1, 2, 3]), algorithm, der(0x30, name(3, "An Issuer")),
      sequence(der(0x17, [UInt8]("260101000000Z".utf8)), der(0x17, [UInt8]("270101000000Z".utf8))),
      der(0x30, name(10, "An Organisation") + (commonName.map { name(3, $0) } ?? [])), sequence(algorithm, der(0x03, [0] + [UInt8](repeating: 4, count: 65))),
      der(0xa3, der(0x30, extensions)))
    return sequence(body, algorithm, der(0x03, [0] + [UInt8](repeating: 9, count: 70)))
  }

  static let shop = certificate(commonName: "old.example.com", alternatives: [(0x82, "Shop.example.com"), (0x82, "*.shop.example.com"), (0x81, "a@b.example")])

  static func serverHello(version: Int = 0x0303, extensions: [[UInt8]] = []) -> [UInt8] {
    let body = O.u16(version) + [UInt8](repeating: 7, count: 32) + [0] + O.u16(0xc02b) + [0] + (extensions.isEmpty ? [] : O.block16(extensions.flatMap { $0 }))
    return [2] + O.u24(body.count) + body
  }
  static func certificates(_ list: [[UInt8]]) -> [UInt8] {
    let content = list.flatMap { O.u24($0.count) + $0 }
    return [11] + O.u24(content.count + 3) + O.u24(content.count) + content
  }
  static let flight = serverHello() + certificates([shop, [UInt8](repeating: 0x30, count: 3_000)])

  private func hosts(_ certificate: [UInt8]) throws(WireError) -> [String] { try CertificateNames.hosts(in: certificate.span).map(\.text) }

  @Test(arguments: [
    ("a.example.com", [], ["a.example.com"]), ("a.example.com", [(0x82, "b.example.com")], ["b.example.com"]), ("Our Server", [], []), ("localhost", [], []),
    (nil, [(0x82, "b.example.com"), (0x82, "B.example.com"), (0x87, "abcd")], ["b.example.com"]), ("a.example.com", [(0x81, "x@y.example")], ["a.example.com"]),
    (nil, [(0x82, "a\0.example.com"), (0x82, "ok.example.com")], ["ok.example.com"]), (nil, [], []),
  ] as [(String?, [(UInt8, String)], [String])])
  func `the names are those for hosts; the common name counts when there are none`(commonName: String?, alternatives: [(UInt8, String)], expected: [String]) throws {
    for isCritical in [false, true] {
      #expect(try hosts(Self.certificate(commonName: commonName, alternatives: alternatives, isCritical: isCritical)) == expected)
    }
  }

  @Test func `16 names are kept, and not one more`() throws {
    let names = (0..<20).map { (UInt8(0x82), "n\($0).example.com") }
    #expect(try hosts(Self.certificate(commonName: nil, alternatives: names)).count == 16)
  }

  @Test func `no prefix and no changed octet of a certificate traps`() {
    var read = 0
    for count in 0..<Self.shop.count { #expect((try? hosts(Array(Self.shop[..<count]))) == nil, "\(count)") }
    for index in Self.shop.indices {
      for value in [0, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff] as [UInt8] {
        var changed = Self.shop
        changed[index] = value
        if (try? hosts(changed)) != nil { read += 1 }
      }
    }
    #expect(read > 0)
  }

  @Test(arguments: [[20_000], [100], [1_000, 1, 1, 50], [16]])
  func `the server's certificate is found however its flight is cut, and every prefix asks for more`(sizes: [Int]) throws {
    let stream = F.records(Self.flight, sizes: sizes)
    let names = try #require(ServerCertificate.names(in: stream.span).value)
    #expect(names.map(\.text) == ["shop.example.com", "*.shop.example.com"])
    var count = 0
    var calls = 0
    while count < stream.count {
      calls += 1
      guard case .needMore(let atLeast) = ServerCertificate.names(in: stream.span.extracting(0..<count)) else { break }
      #expect(atLeast > count)
      count = atLeast
    }
    // It does not wait for the chain, unless a record wastes its octets on headers.
    #expect(count < stream.count && calls < 100)
  }

  @Test func `what follows the certificate takes nothing back`() {
    let stream = F.records(Self.flight, sizes: [20_000])
    for next in [F.record([1], type: 20), F.record([]), [UInt8]("220 ready\r\n".utf8)] {
      #expect(ServerCertificate.names(in: (stream + next).span).value?.map(\.text) == ["shop.example.com", "*.shop.example.com"])
    }
  }

  @Test(arguments: [
    F.record(serverHello(extensions: [F.ext(43, [3, 4])])), F.record(serverHello()) + F.record([1], type: 20), F.record(serverHello()) + F.record([14, 0, 0, 0]),
    F.record([2, 0, 0, 0]), F.record([4, 0, 0, 0]), F.record([]), F.record([2, 40], type: 21), [UInt8]("220 ready\r\n".utf8),
    F.record(serverHello() + certificates([[0x30, 3, 2, 1, 1]])),
  ] as [[UInt8]])
  func `with TLS 1.3, with a session resumed, and with an alert there is none`(stream: [UInt8]) {
    guard case .other = ServerCertificate.names(in: stream.span) else {
      Issue.record("\(ServerCertificate.names(in: stream.span))")
      return
    }
  }

  @Test func `a certificate that could only end past the limit is given up`() {
    let flight = Self.serverHello() + Self.certificates([[UInt8](repeating: 0x30, count: 40_000)])
    let stream = F.records(flight, sizes: [16_000])
    guard case .other(.overLimit) = ServerCertificate.names(in: stream.span.extracting(0..<1_000)) else {
      Issue.record("\(ServerCertificate.names(in: stream.span.extracting(0..<1_000)))")
      return
    }
  }
}
