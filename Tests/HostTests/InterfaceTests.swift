import EgressModel
import TestNetworks
import Testing

@testable import Host

@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs root and iproute2 to make network namespaces"))
struct InterfaceTests {
  /// Changes until `enough`, for ten seconds at most.
  static func changes(_ monitor: LinkMonitor, until enough: ([LinkChange]) -> Bool) throws -> [LinkChange] {
    var seen: [LinkChange] = []
    let end = ContinuousClock.now + .seconds(10)
    while !enough(seen), ContinuousClock.now < end { seen += try monitor.changes(waiting: 50) ?? [] }
    return seen
  }

  @Test func `a link that comes, rises, falls and goes is told each time`() throws {
    let space = try NetworkNamespace()
    try space.perform {
      let monitor = try LinkMonitor()
      #expect(monitor.links.keys.sorted() == ["lo"])
      #expect(monitor.links["lo"]?.isLoopback == true)
      #expect(try monitor.changes() == nil)
      try space.run("/usr/sbin/ip", "link", "add", "va", "type", "veth", "peer", "name", "vb")
      var seen = try Self.changes(monitor) { $0.count >= 2 }
      let a = try #require(monitor.links["va"])
      #expect(!a.isUp)
      #expect(seen.contains(.appeared(a)))
      try space.run("/usr/sbin/ip", "link", "set", "va", "up")
      try space.run("/usr/sbin/ip", "link", "set", "vb", "up")
      seen = try Self.changes(monitor) { _ in monitor.links["va"]?.isRunning == true }
      #expect(!seen.isEmpty)
      #expect(monitor.links["va"]?.isUp == true)
      try space.run("/usr/sbin/ip", "link", "set", "va", "down")
      _ = try Self.changes(monitor) { _ in monitor.links["va"]?.isUp == false }
      #expect(monitor.links["va"]?.isUp == false)
      while try monitor.changes(waiting: 200) != nil {}
      try space.run("/usr/sbin/ip", "addr", "add", "10.99.0.1/24", "dev", "va")
      #expect(try monitor.changes(waiting: 5_000) == [])
      try space.run("/usr/sbin/ip", "link", "del", "va")
      seen = try Self.changes(monitor) { _ in monitor.links["va"] == nil && monitor.links["vb"] == nil }
      #expect(seen.contains { if case .disappeared(let link) = $0 { link.name == "va" } else { false } })
      #expect(monitor.links.keys.sorted() == ["lo"])
    }
  }

  @Test func `an interface replaced under its name is another one`() {
    let old = Link(index: 3, name: "eth0", isUp: true, isRunning: true, isLoopback: false)
    var new = old
    new.index = 4
    #expect(LinkMonitor.changes(from: ["eth0": old], to: ["eth0": new]) == [.disappeared(old), .appeared(new)])
    #expect(LinkMonitor.changes(from: ["eth0": old], to: ["eth0": old]) == [])
  }

  @Test func `local addresses come with their interface and subnet`() throws {
    let here = try NetworkNamespace()
    let there = try NetworkNamespace()
    try here.connect("veth-a", "10.99.0.1/24", to: there, "veth-b", "10.99.0.2/24")
    try here.run("/usr/sbin/ip", "addr", "add", "fd00:99::1/64", "dev", "veth-a", "nodad")
    let addresses = try here.perform { try LocalAddress.all() }.filter { $0.interface == "veth-a" }
    #expect(
      addresses == [
        LocalAddress(interface: "veth-a", address: IPAddress("10.99.0.1")!, prefix: IPPrefix("10.99.0.0/24")!),
        LocalAddress(interface: "veth-a", address: IPAddress("fd00:99::1")!, prefix: IPPrefix("fd00:99::/64")!),
      ].sorted { $0.address < $1.address })
  }

  @Test func `routes lead to a block over an interface, by a router or not`() throws {
    let here = try NetworkNamespace()
    let there = try NetworkNamespace()
    try here.connect("cali1", "10.99.0.1/24", to: there, "eth0", "10.99.0.2/24")
    for arguments in [["-4", "10.244.1.11/32", "dev", "cali1"], ["-4", "default", "via", "10.99.0.2"], ["-4", "10.244.2.0/24", "via", "10.99.0.2"]] {
      try here.run("/usr/sbin/ip", arguments[0], "route", "add", arguments[1], arguments[2], arguments[3])
    }
    try here.run("/usr/sbin/ip", "-6", "route", "add", "fd00:1::5/128", "dev", "cali1")
    let routes = try here.perform { Route.all() }
    func route(_ destination: String, _ hasGateway: Bool) -> Bool {
      routes.contains(Route(interface: "cali1", destination: IPPrefix(destination)!, hasGateway: hasGateway))
    }
    #expect(route("10.99.0.0/24", false) && route("10.244.1.11/32", false) && route("10.244.2.0/24", true) && route("fd00:1::5/128", false), "\(routes)")
    #expect(routes.filter(\.isDefault) == [Route(interface: "cali1", destination: IPPrefix("0.0.0.0/0")!, hasGateway: true)])
    #expect(Route(v4: "Iface\tDestination\tGateway") == nil && Route(v6: "00 00") == nil)
  }
}
