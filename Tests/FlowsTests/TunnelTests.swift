import EgressModel
import Testing
import Wire

@testable import Flows

/// What a client says to a proxy, and then through it.
@Suite struct TunnelTests {
  private static let connect = Array("CONNECT api.example.net:443 HTTP/1.1\r\nHost: api.example.net:443\r\nProxy-Authorization: Basic eA==\r\n\r\n".utf8)
  private static let socks5: [UInt8] =
    [5, 2, 0, 2, 1, 1, 0x75, 1, 0x70, 5, 1, 0, 3, 15] + Array("api.example.net".utf8) + [1, 0xbb]
  private static let socks4a: [UInt8] = [4, 1, 1, 0xbb, 0, 0, 0, 1, 0] + Array("api.example.net".utf8) + [0]
  private static let ways: [(request: [UInt8], kind: ProxyTarget.Kind, source: NameSource)] = [
    (connect, .httpConnect, .httpConnect), (socks5, .socks5, .socks), (socks4a, .socks4a, .socks),
  ]
  private static let target = DomainName(presentation: "api.example.net")

  private static func proxy(_ kind: ProxyTarget.Kind, inner: String? = nil) -> ProxyTarget {
    ProxyTarget(kind: kind, target: target, port: 443, innerName: inner.map { DomainName(presentation: $0) })
  }

  @Test(arguments: ways.indices)
  func `the flow keeps the proxy's name, and what is said through it names what lies behind`(way: Int) throws {
    let (request, kind, source) = Self.ways[way]
    var run = MeterRun()
    run.resolve("proxy.example.com")
    run.handshake()
    run.say(request)
    run.say(Traffic.clientHello("api.example.net"), at: request.count)
    let held = run.meter.counters.reassemblyBytes
    let record = try run.record()
    #expect(held == 0 && record.proxy == Self.proxy(kind) && record.application == .tls)
    #expect(record.name?.name.text == "proxy.example.com" && record.judged.names.map(\.name.text) == ["proxy.example.com"])
    #expect(record.names.map(\.source) == [.dns, .tlsSNI, source])
  }

  @Test(arguments: ways.indices)
  func `without a look-up the proxy has no name, whatever lies behind it`(way: Int) throws {
    var run = MeterRun()
    run.handshake()
    run.say(Self.ways[way].request + Traffic.clientHello("api.example.net"))
    let record = try run.record()
    #expect(record.name == nil && record.judged.names.isEmpty && record.names.count == 2)
  }

  @Test(arguments: ways.indices)
  func `a hello in the tunnel is found wherever the stream is cut, one octet a segment included`(way: Int) {
    let request = Self.ways[way].request
    let stream = request + Traffic.clientHello("api.example.net")
    for cut in 1..<stream.count {
      for order in [[0, 1], [1, 0]] {
        let cuts = [0, cut, stream.count]
        var run = MeterRun()
        run.handshake()
        for piece in order { run.say(Array(stream[cuts[piece]..<cuts[piece + 1]]), at: cuts[piece]) }
        let held = run.meter.counters.reassemblyBytes
        let record = run.only()
        #expect(held == 0 && record?.tls?.sni == Self.target && record?.proxy == Self.proxy(Self.ways[way].kind), "\(cut) \(order)")
      }
    }
    var run = MeterRun()
    run.handshake()
    for (offset, octet) in stream.enumerated() { run.say([octet], at: offset) }
    let record = run.only()
    #expect(record?.tls?.sni == Self.target)
  }

  @Test func `a hello for another name than the target is told`() throws {
    var run = MeterRun()
    run.handshake()
    run.say(Self.connect + Traffic.clientHello("other.example.org"))
    let runRecord = try run.record()
    #expect(runRecord.proxy == Self.proxy(.httpConnect, inner: "other.example.org"))

    // An address says nothing of the name.
    var literal = MeterRun()
    literal.handshake()
    literal.say([5, 1, 0, 5, 1, 0, 1, 198, 51, 100, 99, 1, 0xbb] + Traffic.clientHello("other.example.org"))
    let proxy = try literal.record().proxy
    #expect(proxy == ProxyTarget(kind: .socks5, target: DomainName(presentation: "198.51.100.99"), port: 443))
  }

  @Test(arguments: [
    Array("CONNECT a.example:99999 HTTP/1.1\r\n\r\n".utf8), Array("CONNECT / HTTP/1.1\r\n\r\n".utf8), [5, 1, 0, 5, 1, 0, 3, 3, 0x61, 0, 0x62, 1, 0xbb],
  ] as [[UInt8]])
  func `what is said to a target that cannot be read does not name the proxy`(request: [UInt8]) throws {
    var run = MeterRun()
    run.handshake()
    run.say(request + Traffic.clientHello("inner.example"))
    let record = try run.record()
    #expect(record.names.isEmpty && record.proxy == nil && record.tls == nil)
    #expect(record.application == (request[0] == 5 ? .socks : .http))
  }

  @Test func `HTTP, SSH and another tunnel are found in a tunnel`() throws {
    var http = MeterRun()
    http.handshake()
    http.say(Self.socks5 + Traffic.request("api.example.net"))
    let httpRecord = try http.record()
    #expect(httpRecord.names.map(\.source) == [.httpHost, .socks])

    var ssh = MeterRun()
    ssh.handshake()
    ssh.say(Self.connect)
    ssh.say(Array("SSH-2.0-x\r\n".utf8), at: Self.connect.count)
    let sshRecord = try ssh.record()
    #expect(sshRecord.application == .ssh)

    var both = MeterRun()
    both.handshake()
    both.say([5, 1, 0, 5, 1, 0, 1, 198, 51, 100, 99, 0x0c, 0x38] + Self.connect + Traffic.clientHello("api.example.net"))
    let bothRecord = try both.record()
    #expect(bothRecord.proxy == Self.proxy(.httpConnect))
  }

  @Test func `who is asked to log in asks again, and is understood`() throws {
    var run = MeterRun()
    run.handshake()
    let first = Array("CONNECT api.example.net:443 HTTP/1.1\r\n\r\n".utf8)
    run.say(first)
    run.say(Self.connect, at: first.count)
    run.say(Traffic.clientHello("api.example.net"), at: first.count + Self.connect.count)
    let record = try run.record()
    #expect(record.names.map(\.source) == [.tlsSNI, .httpConnect] && record.application == .tls)
  }

  @Test func `a proxy that refuses is a proxy all the same`() throws {
    var run = MeterRun()
    run.handshake()
    run.say(Self.connect)
    let held = run.meter.counters
    let record = try run.record()
    #expect(held.reassemblyBytes == 256 && record.proxy == Self.proxy(.httpConnect) && record.application == .http)
  }

  @Test func `eight tunnels in one another are followed, and not one more`() throws {
    for (count, isFound) in [(8, true), (9, false)] {
      var run = MeterRun()
      run.handshake()
      run.say((0..<count).flatMap { _ in Self.connect } + Traffic.clientHello("api.example.net"))
      let record = try run.record()
      #expect((record.tls != nil) == isFound)
    }
  }

  @Test func `a request in absolute form names what lies behind the proxy`() throws {
    var run = MeterRun()
    run.resolve("proxy.example.com")
    run.handshake()
    run.say(Array("GET http://api.example.net:443/ HTTP/1.1\r\nHost: api.example.net:443\r\n\r\n".utf8))
    let record = try run.record()
    #expect(record.proxy == Self.proxy(.httpAbsolute) && record.name?.name.text == "proxy.example.com")
    #expect(record.names.map(\.source) == [.dns, .httpHost])
  }

  @Test(arguments: ["PROXY TCP4 192.0.2.1 198.51.100.7 50000 443\r\n", "PROXY UNKNOWN\r\n"])
  func `behind a PROXY header the hello names the destination`(header: String) throws {
    for cut in 1..<header.utf8.count {
      var run = MeterRun()
      run.handshake()
      let stream = Array(header.utf8) + Traffic.clientHello("shop.example.com")
      run.say(Array(stream[..<cut]))
      run.say(Array(stream[cut...]), at: cut)
      let record = try run.record()
      #expect(record.name?.name.text == "shop.example.com" && record.judged.names.count == 1)
      #expect(record.proxy?.target.text == (header.contains("TCP4") ? "198.51.100.7" : nil))
    }
  }

  @Test func `midway, a tunnel is found at the start of a segment`() throws {
    var run = MeterRun()
    let client = MeterRun.client
    run.feed(Traffic.tcp(client, MeterRun.server, .ack, sequence: 500, Self.connect))
    run.feed(Traffic.tcp(MeterRun.server, client, .ack, sequence: 1, Array("HTTP/1.1 200 OK\r\n\r\n".utf8)))
    run.feed(Traffic.tcp(client, MeterRun.server, .ack, sequence: 500 + UInt32(Self.connect.count), Traffic.clientHello("api.example.net")))
    let record = try run.record()
    #expect(record.proxy == Self.proxy(.httpConnect) && record.tls?.sni == Self.target)
  }

  @Test func `a literal in a hello is a hint when it is the destination's own address, and nothing else`() throws {
    for (literal, count) in [("203.0.113.10", 1), ("203.0.113.11", 0), ("2001:db8::1", 0)] {
      var run = MeterRun()
      run.handshake()
      run.say(Traffic.clientHello(literal))
      let names = try run.record().names
      #expect(names.count == count && names.allSatisfy { $0.confidence == .hint })
    }
  }
}
