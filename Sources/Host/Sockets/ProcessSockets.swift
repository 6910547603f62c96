internal import Glibc

/// Which processes hold which sockets, from `/proc/PID/fd`; needs CAP_SYS_PTRACE (or root) for other users' processes.
enum ProcessSockets {
  /// The processes that hold each of the sockets asked for.
  ///
  /// Reads the descriptors of every process given, of all processes when none are.
  static func holders(of inodes: Set<UInt64>, among processes: [Int32]? = nil) -> [UInt64: [Int32]] {
    guard !inodes.isEmpty else { return [:] }
    var holders: [UInt64: [Int32]] = [:]
    for process in processes ?? TextFile.entries(of: "/proc").compactMap({ Int32($0.name) }) {
      for descriptor in TextFile.entries(of: "/proc/\(process)/fd") {
        guard let target = TextFile.target(of: "/proc/\(process)/fd/\(descriptor.name)"), target.hasPrefix("socket:["), target.hasSuffix("]"),
          let inode = UInt64(target.dropFirst(8).dropLast()), inodes.contains(inode), holders[inode]?.last != process
        else { continue }
        holders[inode, default: []].append(process)
      }
    }
    return holders
  }

  /// The command's name, as the kernel keeps it: 15 octets at most. Nil when the process is gone.
  static func command(of process: Int32) -> String? {
    guard let name = try? TextFile.read("/proc/\(process)/comm", limit: 256) else { return nil }
    return String(name.prefix { $0 != "\n" })
  }

  /// The path of the process's control group, from `/proc/PID/cgroup`.
  static func cgroupPath(of process: Int32) -> String? {
    (try? TextFile.read("/proc/\(process)/cgroup", limit: 64 << 10)).flatMap(cgroupPath(inProcessFile:))
  }

  /// Takes the path of version 2, or of systemd's own hierarchy where version 2 says nothing, or without a systemd that of any controller
  /// of version 1 (cgroups(7)).
  static func cgroupPath(inProcessFile text: String) -> String? {
    var unified: String?
    var systemd: String?
    var controller: String?
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[1].isEmpty { unified = String(fields[2]) }
      if fields[1] == "name=systemd" { systemd = String(fields[2]) }
      if controller == nil, fields[2] != "/" { controller = String(fields[2]) }
    }
    for path in [unified, systemd] { if let path, path != "/" { return path } }
    return controller ?? systemd ?? unified
  }
}
