import Foundation
import Glibc
import Testing

@testable import Host

@Suite struct SystemTests {
  /// A datagram socket as systemd has one; `@` is the abstract namespace.
  final class Receiver {
    let descriptor: Int32
    let path: String

    init(_ path: String) {
      self.path = path
      descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
      var address = UInt16(AF_UNIX).hostOctets + Array(path.utf8)
      if path.hasPrefix("@") { address[2] = 0 } else { address.append(0) }
      let bound = unsafe address.withUnsafeBytes {
        unsafe bind(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
      }
      precondition(bound == 0)
    }

    deinit {
      close(descriptor)
      if path.hasPrefix("/") { unsafe unlink(path) }
    }

    func receive() -> String? {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  @Test(arguments: ["/tmp/eo-notify-\(getpid())", "@eo-notify-\(getpid())"])
  func `systemd hears every state, on a path or an abstract name`(path: String) throws {
    let receiver = Receiver(path)
    let notifier = try #require(SystemdNotifier(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "\(getpid())"]))
    #expect(notifier.watchdogMicroseconds == 3_000_000)
    try notifier.notify(.ready, .status("watching 2 interfaces\nEVIL=1"))
    #expect(receiver.receive() == "READY=1\nSTATUS=watching 2 interfaces EVIL=1")
    try notifier.notify(.watchdog)
    #expect(receiver.receive() == "WATCHDOG=1")
    try notifier.notify(.stopping)
    #expect(receiver.receive() == "STOPPING=1")
    try notifier.notify(.reloading)
    let lines = try #require(receiver.receive()).split(separator: "\n")
    #expect(lines.first == "RELOADING=1")
    #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
    #expect(UInt64(lines.last?.dropFirst(15) ?? "").map { $0 > 0 } == true)
    #expect(receiver.receive() == nil)
  }

  @Test func `without a listener there is no notifier, and a dead one is an error`() {
    #expect(SystemdNotifier(environment: [:]) == nil)
    #expect(SystemdNotifier(environment: ["NOTIFY_SOCKET": "vsock:2:1234"]) == nil)
    #expect(SystemdNotifier(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]) == nil)
    let notifier = SystemdNotifier(environment: ["NOTIFY_SOCKET": "/nowhere/notify", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"])
    #expect(notifier?.watchdogMicroseconds == nil)
    #expect(throws: HostError.socket(what: "notify systemd at /nowhere/notify", cause: "No such file or directory")) {
      try notifier?.notify(.ready)
    }
  }

  @Test func `the effective capabilities have their names`() throws {
    let text = "Name:\tx\nCapPrm:\tffffffffffffffff\nCapEff:\t0000000000083006\nCapBnd:\t0000000000000000\n"
    #expect(Capabilities(processStatus: text)?.effective == ["dac_override", "dac_read_search", "net_admin", "net_raw", "sys_ptrace"])
    let rest = "CapPrm:\t0000000000002000\n"
    #expect(Capabilities(processStatus: rest + "CapEff:\t8000000000000000")?.effective == ["capability_63"])
    #expect(Capabilities(processStatus: rest + "CapEff:\t0000000000000000")?.effective == [])
    #expect(Capabilities(processStatus: rest + "CapEff:\t0000000000000000")?.permitted == ["net_raw"])
    #expect(Capabilities(processStatus: rest + "CapEff:\tzz") == nil)
    #expect(Capabilities(processStatus: "CapEff:\t0000000000000000") == nil)
    #expect(Capabilities(processStatus: "Name: x") == nil)
    #expect(try Capabilities.current().has("net_raw") == Capabilities.current().effective.contains("net_raw"))
  }

  @Test func `what is given up is gone for good, and for what is started later`() async {
    guard geteuid() == 0 else { return }
    await #expect(processExitsWith: .success) {
      let kept = try Privileges.keep(["net_raw", "sys_ptrace"])
      let now = try Capabilities.current()
      let status = try TextFile.read("/proc/thread-self/status")
      guard kept == ["net_raw", "sys_ptrace"], now.effective == kept, now.permitted == kept else { exit(2) }
      guard status.contains("CapBnd:\t0000000000082000"), status.contains("NoNewPrivs:\t1"), status.contains("CapInh:\t0000000000000000") else { exit(3) }
      // Again, and with a right that is not held: nothing comes back.
      guard try Privileges.keep(["net_raw", "net_admin"]) == ["net_raw"] else { exit(4) }
      exit(0)
    }
  }

  @Test func `what a process used stands behind its name, whatever that is`() throws {
    let stat = "7 (a) b ( c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 1000 123456 300 18446744073709551615 0 0"
    let usage = try #require(ProcessUsage(pid: 7, stat: stat, ticksPerSecond: 100, pageBytes: 4096, bootSeconds: 1_700_000_000))
    #expect(usage == ProcessUsage(pid: 7, cpuSeconds: 3, residentBytes: 300 * 4096, startSeconds: 1_700_000_010))
    #expect(ProcessUsage(pid: 7, stat: "7 (x) S 1", ticksPerSecond: 100, pageBytes: 4096, bootSeconds: 0) == nil)
    #expect(ProcessUsage.bootSeconds(inStat: "cpu 1 2\nbtime 1700000000\nprocesses 3\n") == 1_700_000_000)
    let own = try ProcessUsage.current()
    #expect(own.pid == getpid() && own.residentBytes > 1 << 20 && own.cpuSeconds > 0)
    #expect(abs(own.startSeconds - Date().timeIntervalSince1970) < 86_400)
  }

  @Test func `without the right the capability is absent`() async {
    guard geteuid() == 0 else { return }
    await #expect(processExitsWith: .success) {
      let before = try Capabilities.current()
      setgid(65534)
      setuid(65534)
      let after = try Capabilities.current()
      exit(!before.has("net_raw") ? 2 : after.has("net_raw") ? 3 : 0)
    }
  }
}
