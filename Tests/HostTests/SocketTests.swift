import EgressModel
import TestNetworks
import Testing

@testable import Host

@Suite struct SocketTests {
  static let v4 = IPAddress("127.0.0.1")!
  static let v6 = IPAddress("::1")!

  static func pair(_ transport: Transport, _ local: UInt16, _ remote: UInt16, _ address: IPAddress = v4) -> SocketPair {
    SocketPair(transport: transport, local: SocketAddress(ip: address, port: local), remote: SocketAddress(ip: address, port: remote))
  }

  @Test(arguments: [false, true])
  func `a connection is found by look-up and in the list, with inode and control group`(v6: Bool) throws {
    let address = v6 ? "::1" : "127.0.0.1"
    let listener = try TestSocket(.tcp, v6: v6)
    try listener.bind(address, 0)
    try listener.listen()
    let client = try TestSocket(.tcp, v6: v6)
    try client.connect(address, listener.localPort)
    let server = try listener.accept()
    let diagnostics = try SocketDiagnostics()
    let table = SocketTable(try diagnostics.dump(.tcp))
    let pair = Self.pair(.tcp, client.localPort, server.localPort, v6 ? Self.v6 : Self.v4)
    let entry = try #require(try diagnostics.lookup(pair))
    #expect(entry.state == .established)
    #expect(entry.local == pair.local && entry.remote == pair.remote)
    #expect(entry.inode != 0)
    #expect(entry.cgroup != nil)
    #expect(table.candidates(for: pair) == [entry])
    // A conversation with the listener that has no socket yet is the listener's.
    let other = Self.pair(.tcp, listener.localPort, 1, pair.local.ip)
    #expect(table.candidates(for: other).map(\.state) == [.listen])
    #expect(try diagnostics.lookup(Self.pair(.tcp, client.localPort, 1)) == nil)
    withExtendedLifetime((client, server, listener)) {}
  }

  @Test func `an IPv4 conversation of an IPv6 socket is found under its IPv4 addresses`() throws {
    let listener = try TestSocket(.tcp)
    try listener.bind("127.0.0.1", 0)
    try listener.listen()
    let client = try TestSocket(.tcp, v6: true)
    try client.connect("::ffff:127.0.0.1", listener.localPort)
    let pair = Self.pair(.tcp, client.localPort, listener.localPort)
    let diagnostics = try SocketDiagnostics()
    let entry = try #require(SocketTable(try diagnostics.dump(.tcp)).candidates(for: pair).first)
    #expect(entry.isV6)
    #expect(entry.state == .established)
    #expect(try diagnostics.lookup(pair)?.inode == entry.inode)
  }

  @Test func `a connected UDP socket is looked up the right way round`() throws {
    let server = try TestSocket(.udp)
    try server.bind("127.0.0.1", 0)
    let client = try TestSocket(.udp)
    try client.connect("127.0.0.1", server.localPort)
    let diagnostics = try SocketDiagnostics()
    let pair = Self.pair(.udp, client.localPort, server.localPort)
    let entry = try #require(try diagnostics.lookup(pair))
    #expect(entry.local == pair.local && entry.remote == pair.remote)
    #expect(SocketTable(try diagnostics.dump(.udp)).candidates(for: pair) == [entry])
    withExtendedLifetime(server) {}
  }

  @Test func `the text lists of the kernel name the same sockets`() throws {
    let v4 = try TestSocket(.udp)
    try v4.bind("127.0.0.1", 0)
    let v6 = try TestSocket(.udp, v6: true)
    try v6.bind("::1", 0)
    let text = ProcNet.entries(.udp)
    let listed = try SocketDiagnostics().dump(.udp)
    for (port, address) in [(v4.localPort, Self.v4), (v6.localPort, Self.v6)] {
      let local = SocketAddress(ip: address, port: port)
      let fromText = try #require(text.first { $0.local == local })
      var fromKernel = try #require(listed.first { $0.local == local })
      fromKernel.cgroup = nil
      fromKernel.isV6Only = false
      #expect(fromText == fromKernel)
    }
    #expect(ProcNet.parse("  sl  local_address\n garbage\n 1: 0100007F:0035 zz", .udp, isV6: false) == [])
  }

  @Test func `every prefix of the kernel's answer is read or refused, never a trap`() {
    var message = [UInt8](repeating: 0, count: 72)
    (message[0], message[1]) = (2, 1)
    message.replaceSubrange(4..<16, with: [0x01, 0xbb, 0xc8, 0x7c, 10, 0, 0, 1, 0, 0, 0, 0])
    message.replaceSubrange(24..<28, with: [203, 0, 113, 10])
    message.replaceSubrange(64..<72, with: UInt32(1000).hostOctets + UInt32(77).hostOctets)
    message += UInt16(5).hostOctets + UInt16(11).hostOctets + [1, 0, 0, 0]
    message += UInt16(12).hostOctets + UInt16(21).hostOctets + UInt64(4242).hostOctets
    for count in 0...message.count {
      let entry = SocketEntry(diagnosticMessage: message[..<count], transport: .tcp)
      #expect((entry != nil) == (count >= 72))
      #expect(entry?.cgroup == (count == message.count ? 4242 : nil))
    }
    let whole = SocketEntry(diagnosticMessage: message[...], transport: .tcp)
    #expect(
      whole
        == SocketEntry(
          transport: .tcp, local: SocketAddress(ip: IPAddress("10.0.0.1")!, port: 443),
          remote: SocketAddress(ip: IPAddress("203.0.113.10")!, port: 51324), state: .established, inode: 77, uid: 1000, cgroup: 4242,
          isV6Only: true))

    let datagram = NetlinkMessage.request(type: 20, flags: 2, sequence: 9, payload: message)
    for count in 0...datagram.count {
      let messages = NetlinkMessage.messages(in: datagram[..<count])
      #expect(messages.count == (count == datagram.count ? 1 : 0))
    }
    #expect(NetlinkMessage.messages(in: [UInt8](repeating: 0, count: 64)[...]) == [])
    #expect(NetlinkMessage.messages(in: [UInt8](repeating: 0xff, count: 64)[...]) == [])
  }

  static func entry(
    _ transport: Transport, _ local: String, _ port: UInt16, remote: String = "0.0.0.0", _ remotePort: UInt16 = 0, state: SocketEntry.State,
    inode: UInt64, isV6: Bool = false, isV6Only: Bool = false
  ) -> SocketEntry {
    SocketEntry(
      transport: transport, local: SocketAddress(ip: IPAddress(local)!, port: port),
      remote: SocketAddress(ip: IPAddress(remote)!, port: remotePort), state: state, inode: inode, uid: 0, isV6: isV6, isV6Only: isV6Only)
  }

  static let table = SocketTable([
    entry(.udp, "0.0.0.0", 5000, state: .closed, inode: 1),
    entry(.udp, "10.0.0.1", 5000, state: .closed, inode: 2),
    entry(.udp, "10.0.0.1", 5000, remote: "9.9.9.9", 53, state: .established, inode: 3),
    entry(.udp, "::", 5000, remote: "::", state: .closed, inode: 4, isV6: true),
    entry(.udp, "::", 5000, remote: "::", state: .closed, inode: 5, isV6: true, isV6Only: true),
    entry(.udp, "10.0.0.2", 5000, state: .closed, inode: 6),
    entry(.tcp, "0.0.0.0", 443, state: .listen, inode: 7),
    entry(.tcp, "10.0.0.1", 443, state: .listen, inode: 8),
    entry(.tcp, "10.0.0.1", 443, remote: "9.9.9.9", 40000, state: .established, inode: 9),
  ])

  @Test(arguments: [
    (Transport.udp, "10.0.0.1", UInt16(5000), "9.9.9.9", UInt16(53), [UInt64(3)]),
    (.udp, "10.0.0.1", 5000, "8.8.8.8", 53, [1, 2, 4]),
    (.udp, "10.0.0.3", 5000, "8.8.8.8", 53, [1, 4]),
    (.udp, "fd00::1", 5000, "fd00::2", 53, [4, 5]),
    (.udp, "10.0.0.1", 5001, "8.8.8.8", 53, []),
    (.tcp, "10.0.0.1", 443, "9.9.9.9", 40000, [9]),
    (.tcp, "10.0.0.1", 443, "9.9.9.9", 40001, [8]),
    (.tcp, "10.0.0.2", 443, "9.9.9.9", 40000, [7]),
    (.tcp, "10.0.0.1", 5000, "9.9.9.9", 53, []),
  ] as [(Transport, String, UInt16, String, UInt16, [UInt64])])
  func `every socket that may own a conversation is a candidate and no other`(
    transport: Transport, local: String, port: UInt16, remote: String, remotePort: UInt16, expected: [UInt64]
  ) {
    let pair = SocketPair(
      transport: transport, local: SocketAddress(ip: IPAddress(local)!, port: port),
      remote: SocketAddress(ip: IPAddress(remote)!, port: remotePort))
    #expect(Self.table.candidates(for: pair).map(\.inode).sorted() == expected)
  }
}
