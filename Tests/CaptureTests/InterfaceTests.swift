import Capture
import EgressModel
import Glibc
import TestNetworks
import Testing

@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs root and iproute2 to make network namespaces"), .timeLimit(.minutes(2)))
struct InterfaceTests {
  struct Seen: Equatable {
    var octets: [UInt8]
    var length: Int
    var time: Timestamp
    /// The UDP ports of an IPv4 frame without tag and options.
    func ports(at link: Int) -> (UInt16, UInt16)? {
      let start = link + 20
      guard octets.count >= start + 8, octets[link] == 0x45, octets[link + 9] == 17 else { return nil }
      return (UInt16(octets[start]) << 8 | UInt16(octets[start + 1]), UInt16(octets[start + 2]) << 8 | UInt16(octets[start + 3]))
    }
  }

  /// Two namespaces on one link: `veth-a` 10.99.0.1 here, `veth-b` 10.99.0.2 there.
  struct Pair: Sendable {
    let here: NetworkNamespace
    let there: NetworkNamespace
    init() throws {
      here = try NetworkNamespace()
      there = try NetworkNamespace()
      try here.connect("veth-a", "10.99.0.1/24", to: there, "veth-b", "10.99.0.2/24")
    }
  }

  /// Reads until `enough` says so, for ten seconds at most.
  static func collect(_ source: PacketSource, until enough: ([Seen]) -> Bool) throws -> [Seen] {
    var seen: [Seen] = []
    let end = ContinuousClock.now + .seconds(10)
    while !enough(seen), ContinuousClock.now < end {
      let outcome = try source.read(atMost: 64) { octets, time, length in
        seen.append(Seen(octets: octets.indices.map { octets[$0] }, length: length, time: time))
      }
      if outcome == .idle { source.wait(milliseconds: 50) }
    }
    return seen
  }

  @Test func `datagrams of two namespaces are captured whole, in order and counted`() throws {
    let pair = try Pair()
    try pair.here.perform {
      let source = try PacketSource(interface: "veth-a", configuration: CaptureConfiguration(filter: nil))
      #expect(source.linkType == .ethernet)
      #expect(source.isLive)
      let socket = try TestSocket(.udp)
      try socket.bind("10.99.0.1", 443)
      for count in 0..<100 { try socket.send([UInt8](repeating: UInt8(count), count: 1000 + count), to: "10.99.0.2", 50000) }
      let frames = try Self.collect(source) { $0.count { $0.ports(at: 14)?.1 == 50000 } == 100 }.filter { $0.ports(at: 14)?.1 == 50000 }
      #expect(frames.map(\.length) == (0..<100).map { 14 + 28 + 1000 + $0 })
      #expect(frames.allSatisfy { $0.octets.count == $0.length })
      #expect(frames.map(\.octets.last) == (0..<100).map { UInt8($0) })
      #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time <= $1.time })
      var now = timespec()
      unsafe clock_gettime(CLOCK_REALTIME, &now)
      let age = Timestamp(seconds: Int64(now.tv_sec), nanoseconds: Int64(now.tv_nsec)).since(frames[0].time)
      #expect((0..<20_000_000_000).contains(age))
      #expect(source.statistics.delivered >= 100)
      #expect(source.statistics.received >= 100)
      #expect(source.statistics.dropped == 0)
    }
  }

  @Test(arguments: ["veth-a", "any"])
  func `the kernel cuts what servers send and the length on the wire stays`(interface: String) throws {
    let pair = try Pair()
    try pair.here.perform {
      let source = try PacketSource(interface: interface)
      #expect(source.warnings == [])
      let link = interface == "any" ? 20 : 14
      #expect(source.linkType == (interface == "any" ? .linuxSLL2 : .ethernet))
      func send(from port: UInt16, to target: UInt16) throws {
        let socket = try TestSocket(.udp)
        try socket.bind("10.99.0.1", port)
        try socket.send([UInt8](repeating: 7, count: 1200), to: "10.99.0.2", target)
      }
      try send(from: 443, to: 50000)
      try send(from: 50000, to: 443)
      try send(from: 53, to: 50000)
      let frames = try Self.collect(source) { $0.count { $0.ports(at: link) != nil } == 3 }.filter { $0.ports(at: link) != nil }
      #expect(frames.map(\.length) == [link + 1228, link + 1228, link + 1228])
      // On a cooked socket the kernel counts from the network header.
      let cut = interface == "any" ? 192 + 20 : 192
      #expect(frames.map(\.octets.count) == [cut, link + 1228, link + 1228])
    }
  }

  @Test(arguments: [[0x81, 0x00, 0, 42], [0x88, 0xa8, 0, 42], [0x88, 0xa8, 0, 42, 0x81, 0x00, 0, 43]] as [[UInt8]])
  func `a VLAN tag that the kernel took off is back in the frame and the rest is cut all the same`(tags: [UInt8]) throws {
    let pair = try Pair()
    try pair.here.perform {
      let source = try PacketSource(interface: "veth-a")
      let packet = KernelFilterTests.ipv4(17, KernelFilterTests.ports(443, 50000, length: 1208))
      let frame = [UInt8](repeating: 0xff, count: 6) + [2, 0, 0, 0, 0, 2] + tags + [0x08, 0x00] + packet
      try pair.there.perform { try TestSocket.sendFrame(frame, on: "veth-b") }
      let link = 14 + tags.count
      let seen = try Self.collect(source) { $0.contains { $0.ports(at: link) != nil } }.first { $0.ports(at: link) != nil }
      let captured = try #require(seen)
      #expect(Array(captured.octets[12..<12 + tags.count]) == tags)
      #expect(captured.length == frame.count)
      // The kernel takes off one tag, which comes back after the cut.
      #expect(captured.octets == Array(frame[..<196]))
    }
  }

  @Test func `the port filter leaves only DNS`() throws {
    let space = try NetworkNamespace()
    try space.perform {
      let source = try PacketSource(interface: "lo", configuration: CaptureConfiguration(filter: .ports([53])))
      let socket = try TestSocket(.udp)
      try socket.bind("127.0.0.1", 40000)
      for port: UInt16 in [80, 53, 443] { try socket.send([1, 2, 3, 4], to: "127.0.0.1", port) }
      let frames = try Self.collect(source) { !$0.isEmpty }
      #expect(frames.allSatisfy { $0.ports(at: 14)?.1 == 53 })
      #expect(!frames.isEmpty)
    }
  }

  @Test func `a silent link is idle and never hangs`() throws {
    let pair = try Pair()
    try pair.here.perform {
      let source = try PacketSource(interface: "veth-a")
      let clock = ContinuousClock()
      let time = try clock.measure {
        for _ in 0..<5 {
          source.wait(milliseconds: 50)
          _ = try source.read(atMost: 64) { _, _, _ in }
        }
      }
      #expect(time < .seconds(5))
      #expect(try source.read(atMost: 64) { _, _, _ in } == .idle)
    }
  }

  @Test func `a ring too small drops frames and says how many`() throws {
    let pair = try Pair()
    try pair.here.perform {
      let source = try PacketSource(interface: "veth-a", configuration: CaptureConfiguration(snapLength: 2048, bufferSize: 64 << 10, filter: nil))
      let socket = try TestSocket(.udp)
      try socket.bind("10.99.0.1", 443)
      try socket.send([0], to: "10.99.0.2", 50000)
      for _ in 0..<5000 { try socket.send([UInt8](repeating: 7, count: 1200), to: "10.99.0.2", 50000) }
      let statistics = source.statistics
      #expect(statistics.droppedByKernel > 0)
      #expect(statistics.received >= 5000)
      let frames = try Self.collect(source) { _ in source.statistics.delivered + source.statistics.droppedByKernel >= source.statistics.received }
      #expect(UInt64(frames.count) == source.statistics.delivered)
      #expect(source.statistics.delivered + source.statistics.droppedByKernel == source.statistics.received)
    }
  }

  @Test func `an interface deleted while it is captured on is gone, and opening it again says what exists`() throws {
    let pair = try Pair()
    try pair.here.perform {
      let source = try PacketSource(interface: "veth-a")
      try pair.here.run("/usr/sbin/ip", "link", "del", "veth-a")
      #expect(throws: CaptureError.interfaceGone(name: "veth-a")) { try Self.collect(source) { _ in false } }
      #expect(throws: CaptureError.interfaceGone(name: "veth-a")) { try source.read(atMost: 1) { _, _, _ in } }
      #expect(throws: CaptureError.noSuchInterface(name: "veth-a", available: ["lo"])) { try PacketSource(interface: "veth-a") }
      #expect(CaptureError.noSuchInterface(name: "veth-a", available: ["lo"]).isAboutAbsentInterface)
    }
  }

  @Test func `an interface that is down cannot be opened, and one that goes down and up again is heard again or reported`() throws {
    let pair = try Pair()
    try pair.here.perform {
      try pair.here.run("/usr/sbin/ip", "link", "set", "veth-a", "down")
      #expect(throws: CaptureError.interfaceDown(name: "veth-a")) { try PacketSource(interface: "veth-a") }
      try pair.here.run("/usr/sbin/ip", "link", "set", "veth-a", "up")
      let source = try PacketSource(interface: "veth-a")
      try pair.here.run("/usr/sbin/ip", "link", "set", "veth-a", "down")
      do {
        for _ in 0..<10 {
          source.wait(milliseconds: 20)
          _ = try source.read(atMost: 64) { _, _, _ in }
        }
        try pair.here.run("/usr/sbin/ip", "link", "set", "veth-a", "up")
        let socket = try TestSocket(.udp)
        let frames = try Self.collect(source) { seen in
          try? socket.send([1, 2, 3, 4], to: "10.99.0.2", 50000)
          return seen.contains { $0.ports(at: 14)?.1 == 50000 }
        }
        #expect(frames.contains { $0.ports(at: 14)?.1 == 50000 })
      } catch let error as CaptureError {
        #expect(error == .interfaceDown(name: "veth-a"))
      }
    }
  }

  @Test func `interfaces are listed with their flags and addresses`() throws {
    let pair = try Pair()
    try pair.here.run("/usr/sbin/ip", "addr", "add", "fd00:99::1/64", "dev", "veth-a", "nodad")
    try pair.here.run("/usr/sbin/ip", "link", "add", "down-a", "type", "veth", "peer", "name", "down-b")
    let interfaces = try pair.here.perform { NetworkInterface.all() }
    #expect(interfaces.map(\.name) == ["down-a", "down-b", "lo", "veth-a"])
    #expect(interfaces.map(\.isUp) == [false, false, true, true])
    #expect(interfaces.map(\.isLoopback) == [false, false, true, false])
    #expect(interfaces[3].isRunning)
    #expect(Set(interfaces[3].addresses) == [IPAddress("10.99.0.1")!, IPAddress("fd00:99::1")!])
  }

  @Test func `without the right to capture, the error says how to grant it`() async {
    await #expect(processExitsWith: .success) {
      setgid(65534)
      setuid(65534)
      do throws(CaptureError) {
        _ = try PacketSource(interface: "lo")
        exit(2)
      } catch {
        exit(error == .permissionDenied(interface: "lo") && "\(error)".contains("setcap cap_net_raw+ep") ? 0 : 3)
      }
    }
  }

  @Test func `a file without read permission is refused with the system's reason`() async {
    await #expect(processExitsWith: .success) {
      setgid(65534)
      setuid(65534)
      do throws(CaptureError) {
        _ = try PacketSource(file: "/etc/shadow")
        exit(2)
      } catch {
        exit(error == .unreadableFile(path: "/etc/shadow", cause: "Permission denied") ? 0 : 3)
      }
    }
  }

  @Test func `standard input is a capture file named -`() async {
    await #expect(processExitsWith: .success) {
      let file = TemporaryFile(CaptureBytes.pcap([.init(fraction: 1, octets: [1, 2, 3])]))
      let descriptor = unsafe open(file.path, O_RDONLY)
      dup2(descriptor, STDIN_FILENO)
      var count = 0
      let source = try PacketSource(file: "-")
      while try source.read(atMost: 8, { _, _, _ in count += 1 }) != .endOfFile {}
      exit(count == 1 ? 0 : 2)
    }
  }
}
