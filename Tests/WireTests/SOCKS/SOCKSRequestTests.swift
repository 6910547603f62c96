import EgressModel
import Testing
import Wire

@Suite struct SOCKSRequestTests {
  typealias O = Octets

  static let version4 = [4, 1] + O.u16(80) + [93, 184, 216, 119] + [UInt8]("someone".utf8) + [0]
  static let version4a = [4, 1] + O.u16(443) + [0, 0, 0, 7, 0] + [UInt8]("API.example.net".utf8) + [0]
  static let greeting: [UInt8] = [5, 3, 0, 1, 2]
  static let login = [1] + O.block8([UInt8]("user".utf8)) + O.block8([UInt8]("5\u{1}\0secret".utf8))
  static func version5(_ type: UInt8, _ address: [UInt8], port: Int = 443, command: UInt8 = 1) -> [UInt8] {
    [5, command, 0, type] + address + O.u16(port)
  }
  static let name = version5(3, O.block8([UInt8]("api.example.net".utf8)))
  static let v6 = version5(4, O.hex("20010db8 00000000 00000000 00000077"), port: 80)

  static let requests: [(bytes: [UInt8], kind: ProxyTarget.Kind, target: String, port: UInt16)] = [
    (version4, .socks4, "93.184.216.119", 80), (version4a, .socks4a, "api.example.net", 443),
    (greeting + name, .socks5, "api.example.net", 443), (greeting + login + name, .socks5, "api.example.net", 443),
    ([5, 1, 0] + version5(1, [198, 51, 100, 99], port: 22), .socks5, "198.51.100.99", 22), ([5, 1, 0] + v6, .socks5, "2001:db8::77", 80),
    ([5, 255] + (0..<255).map { UInt8($0) } + name, .socks5, "api.example.net", 443),
  ]

  @Test(arguments: requests.indices)
  func `a request says where the client wants to go, and what follows is left alone`(index: Int) throws {
    let (bytes, kind, target, port) = Self.requests[index]
    for rest in [[], [22, 3, 1]] as [[UInt8]] {
      let request = try #require(SOCKSRequest.request(in: (bytes + rest).span).value)
      #expect(request.proxyTarget == ProxyTarget(kind: kind, target: DomainName(presentation: target), port: port))
      #expect(request.byteCount == bytes.count)
    }
  }

  @Test(arguments: requests.indices)
  func `every prefix asks for more than it has and for no more than there is`(index: Int) {
    let bytes = Self.requests[index].bytes
    for count in 0..<bytes.count {
      guard case .needMore(let atLeast) = SOCKSRequest.request(in: bytes.span.extracting(0..<count)) else {
        Issue.record("\(count) octets")
        return
      }
      #expect(atLeast > count && atLeast <= bytes.count, "\(count) octets")
    }
  }

  @Test(arguments: [
    [3], [6, 1, 0], [4, 3], [4, 0], [5, 0], [5, 1, 0xff], [5, 1, 0, 2], [5, 1, 0, 5, 4], [5, 1, 0, 5, 1, 1], [5, 1, 0, 5, 1, 0, 2, 9],
    [4, 1, 0, 0, 1, 2, 3, 4, 0], [4, 1, 0, 80, 0, 0, 0, 0, 0], [4, 1, 0, 80, 1, 2, 3, 4, 9], [4, 1, 0, 80, 0, 0, 0, 1, 0, 0xc3],
  ] as [[UInt8]])
  func `what cannot become a request is something else at once`(bytes: [UInt8]) {
    guard case .other = SOCKSRequest.request(in: bytes.span) else {
      Issue.record("\(bytes)")
      return
    }
  }

  @Test func `a user name and a name of 255 octets are read, and not one more`() {
    func request(user: Int, name: Int) -> [UInt8] {
      [4, 1, 0, 80, 0, 0, 0, 1] + [UInt8](repeating: 0x75, count: user) + [0] + [UInt8](repeating: 0x61, count: name) + [0]
    }
    #expect(SOCKSRequest.request(in: request(user: 255, name: 63).span).value?.proxyTarget != nil)
    guard case .other = SOCKSRequest.request(in: request(user: 256, name: 63).span) else {
      Issue.record("a user name of 256 octets")
      return
    }
    // No label is that long, so it is a request for nowhere.
    let long = SOCKSRequest.request(in: request(user: 1, name: 255).span).value
    #expect(long != nil && long?.proxyTarget == nil)
    guard case .other = SOCKSRequest.request(in: request(user: 1, name: 256).span) else {
      Issue.record("a name of 256 octets")
      return
    }
  }

  @Test(arguments: [2, 3] as [UInt8])
  func `who wants to be connected to, or to send datagrams, opens no tunnel`(command: UInt8) throws {
    let request = try #require(SOCKSRequest.request(in: ([5, 1, 0] + Self.version5(1, [0, 0, 0, 0], port: 0, command: command)).span).value)
    #expect(request.proxyTarget == nil)
  }

  @Test(arguments: ["a b.example", "a\u{0}.example", "-", "", "é.example"])
  func `a name that is none is no target`(name: String) throws {
    let bytes = [5, 1, 0] + Self.version5(3, O.block8([UInt8](name.utf8)))
    let target = try #require(SOCKSRequest.request(in: bytes.span).value).proxyTarget
    #expect(name == "-" ? target != nil : target == nil)
  }
}
