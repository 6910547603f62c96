import EgressModel
import Foundation
import Glibc
import TestNetworks
import Testing

@testable import Host

@Suite struct ReverseResolverTests {
  static func now() -> Timestamp {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int64(now.tv_nsec))
  }
  static let start = Timestamp(seconds: 1_700_000_000)
  static let a = IPAddress("192.0.2.1")!

  @Test func `nameservers are those of the file, three at most`() {
    let text = "# comment\nsearch example.com\nnameserver 10.0.0.1\nnameserver\tfd00::53\n nameserver 10.0.0.2 # x\nnameserver fe80::1%eth0\nnameserver 10.0.0.3\n"
    #expect(ResolverConfiguration(resolvConf: text).nameservers.map(\.ip.description) == ["10.0.0.1", "fd00::53", "10.0.0.2"])
    #expect(ResolverConfiguration(resolvConf: "").nameservers == [])
    #expect(throws: HostError.noNameserver(path: "/dev/null")) { try ResolverConfiguration.current(path: "/dev/null") }
  }

  static let dnsmasq = ["/usr/sbin/dnsmasq", "/usr/bin/dnsmasq"].first { (path: String) in unsafe access(path, X_OK) == 0 }

  @Test(.enabled(if: dnsmasq != nil, "needs dnsmasq"), .timeLimit(.minutes(1)), arguments: ["127.0.0.1", "::1"])
  func `a real server's names, and their absence, are learned and remembered`(listen: String) throws {
    // A port that is free now; dnsmasq takes it at once.
    let probe = try TestSocket(.udp, v6: listen == "::1")
    try probe.bind(listen, 0)
    let port = probe.localPort
    let server = Process()
    server.executableURL = URL(filePath: Self.dnsmasq!)
    server.arguments = [
      "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--listen-address=\(listen)",
      "--except-interface=none", "--port=\(port)", "--pid-file=", "--user=root", "--local=/#/",
      "--ptr-record=1.2.0.192.in-addr.arpa,one.example.com", "--ptr-record=1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa,six.example.com",
    ]
    server.standardError = FileHandle.nullDevice
    withExtendedLifetime(probe) {}
    try server.run()
    defer {
      // Test threads block SIGTERM, and what they start inherits that.
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    let addresses = [Self.a, IPAddress("2001:db8::1")!, IPAddress("192.0.2.99")!]
    var found: [IPAddress: ReverseName] = [:]
    // It may not listen yet: then the first attempts are refused.
    for _ in 0..<100 where found.count < 3 || found.values.contains(.unanswered) {
      let resolver = try ReverseResolver(
        nameservers: [SocketAddress(ip: IPAddress(listen)!, port: port)], limits: ReverseLookupLimits(perSecond: 1000))
      for address in addresses { resolver.ask(address, at: Self.now()) }
      let ports = resolver.localPorts
      #expect(ports.count == 4)
      let end = ContinuousClock.now + .seconds(5)
      while !resolver.isIdle, ContinuousClock.now < end {
        for answer in resolver.step(at: Self.now(), waiting: 50) { found[answer.address] = answer.name }
      }
      #expect(resolver.isIdle)
      #expect(resolver.localPorts.isSuperset(of: ports))
      if !found.values.contains(.unanswered) {
        #expect(resolver.name(of: Self.a, at: Self.now()) == found[Self.a])
        #expect(resolver.counters.named == 2)
        #expect((3...6).contains(resolver.counters.sent))
      } else {
        usleep(50_000)
      }
    }
    #expect(found[addresses[0]] == .named([DomainName(presentation: "one.example.com")]))
    #expect(found[addresses[1]] == .named([DomainName(presentation: "six.example.com")]))
    #expect(found[addresses[2]] == .unnamed)
  }

  @Test func `a silent server is asked twice, each time from another port, and then given up`() throws {
    let server = try TestSocket(.udp)
    try server.bind("127.0.0.1", 0)
    let resolver = try ReverseResolver(nameservers: [SocketAddress(ip: IPAddress("127.0.0.1")!, port: server.localPort)])
    resolver.ask(Self.a, at: Self.start)
    #expect(resolver.step(at: Self.start) == [])
    #expect(resolver.counters.sent == 1)
    #expect(resolver.step(at: Self.start.adding(nanoseconds: 1_999_999_999)) == [])
    #expect(resolver.counters.sent == 1)
    #expect(resolver.step(at: Self.start.adding(nanoseconds: 2_000_000_000)) == [])
    #expect(resolver.counters.sent == 2)
    let answers = resolver.step(at: Self.start.adding(nanoseconds: 4_000_000_000))
    #expect(answers == [ReverseResolver.Answer(address: Self.a, name: .unanswered)])
    #expect(resolver.isIdle)
    #expect(resolver.counters.unanswered == 1)
    #expect(resolver.localPorts.count == 6)
    withExtendedLifetime(server) {}
  }

  @Test func `a closed port is noticed without waiting for the deadline`() throws {
    // Made and closed in one expression, so nobody listens on this port.
    let port = try {
      let probe = try TestSocket(.udp)
      try probe.bind("127.0.0.1", 0)
      return probe.localPort
    }()
    let limits = ReverseLookupLimits(attempts: 1)
    let resolver = try ReverseResolver(nameservers: [SocketAddress(ip: IPAddress("127.0.0.1")!, port: port)], limits: limits)
    resolver.ask(Self.a, at: Self.start)
    var answers: [ReverseResolver.Answer] = []
    for _ in 0..<20 where answers.isEmpty { answers = resolver.step(at: Self.start, waiting: 100) }
    #expect(answers == [ReverseResolver.Answer(address: Self.a, name: .unanswered)])
  }

  /// An answer with one PTR record `a.example`, TTL 60; what is told makes it wrong.
  static func message(id: UInt16 = 7, flags: UInt16 = 0x8180, type: UInt8 = 12, octet: UInt8 = 0x31) -> [UInt8] {
    let name: [UInt8] = [1, octet, 1, 0x32, 1, 0x30, 3, 0x31, 0x39, 0x32, 7] + Array("in-addr".utf8) + [4] + Array("arpa".utf8) + [0]
    return [UInt8(id >> 8), UInt8(id & 255), UInt8(flags >> 8), UInt8(flags & 255), 0, 1, 0, 1, 0, 0, 0, 0] + name + [0, type, 0, 1]
      + [0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 60, 0, 11, 1, 0x61, 7] + Array("example".utf8) + [0]
  }

  @Test func `only an answer to exactly this question is believed`() {
    func answer(_ message: [UInt8]) -> ReverseName? { ReverseResolver.answer(in: message.span, id: 7, address: Self.a)?.0 }
    #expect(answer(Self.message()) == .named([DomainName(presentation: "a.example")]))
    #expect(answer(Self.message(id: 8)) == nil)
    #expect(answer(Self.message(flags: 0x0100)) == nil)
    #expect(answer(Self.message(type: 1)) == nil)
    #expect(answer(Self.message(octet: 0x33)) == nil)
    #expect(answer(Self.message(flags: 0x8183)) == .unnamed)
    #expect(answer(Self.message(flags: 0x8182)) == .unanswered)
    let whole = Self.message()
    for count in 0..<whole.count {
      let prefix = answer(Array(whole[..<count]))
      #expect(prefix == nil || prefix == .unnamed, "\(count)")
    }
  }

  @Test func `no more than the rate, the pool and the queue allow`() {
    var lookups = ReverseLookups(limits: ReverseLookupLimits(inFlight: 2, perSecond: 3, queueCapacity: 5))
    let addresses = (0..<7).map { IPAddress(v4: 0xc000_0200 + UInt32($0)) }
    func next(at now: Timestamp) -> IPAddress? { lookups.next(at: now)?.address }
    let queued = addresses.map { lookups.ask($0, at: Self.start) }
    #expect(queued == [true, true, true, true, true, false, false])
    let again = lookups.ask(addresses[0], at: Self.start)
    #expect(again)
    #expect(lookups.counters.refused == 2)
    #expect(next(at: Self.start) == addresses[0])
    #expect(next(at: Self.start) == addresses[1])
    #expect(next(at: Self.start) == nil)
    lookups.answered(addresses[0], .unnamed, timeToLive: 0, at: Self.start)
    #expect(next(at: Self.start) == addresses[2])
    lookups.answered(addresses[1], .unnamed, timeToLive: 0, at: Self.start)
    #expect(next(at: Self.start) == nil)
    let later = Self.start.adding(nanoseconds: 1_000_000_000)
    #expect(next(at: later) == addresses[3])
    #expect(lookups.counters.sent == 4)
  }

  @Test func `answers are kept for their time and the cache has a bound`() {
    var lookups = ReverseLookups(limits: ReverseLookupLimits(cacheCapacity: 3, timeToLive: 100...1000, negativeTimeToLive: 50))
    func after(_ seconds: Int64) -> Timestamp { Self.start.adding(nanoseconds: seconds * 1_000_000_000) }
    let addresses = (0..<4).map { IPAddress(v4: 0xc000_0200 + UInt32($0)) }
    let name = ReverseName.named([DomainName(presentation: "a.example")])
    lookups.answered(addresses[0], name, timeToLive: 1, at: Self.start)
    lookups.answered(addresses[1], name, timeToLive: 5000, at: Self.start)
    lookups.answered(addresses[2], .unnamed, timeToLive: 0, at: Self.start)
    #expect(lookups.known(addresses[0], at: after(99)) == name)
    #expect(lookups.known(addresses[0], at: after(100)) == nil)
    #expect(lookups.known(addresses[1], at: after(999)) == name)
    #expect(lookups.known(addresses[1], at: after(1000)) == nil)
    #expect(lookups.known(addresses[2], at: after(49)) == .unnamed)
    #expect(lookups.known(addresses[2], at: after(50)) == nil)
    // Full: what expires first goes.
    lookups.answered(addresses[3], name, timeToLive: 500, at: after(1))
    #expect(addresses.map { lookups.known($0, at: after(1)) } == [name, name, nil, name])
  }
}
