import EgressModel
import Foundation
import TestNetworks
import Testing

@testable import Host

@Suite struct TrackedConnectionTests {
  private static func tuple(_ source: String, _ sourcePort: UInt16, _ destination: String, _ port: UInt16) -> TrackedConnection.Tuple {
    TrackedConnection.Tuple(
      transport: .tcp, source: SocketAddress(ip: IPAddress(source)!, port: sourcePort), destination: SocketAddress(ip: IPAddress(destination)!, port: port))
  }

  @Test(arguments: [
    (tuple("10.244.1.11", 40_000, "10.96.0.50", 80), tuple("10.244.1.12", 8080, "10.244.1.11", 40_000)),
    (tuple("2001:db8:244:1::11", 40_000, "2001:db8:cd::10", 443), tuple("2001:db8:cd::10", 443, "2001:db8:77::10", 61_000)),
  ])
  func `a message is read as it is written, and nothing of it may be missing`(original: TrackedConnection.Tuple, reply: TrackedConnection.Tuple) {
    let nested = TrackedConnection.Attribute.nested
    let message: [UInt8] =
      [2, 0, 0, 0] + NetlinkMessage.attribute(1 | nested, original.attribute) + NetlinkMessage.attribute(3, [0, 0, 1, 0x8e])
      + NetlinkMessage.attribute(2 | nested, reply.attribute)
    let connection = TrackedConnection(message: message[...])
    #expect(connection == TrackedConnection(original: original, reply: reply))
    #expect(connection?.translated.destination == reply.source)
    for length in 0..<message.count { #expect(TrackedConnection(message: message[..<length]) == nil) }
  }
}

/// A pod behind a node that translates, in namespaces of their own.
@Suite(
  .enabled(if: NetworkNamespace.isAvailable && FileManager.default.isExecutableFile(atPath: "/usr/sbin/nft"), "needs root, iproute2 and nft"))
struct ConnectionTrackingTests {
  private let pod: NetworkNamespace
  private let node: NetworkNamespace
  private let far: NetworkNamespace

  init() throws {
    (pod, node, far) = (try NetworkNamespace(), try NetworkNamespace(), try NetworkNamespace())
    try pod.connect("eth0", "10.244.1.11/24", to: node, "cali1", "10.244.1.1/24")
    try node.connect("eth0", "192.0.2.2/24", to: far, "eth0", "192.0.2.1/24")
    for (space, interface, address) in [
      (pod, "eth0", "2001:db8:244:1::11/64"), (node, "cali1", "2001:db8:244:1::1/64"), (node, "eth0", "2001:db8:2::2/64"), (far, "eth0", "2001:db8:2::1/64"),
    ] { try space.run("/usr/sbin/ip", "addr", "add", address, "dev", interface, "nodad") }
    try node.run("/usr/sbin/sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    for (family, gateway) in [("-4", "10.244.1.1"), ("-6", "2001:db8:244:1::1")] { try pod.run("/usr/sbin/ip", family, "route", "add", "default", "via", gateway) }
    try node.run(
      "/usr/sbin/nft",
      """
      table inet lab {
        chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.50 tcp dport 80 dnat ip to 192.0.2.1:8080; }
        chain post { type nat hook postrouting priority srcnat; oifname "eth0" ip saddr 10.244.0.0/16 masquerade random; oifname "eth0" ip6 saddr 2001:db8:244::/48 masquerade random; }
      }
      """)
  }

  @Test(arguments: [TestSocket.Kind.tcp, .udp], [false, true])
  func `both sides of a translated connection lead to it`(kind: TestSocket.Kind, isV6: Bool) throws {
    let (client, own, server) = isV6 ? ("2001:db8:244:1::11", "2001:db8:2::2", "2001:db8:2::1") : ("10.244.1.11", "192.0.2.2", "192.0.2.1")
    let listener = try far.perform {
      let socket = try TestSocket(kind, v6: isV6)
      try socket.bind(isV6 ? "::" : "0.0.0.0", 7000)
      if kind == .tcp { try socket.listen() }
      return socket
    }
    let port = try pod.perform {
      let socket = try TestSocket(kind, v6: isV6)
      try socket.connect(server, 7000)
      if kind == .udp { try socket.send([1], to: server, 7000) }
      return socket.localPort
    }
    let transport: Transport = kind == .tcp ? .tcp : .udp
    let sent = TrackedConnection.Tuple(
      transport: transport, source: SocketAddress(ip: IPAddress(client)!, port: port), destination: SocketAddress(ip: IPAddress(server)!, port: 7000))
    let connection = try #require(try node.perform { try ConnectionTracking().connection(with: sent) })
    #expect(connection.original == sent)
    #expect(connection.translated.source.ip == IPAddress(own) && connection.translated.destination == sent.destination)
    // From the uplink's view.
    let seen = connection.translated
    #expect(try node.perform { try ConnectionTracking().connection(with: seen.reversed) } == connection)
    #expect(try node.perform { try ConnectionTracking().connection(with: seen) } == nil)
    withExtendedLifetime(listener) {}
  }

  @Test func `a Service's address leads to what it became`() throws {
    let listener = try far.perform {
      let socket = try TestSocket(.tcp)
      try socket.bind("0.0.0.0", 8080)
      try socket.listen()
      return socket
    }
    let port = try pod.perform {
      let socket = try TestSocket(.tcp)
      try socket.connect("10.96.0.50", 80)
      return socket.localPort
    }
    let sent = TrackedConnection.Tuple(
      transport: .tcp, source: SocketAddress(ip: IPAddress("10.244.1.11")!, port: port), destination: SocketAddress(ip: IPAddress("10.96.0.50")!, port: 80))
    let connection = try #require(try node.perform { try ConnectionTracking().connection(with: sent) })
    #expect(connection.translated.destination == SocketAddress(ip: IPAddress("192.0.2.1")!, port: 8080))
    withExtendedLifetime(listener) {}
  }

  @Test func `without the right it says so at once`() async {
    await #expect(processExitsWith: .success) {
      setgid(65534)
      setuid(65534)
      do {
        _ = try ConnectionTracking()
        exit(2)
      } catch {
        exit("\(error)".contains("not permitted") ? 0 : 3)
      }
    }
  }
}
