import EgressModel
import Testing
import Wire

@Suite struct HTTPRequestTests {
  private func head(_ text: String, isComplete: Bool = false) -> StreamResult<HTTPRequestHead> {
    head([UInt8](text.utf8), isComplete: isComplete)
  }
  private func head(_ bytes: [UInt8], isComplete: Bool = false) -> StreamResult<HTTPRequestHead> {
    HTTPRequest.head(in: bytes.span, isComplete: isComplete)
  }

  static let get = "GET /cart?id=1 HTTP/1.1\r\nUser-Agent: x\r\nHost: Shop.example.com:8080\r\nCookie: a=b\r\n\r\n"

  @Test func `a request says where it goes and nothing else is kept`() throws {
    let head = try #require(head(Self.get + "body").value)
    #expect(
      head
        == HTTPRequestHead(
          method: "GET", hostField: HTTPAuthority(host: .name(DomainName(presentation: "shop.example.com")), port: 8080),
          byteCount: Self.get.utf8.count))
    #expect(head.host?.text == "shop.example.com")
    #expect(head.hostPort == 8080)
    #expect(head.proxyTarget == nil && head.connectTarget == nil)
  }

  @Test(arguments: [
    ("host:a.example", "a.example", nil), ("HOST: \t a.example \t", "a.example", nil), ("hOsT: a.example:", "a.example", nil),
    ("Host: a.example:65535", "a.example", 65_535), ("Host:\r\n a.example", "a.example", nil), ("Host: a.example\r\n ", "a.example", nil),
    ("Host: a.example.", "a.example", nil), ("X-Host: b.example\r\nHost: a.example", "a.example", nil),
    ("Hos: b\r\nHosts: c\r\nHost: a", "a", nil),
    ("no colon\r\nHost: a.example", "a.example", nil), ("X: y\r\n Host: b.example\r\nHost: a.example", "a.example", nil),
  ] as [(String, String, UInt16?)])
  func `the Host field is found in any spelling`(lines: String, name: String, port: UInt16?) throws {
    let head = try #require(head("GET / HTTP/1.1\r\n\(lines)\r\n\r\n").value)
    #expect(head.host?.text == name)
    #expect(head.hostPort == port)
  }

  @Test(arguments: [
    ("Host: a.example\r\nHost: a.example", ClaimedHost.invalid(.repeated)),
    ("Host: a.example\r\nX: y\r\nhost: b.example", .invalid(.repeated)),
    ("Host: a.example\r\nHost: b.example\r\nHost: c.example", .invalid(.repeated)), ("Host:", .invalid(.empty)),
    ("Host : a.example", .invalid(.badOctet)),
    ("Host: a b", .invalid(.badOctet)), ("Host: a\r\n b", .invalid(.badOctet)), ("Host: a.example:x", .invalid(.badOctet)),
    ("Host: a.example:65536", .invalid(.badOctet)), ("Host: a.example:000080", .invalid(.badOctet)),
    ("Host: user@a.example", .invalid(.badOctet)),
    ("Host: 192.0.2.1", .address(IPAddress(v4: 0xc000_0201))), ("Host: 192.0.2.1:80", .address(IPAddress(v4: 0xc000_0201))),
    ("Host: [::1]", .address(IPAddress(high: 0, low: 1))), ("Host: [::1]:80", .address(IPAddress(high: 0, low: 1))),
    ("Host: ::1", .address(IPAddress(high: 0, low: 1))), ("Host: a.example, b.example", .invalid(.badOctet)),
    ("Host: ]:80", .invalid(.badOctet)),
  ])
  func `a Host field that names nothing is noted`(lines: String, host: ClaimedHost) throws {
    let head = try #require(head("GET / HTTP/1.1\r\n\(lines)\r\n\r\n").value)
    #expect(head.hostField?.host == host)
    #expect(head.host == nil)
    #expect(head.isAddressLiteral == host.isAddress)
  }

  @Test(arguments: [
    ("GET http://a.example/x HTTP/1.1", HTTPRequestHead.TargetForm.absolute, "a.example", nil),
    ("GET HTTP://A.example:81?x=http://c/ HTTP/1.1", .absolute, "a.example", 81),
    ("GET http://u:p@a.example:81/@x HTTP/1.0", .absolute, "a.example", 81),
    ("GET ws+unix://a.example#f HTTP/1.1", .absolute, "a.example", nil), ("GET / HTTP/1.1", .origin, "b.example", nil),
    ("GET /http://c.example/ HTTP/1.1", .origin, "b.example", nil), ("GET index.html HTTP/1.1", .origin, "b.example", nil),
    ("GET /a b HTTP/1.1", .origin, "b.example", nil), ("OPTIONS * HTTP/1.1", .asterisk, "b.example", nil),
    ("M-SEARCH * HTTP/1.1", .asterisk, "b.example", nil),
  ] as [(String, HTTPRequestHead.TargetForm, String, UInt16?)])
  func `an absolute target counts more than the Host field`(line: String, form: HTTPRequestHead.TargetForm, name: String, port: UInt16?) throws {
    let head = try #require(head("\(line)\r\nHost: b.example\r\n\r\n").value)
    #expect(head.form == form)
    #expect(head.host?.text == name)
    #expect(head.hostPort == port)
    #expect(head.proxyTarget?.kind == (form == .absolute ? .httpAbsolute : nil))
  }

  @Test(arguments: [
    ("a.example:443", "a.example", 443), ("[2001:db8::5]:8443", "2001:db8::5", 8_443), ("192.0.2.1:25", "192.0.2.1", 25),
    ("a.example", "a.example", nil),
  ] as [(String, String, UInt16?)])
  func `CONNECT names what lies behind the proxy, not the proxy`(target: String, text: String, port: UInt16?) throws {
    let request = "CONNECT \(target) HTTP/1.0\r\nHost: b.example\r\n\r\n"
    let head = try #require(head(request + "\u{16}").value)
    #expect(head.isConnect && head.host == nil)
    #expect(head.proxyTarget == ProxyTarget(kind: .httpConnect, target: DomainName(presentation: text), port: port))
    #expect(head.connectTarget?.port == port)
    #expect(head.byteCount == request.utf8.count)
  }

  @Test func `a CONNECT to no host has no target`() throws {
    #expect(head("CONNECT a\u{7}b:443 HTTP/1.1\r\n\r\n", isComplete: true) == .other(.notRequest))
    #expect(try #require(head("CONNECT a,b:443 HTTP/1.1\r\n\r\n").value).proxyTarget == nil)
  }

  @Test func `HTTP 1.0 without Host is found without a name`() throws {
    let head = try #require(head("GET / HTTP/1.0\r\n\r\n").value)
    #expect(head.minorVersion == 0)
    #expect(head.hostField == nil && head.host == nil)
  }

  @Test func `bare line feeds end lines too`() throws {
    #expect(try #require(head("GET / HTTP/1.1\nHost: a.example\n\nHost: b.example\n").value).host?.text == "a.example")
    #expect(try #require(head("GET / HTTP/1.1\nHost: a.example\n\r\nHost: b.example\n").value).host?.text == "a.example")
  }

  @Test func `what stands in the body is no Host field`() throws {
    #expect(try #require(head("POST / HTTP/1.1\r\nHost: a.example\r\n\r\nHost: b.example\r\n\r\n").value).host?.text == "a.example")
    #expect(try #require(head("POST / HTTP/1.1\r\n\r\nHost: b.example\r\n\r\n").value).host == nil)
  }

  @Test(arguments: [("Upgrade: websocket", true), ("upgrade: h2c , WebSocket", true), ("Upgrade: websockets", false), ("Upgraded: websocket", false), ("Upgrade:", false)])
  func `a WebSocket upgrade is told`(line: String, isUpgrade: Bool) throws {
    #expect(try #require(head("GET / HTTP/1.1\r\n\(line)\r\n\r\n").value).isWebSocketUpgrade == isUpgrade)
  }

  @Test(arguments: [
    "\u{16}\u{3}\u{1}", " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "SSH-2.0-OpenSSH_9.2\r\n", "EHLO mail.example\r\n", "USER anonymous\r\n",
    "GET /\r\n", "GET  HTTP/1.1\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.x\r\n", "GET / HTTP/1.10\r\n", "DESCRIBE rtsp://a/ RTSP/1.0\r\n",
    "INVITE sip:a@b SIP/2.0\r\n", "GET / \u{1}", "\r\nGET / HTTP/1.1\r\n", "QUIT\r\n", "{\"a\":1}", "HTTP/1.1\r\n\r\n", "\n",
    String(repeating: "A", count: 33),
  ])
  func `what cannot become a request line is something else at once`(text: String) {
    #expect(head(text) == .other(.notRequest))
  }

  @Test func `the preface of HTTP 2 is told apart`() {
    #expect(head("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == .other(.http2Preface))
  }

  @Test(arguments: [(32, true), (33, false)])
  func `a method has up to 32 octets`(length: Int, isFound: Bool) {
    let method = String(repeating: "M", count: length)
    #expect((head("\(method) / HTTP/1.1\r\n\r\n").value != nil) == isFound)
  }

  @Test(arguments: [(HTTPRequest.maximumRequestLineLength, true), (HTTPRequest.maximumRequestLineLength + 1, false)])
  func `a request line has a limit, and is given up there even before it ends`(length: Int, isFound: Bool) {
    let start = "GET /" + String(repeating: "x", count: length - "GET / HTTP/1.1\r".utf8.count)
    let line = start + " HTTP/1.1\r\n"
    #expect(line.utf8.count == length + 1)
    #expect((head(line + "\r\n").value != nil) == isFound)
    let unended = start + String(repeating: "x", count: "  HTTP/1.1\r".utf8.count - 1)
    #expect(unended.utf8.count == length)
    #expect(head(unended) == (isFound ? .needMore(atLeast: length + 1) : .other(.overLimit)))
  }

  @Test func `every prefix asks for one more octet, and never knows half a name`() {
    let bytes = [UInt8](Self.get.utf8)
    let named = "GET /cart?id=1 HTTP/1.1\r\nUser-Agent: x\r\nHost: Shop.example.com:8080\r\n".utf8.count
    for count in 0..<bytes.count {
      let prefix = [UInt8](bytes.prefix(count))
      #expect(head(prefix) == .needMore(atLeast: count + 1), "\(count) octets")
      switch head(prefix, isComplete: true) {
      case .found(let head):
        #expect(head.host?.text == (count >= named ? "shop.example.com" : nil), "\(count) octets")
        #expect(head.byteCount == nil)
      case .other: #expect(count <= 24, "\(count) octets")
      case .needMore: Issue.record("\(count) octets")
      }
    }
  }

  @Test func `a stream that comes in pieces gives what the whole gives`() throws {
    var generator = SeededGenerator(seed: 7)
    let requests = [Self.get, "GET / HTTP/1.1\nHost: a\n\n", "CONNECT a:1 HTTP/1.1\r\n\r\n", "BAD\r\n\r\n", "GET / HTTP/1.1\r\nX: \r\n\n"]
    for request in requests {
      let bytes = [UInt8](request.utf8)
      for _ in 0..<50 {
        var progress = HTTPRequest.Progress()
        var result = StreamResult<HTTPRequestHead>.needMore(atLeast: 1)
        var count = 0
        while case .needMore = result, count < bytes.count {
          count = min(bytes.count, count + Int.random(in: 1...5, using: &generator))
          result = HTTPRequest.head(in: bytes.span.extracting(0..<count), resuming: &progress)
        }
        #expect(result == head([UInt8](bytes.prefix(count))), "\(request) at \(count)")
        #expect(result.value == head(bytes).value, "\(request)")
      }
    }
  }

  @Test func `a head that never ends is judged at the limit`() throws {
    let start = "GET / HTTP/1.1\r\nHost: a.example\r\nCookie: "
    var bytes = [UInt8](start.utf8)
    bytes += [UInt8](repeating: UInt8(ascii: "c"), count: HTTPRequest.maximumHeadLength - bytes.count - 1)
    #expect(head(bytes) == .needMore(atLeast: HTTPRequest.maximumHeadLength))
    bytes.append(UInt8(ascii: "c"))
    #expect(try #require(head(bytes).value).host?.text == "a.example")
    bytes += [UInt8]("\r\nHost: b.example\r\n\r\n".utf8)
    #expect(try #require(head(bytes).value).host?.text == "a.example")
  }
}
