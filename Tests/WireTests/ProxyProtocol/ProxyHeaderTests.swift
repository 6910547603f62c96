import EgressModel
import Testing
import Wire

@Suite struct ProxyHeaderTests {
  typealias O = Octets

  static let signature = O.hex("0d0a0d0a 000d0a51 5549540a")
  static let v4 = [192, 0, 2, 1, 203, 0, 113, 10] + O.u16(50_000) + O.u16(443)
  static let v6 = O.hex("20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000080") + O.u16(50_000) + O.u16(443)
  static func version2(_ command: UInt8, _ family: UInt8, _ content: [UInt8]) -> [UInt8] { signature + [command, family] + O.block16(content) }

  static let headers: [(bytes: [UInt8], destination: String?)] = [
    ([UInt8]("PROXY TCP4 192.0.2.1 203.0.113.10 50000 443\r\n".utf8), "203.0.113.10:443"),
    ([UInt8]("PROXY TCP6 2001:db8::1 2001:db8::80 50000 443\r\n".utf8), "[2001:db8::80]:443"),
    ([UInt8]("PROXY UNKNOWN\r\n".utf8), nil), ([UInt8]("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".utf8), nil),
    (version2(0x21, 0x11, v4), "203.0.113.10:443"), (version2(0x21, 0x21, v6), "[2001:db8::80]:443"),
    // With the client's certificate, from the proxy itself, and over a socket with a path.
    (version2(0x21, 0x11, v4 + [0x20] + O.block16([UInt8](repeating: 7, count: 1_000))), "203.0.113.10:443"),
    (version2(0x20, 0x00, []), nil), (version2(0x20, 0x11, v4), nil), (version2(0x21, 0x31, [UInt8](repeating: 0x2f, count: 216)), nil),
  ]

  @Test(arguments: headers.indices)
  func `a header says where the client wanted to go, and what follows is left alone`(index: Int) throws {
    let (bytes, destination) = Self.headers[index]
    let header = try #require(ProxyHeader.header(in: (bytes + [22, 3, 1]).span).value)
    #expect(header.destination?.description == destination && header.byteCount == bytes.count)
    #expect((header.source == nil) == (destination == nil))
  }

  @Test(arguments: headers.indices)
  func `every prefix asks for more than it has and for no more than there is`(index: Int) {
    let bytes = Self.headers[index].bytes
    for count in 0..<bytes.count {
      guard case .needMore(let atLeast) = ProxyHeader.header(in: bytes.span.extracting(0..<count)) else {
        Issue.record("\(count) octets")
        return
      }
      #expect(atLeast > count && atLeast <= bytes.count, "\(count) octets")
    }
  }

  @Test(arguments: [
    "PROXX", "PROXY TCP4 192.0.2.1 203.0.113.10 50000\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n", "PROXY TCP4 192.0.2.1 203.0.113.10 50000 65536\r\n",
    "PROXY TCP4 192.0.2.1  203.0.113.10 1 2\r\n", "PROXY TCP4 192.0.2.1 203.0.113.10 1 2\n", "PROXY \r\n", "PROXY \n", "PROXY TCP5 a b 1 2\r\n", "PROXY \u{1}",
    "\r\n\r\n\0\r\nQUIX", "\r\n\r\n\0\r\nQUIT\n1",
  ])
  func `what cannot become a header is something else at once`(text: String) {
    guard case .other = ProxyHeader.header(in: [UInt8](text.utf8).span) else {
      Issue.record("\(text)")
      return
    }
  }

  @Test func `a line of 107 octets is read, and not one more`() {
    let line = "PROXY UNKNOWN " + String(repeating: "x", count: 91)
    #expect(ProxyHeader.header(in: [UInt8]((line + "\r\n").utf8).span).value?.byteCount == 107)
    #expect(ProxyHeader.header(in: [UInt8]((line + "x\r\n").utf8).span).value == nil)
  }

  @Test func `16 KiB of addresses and TLVs are read, and not one octet more`() {
    let content = Self.v4 + [UInt8](repeating: 4, count: 16_384 - 12)
    #expect(ProxyHeader.header(in: Self.version2(0x21, 0x11, content).span).value != nil)
    guard case .other(.overLimit) = ProxyHeader.header(in: Self.version2(0x21, 0x11, content + [4]).span) else {
      Issue.record("not over the limit")
      return
    }
  }

  @Test(arguments: [(0x11, 11), (0x21, 35)] as [(UInt8, Int)])
  func `addresses that are cut short are no header`(family: UInt8, count: Int) {
    guard case .other = ProxyHeader.header(in: Self.version2(0x21, family, [UInt8](repeating: 1, count: count)).span) else {
      Issue.record("accepted")
      return
    }
  }
}
