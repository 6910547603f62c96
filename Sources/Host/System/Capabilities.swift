internal import Glibc

/// The capabilities of a thread, by their names without `CAP_` in lower case ([capabilities(7)](https://man7.org/linux/man-pages/man7/capabilities.7.html)).
public struct Capabilities: Equatable, Sendable {
  public let effective: Set<String>
  /// What may be made effective.
  public let permitted: Set<String>

  /// Those of the calling thread, from `/proc/thread-self/status`; the process's own file tells of the main thread, which may have ended.
  public static func current() throws(HostError) -> Capabilities { try read("/proc/thread-self/status") }

  /// Those of another process's main thread.
  public static func of(_ pid: Int32) throws(HostError) -> Capabilities { try read("/proc/\(pid)/status") }

  /// Whose files are one's own.
  public static var effectiveUser: UInt32 { geteuid() }

  private static func read(_ path: String) throws(HostError) -> Capabilities {
    guard let capabilities = Capabilities(processStatus: try TextFile.read(path)) else {
      throw .unreadable(path: path, cause: "no lines CapEff and CapPrm")
    }
    return capabilities
  }

  /// Takes the lines `CapEff:` and `CapPrm:` with masks in hexadecimal; a bit without a name here is `capability_N`.
  init?(processStatus text: String) {
    func set(_ key: String) -> Set<String>? {
      guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key) }),
        let mask = UInt64(line.dropFirst(key.utf8.count).drop { $0 == "\t" || $0 == " " }, radix: 16)
      else { return nil }
      return Set((0..<64).filter { mask >> UInt64($0) & 1 == 1 }.map { Self.names.indices.contains($0) ? Self.names[$0] : "capability_\($0)" })
    }
    guard let effective = set("CapEff:"), let permitted = set("CapPrm:") else { return nil }
    (self.effective, self.permitted) = (effective, permitted)
  }

  public func has(_ name: String) -> Bool { effective.contains(name) }

  /// By bit, from linux/capability.h.
  static let names = [
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
    "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
    "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
    "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
    "perfmon", "bpf", "checkpoint_restore",
  ]
}
