import EgressModel
import Testing

@testable import Wire

@Suite struct HTTP2RequestTests {
  typealias O = Octets

  static let preface = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let settings = frame(4, [0, 3, 0, 0, 0, 100, 0, 4, 0, 0, 0xff, 0xff], stream: 0)
  static func frame(_ type: UInt8, _ payload: [UInt8], flags: UInt8 = 0, stream: Int = 1) -> [UInt8] {
    O.u24(payload.count) + [type, flags] + O.u32(stream) + payload
  }
  /// RFC 7541 C.3.1 and C.4.1: GET, http, /, www.example.com, without and with Huffman's code.
  static let plain = O.hex("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d")
  static let huffman = O.hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")
  /// `name: value`, neither indexed nor compressed.
  static func literal(_ name: String, _ value: String) -> [UInt8] {
    [0] + O.block8([UInt8](name.utf8)) + O.block8([UInt8](value.utf8))
  }

  private func fields(_ block: [UInt8]) -> [HPACKDecoder.Field]? {
    var decoder = HPACKDecoder()
    return decoder.fields(of: block.span)
  }

  private func head(_ frames: [UInt8]) -> StreamResult<HTTPRequestHead> { HTTP2Request.head(in: (Self.preface + frames).span) }

  @Test(arguments: [
    settings + frame(1, plain, flags: 5), settings + frame(1, huffman, flags: 4), frame(1, huffman, flags: 5),
    settings + frame(8, [0, 0, 1, 0], stream: 0) + frame(1, [3] + [0, 0, 0, 0, 200] + huffman + [0, 0, 0], flags: 0x2d),
    settings + frame(1, Array(huffman[..<5])) + frame(9, Array(huffman[5..<6])) + frame(9, Array(huffman[6...]), flags: 4),
  ])
  func `the first request's authority is found, and every prefix asks for more`(frames: [UInt8]) throws {
    let found = try #require(head(frames + [1, 2, 3]).value)
    #expect(found.method == "GET" && found.majorVersion == 2 && found.host?.text == "www.example.com" && found.application == .http)
    #expect(found.proxyTarget == nil)
    let stream = Self.preface + frames
    for count in 0..<stream.count {
      guard case .needMore(let atLeast) = HTTP2Request.head(in: stream.span.extracting(0..<count)) else {
        Issue.record("\(count) octets")
        return
      }
      #expect(atLeast > count && atLeast <= stream.count, "\(count) octets")
    }
  }

  @Test(arguments: [
    (":authority", "user:secret@example.org:8080", "example.org"), ("host", "example.org", "example.org"), (":authority", "[2001:db8::1]:80", nil),
    (":authority", "a b", nil),
  ] as [(String, String, String?)])
  func `an authority is a host, without user and port`(field: String, value: String, host: String?) throws {
    let found = try #require(head(Self.frame(1, [0x82] + Self.literal(field, value), flags: 4)).value)
    #expect(found.host?.text == host)
  }

  @Test(arguments: [
    ("application/grpc", Application.grpc), ("application/grpc+proto", .grpc), ("APPLICATION/GRPC; x", .grpc), ("application/grpcx", .http),
    ("application/dns-message", .doh), ("text/html", .http),
  ])
  func `the media type tells what HTTP carries`(type: String, application: Application) throws {
    let found = try #require(head(Self.frame(1, [0x83] + Self.literal("content-type", type), flags: 4)).value)
    #expect(found.application == application)
  }

  @Test func `CONNECT is for a proxy, unless it says for which protocol`() throws {
    let connect = Self.literal(":method", "CONNECT") + Self.literal(":authority", "api.example.net:443")
    let proxied = try #require(head(Self.frame(1, connect, flags: 4)).value)
    #expect(proxied.proxyTarget == ProxyTarget(kind: .httpConnect, target: DomainName(presentation: "api.example.net"), port: 443))
    #expect(proxied.host == nil)
    let socket = try #require(head(Self.frame(1, connect + Self.literal(":protocol", "websocket"), flags: 4)).value)
    #expect(socket.proxyTarget == nil && socket.host?.text == "api.example.net" && socket.application == .websocket)
  }

  @Test func `what was put into the table can be referred to`() throws {
    // host: example.org with its index, then the 62nd entry, which is that.
    let block = [0x82, 0x40] + O.block8([UInt8]("host".utf8)) + O.block8([UInt8]("example.org".utf8)) + [0xbe]
    #expect(try #require(head(Self.frame(1, block, flags: 4)).value).host?.text == "example.org")
    let read = fields(block)
    #expect(read?.count == 3 && read?[1] == read?[2])
  }

  @Test(arguments: [
    [0x80], [0xbe], [0xff], [0xff, 0xff, 0xff, 0xff, 0xff], [0x40], [0x41], [0x41, 5, 0x61], [0x41, 0xff, 0xff, 0xff, 0x7f], [0x3f, 0xe2, 0x1f], [0x41, 0x81, 0],
    [0x41, 0x84, 0xff, 0xff, 0xff, 0xff], [0x41, 0x82, 0x1f, 0xff],
  ] as [[UInt8]])
  func `a block that breaks the rules has no fields`(block: [UInt8]) {
    #expect(fields(block) == nil)
  }

  @Test func `the table forgets the oldest beyond 4,096 octets`() {
    // Each counts 32 more than its octets: 1,024.
    let entry = { (octet: UInt8) in [0x40] + O.block8([octet]) + [0x7f] + O.hex("e006") + [UInt8](repeating: octet, count: 991) }
    let four = entry(0x61) + entry(0x62) + entry(0x63) + entry(0x64)
    #expect(fields(four + [0xc1])?.last?.name == [0x61])
    #expect(fields(four + entry(0x65) + [0xc1])?.last?.name == [0x62] && fields(four + entry(0x65) + [0xc2]) == nil)
    #expect(fields([0x20] + entry(0x61) + [0xbe]) == nil)
  }

  @Test func `256 fields are read, and not one more`() {
    for (count, isRead) in [(256, true), (257, false)] {
      #expect((fields([UInt8](repeating: 0x82, count: count)) != nil) == isRead)
    }
  }

  /// RFC 7541 C.4 and C.6; and by Appendix B the longest codes, of LF and of DEL.
  @Test(arguments: [
    ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"), ("a8eb10649cbf", "no-cache"), ("25a849e95ba97d7f", "custom-key"), ("6402", "302"),
    ("25a849e95bb8e8b4bf", "custom-value"), ("aec3771a4b", "private"), ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
    ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"), ("fffffff3", "\n"), ("ffffffcf", "\u{7f}"), ("", ""),
  ])
  func `Huffman's code is that of the standard`(hex: String, text: String) {
    let bytes = O.hex(hex)
    let decoded = HPACKHuffman.decode(bytes.span, in: 0..<bytes.count, limit: text.utf8.count)
    let limited = HPACKHuffman.decode(bytes.span, in: 0..<bytes.count, limit: max(0, text.utf8.count - 1))
    #expect(decoded == [UInt8](text.utf8) && (text.isEmpty || limited == nil))
  }

  @Test func `the code leaves no bits without a meaning`() {
    // Kraft's sum, with the end of string.
    #expect(HPACKHuffman.lengths.count == 256)
    #expect(HPACKHuffman.lengths.reduce(1) { $0 + 1 << (30 - Int($1)) } == 1 << 30)
  }

  @Test func `32 frames are read before the headers end, and not one more`() {
    for (count, isRead) in [(31, true), (32, false)] {
      let frames = (0..<count).flatMap { _ in Self.frame(6, [UInt8](repeating: 0, count: 8), stream: 0) } + Self.frame(1, Self.plain, flags: 4)
      #expect((head(frames).value != nil) == isRead)
    }
  }

  @Test(arguments: [
    frame(9, plain, flags: 4), frame(1, Array(plain[..<3])) + frame(4, []), frame(1, [9] + plain, flags: 0x0c + 0x20), frame(1, [200, 1], flags: 0x0c),
    frame(1, [0x86], flags: 4), [1, 0, 0, 0, 0, 0, 0, 0, 0],
  ])
  func `what breaks the rules is something else`(frames: [UInt8]) {
    guard case .other = head(frames) else {
      Issue.record("\(head(frames))")
      return
    }
  }
}
