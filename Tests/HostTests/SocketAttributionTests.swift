import EgressModel
import Foundation
import Glibc
import TestNetworks
import Testing

@testable import Host

/// Control groups of the test's own, in the real cgroup2 file system.
struct TestCgroups {
  let root: String

  static let mountPoint = (try? TextFile.read("/proc/self/mountinfo")).flatMap(CgroupTree.mountPoint)
  static let isAvailable = geteuid() == 0 && mountPoint.map { unsafe access($0, W_OK) == 0 } == true

  init() { root = Self.mountPoint! + "/eo-test-\(getpid())" }

  func make(_ path: String) {
    try? FileManager.default.createDirectory(atPath: root + path, withIntermediateDirectories: true)
  }

  /// Moves this whole process.
  func enter(_ path: String) { move(into: root + path) }

  private func move(into directory: String) {
    let descriptor = unsafe open(directory + "/cgroup.procs", O_WRONLY)
    let text = Array(String(getpid()).utf8)
    precondition(unsafe text.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) } == text.count)
    close(descriptor)
  }

  /// Leaves and removes them, the innermost first.
  func remove() {
    move(into: Self.mountPoint!)
    func remove(_ path: String) {
      for entry in TextFile.entries(of: path, directoriesOnly: true) { remove(path + "/" + entry.name) }
      unsafe rmdir(path)
    }
    remove(root)
  }
}

@Suite(.enabled(if: TestCgroups.isAvailable, "needs root and a cgroup2 file system to make control groups")) struct SocketAttributionTests {
  // In processes of their own, because it is the whole process that moves between control groups.
  @Test func `a socket belongs to the unit it was made in, over TCP and UDP, and one call answers all`() async {
    await #expect(processExitsWith: .success) {
      let groups = TestCgroups()
      defer { groups.remove() }
      let slice = "/kubepods.slice/kubepods-pod8a6c2f6e_5f0e_4a58_9c3b_0d4f3a1b2c3d.slice"
      for path in ["/system.slice/nginx.service", "/system.slice/db.service", slice] { groups.make(path) }

      groups.enter("/system.slice/db.service")
      let listener = try TestSocket(.tcp)
      try listener.bind("127.0.0.1", 0)
      try listener.listen()
      groups.enter("/system.slice/nginx.service")
      let client = try TestSocket(.tcp)
      try client.connect("127.0.0.1", listener.localPort)
      let server = try listener.accept()
      groups.enter(slice)
      let datagrams = try TestSocket(.udp, v6: true)
      try datagrams.bind("::", 0)

      let attributions = SocketAttribution().attribute([
        SocketTests.pair(.tcp, client.localPort, listener.localPort), SocketTests.pair(.tcp, listener.localPort, client.localPort),
        SocketTests.pair(.udp, datagrams.localPort, 53, SocketTests.v6), SocketTests.pair(.udp, datagrams.localPort, 53),
        SocketTests.pair(.tcp, 1, 2), SocketTests.pair(.udp, 1, 2),
      ])
      let pod = CgroupOwner.pod(uid: "8a6c2f6e-5f0e-4a58-9c3b-0d4f3a1b2c3d", container: nil)
      #expect(
        attributions == [
          .owned(SocketOwner(owner: .unit(name: "nginx.service", user: nil))), .owned(SocketOwner(owner: .unit(name: "db.service", user: nil))),
          .owned(SocketOwner(owner: pod)), .owned(SocketOwner(owner: pod)), nil, nil,
        ])
      withExtendedLifetime((client, server, listener, datagrams)) {}
    }
  }

  @Test func `sockets of two units on one port are ambiguous, and of one unit are not`() async {
    await #expect(processExitsWith: .success) {
      let groups = TestCgroups()
      defer { groups.remove() }
      for path in ["/system.slice/a.service", "/system.slice/b.service"] { groups.make(path) }
      groups.enter("/system.slice/a.service")
      let first = try TestSocket(.udp, reusePort: true)
      try first.bind("127.0.0.1", 0)
      let port = first.localPort
      let second = try TestSocket(.udp, reusePort: true)
      try second.bind("127.0.0.1", port)
      let a = SocketOwner(owner: .unit(name: "a.service", user: nil))
      let b = SocketOwner(owner: .unit(name: "b.service", user: nil))
      let attribution = SocketAttribution()
      #expect(attribution.warnings == [])
      #expect(attribution.attribute([SocketTests.pair(.udp, port, 53)]) == [.owned(a)])

      groups.enter("/system.slice/b.service")
      let third = try TestSocket(.udp, reusePort: true)
      try third.bind("127.0.0.1", port)
      let result = attribution.attribute([SocketTests.pair(.udp, port, 53)])
      #expect(result == [.ambiguous([a, b])])
      let workload = result[0]!.workload()
      #expect(workload.kind == .ambiguous)
      #expect(workload.candidates.map(\.name) == ["a.service", "b.service"])
      withExtendedLifetime((first, second, third)) {}
    }
  }

  @Test func `a socket of the root group that no process holds any more has no owner, and one of a session has it`() {
    #expect(SocketAttribution.owners(path: "/", holders: []) == [])
    let session = CgroupOwner.session(id: "7", user: 1000)
    #expect(SocketAttribution.owners(path: "/user.slice/user-1000.slice/session-7.scope", holders: []) == [SocketOwner(owner: session)])
  }

  @Test func `a loose process is known by its command`() async {
    await #expect(processExitsWith: .success) {
      let groups = TestCgroups()
      defer { groups.remove() }
      groups.make("/user.slice/user-1000.slice/session-7.scope")
      groups.enter("/user.slice/user-1000.slice/session-7.scope")
      let socket = try TestSocket(.udp)
      try socket.connect("127.0.0.1", 9)
      let command = ProcessSockets.command(of: getpid())
      #expect(command != nil)
      let owner = SocketOwner(owner: .session(id: "7", user: 1000), command: command)
      #expect(SocketAttribution().attribute([SocketTests.pair(.udp, socket.localPort, 9)]) == [.owned(owner)])
      withExtendedLifetime(socket) {}
    }
  }
}
