internal import Glibc

/// What a process has used, from `/proc/PID` ([proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)).
public struct ProcessUsage: Equatable, Sendable {
  public var pid: Int32
  /// User and system time.
  public var cpuSeconds: Double
  public var residentBytes: UInt64
  /// Since 1970.
  public var startSeconds: Double

  /// This process.
  public static func current() throws(HostError) -> ProcessUsage { try of(getpid()) }

  public static func of(_ pid: Int32) throws(HostError) -> ProcessUsage {
    let path = "/proc/\(pid)/stat"
    let boot = (try? TextFile.read("/proc/stat", limit: 16 << 20)).flatMap(bootSeconds(inStat:)) ?? 0
    guard
      let usage = ProcessUsage(
        pid: pid, stat: try TextFile.read(path), ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))), pageBytes: UInt64(sysconf(Int32(_SC_PAGESIZE))),
        bootSeconds: boot)
    else { throw .unreadable(path: path, cause: "not of the known form") }
    return usage
  }

  /// Processes with this name (the kernel keeps 15 octets of it) that were started with this argument, by pid.
  public static func running(_ name: String, with argument: String) -> [Int32] {
    TextFile.entries(of: "/proc").compactMap { Int32($0.name) }.filter { pid in
      ProcessSockets.command(of: pid) == name && arguments(of: pid).contains(argument)
    }.sorted()
  }

  /// The value that a process was given for an option, as `--name value` or `--name=value`.
  public static func argument(_ name: String, of pid: Int32) -> String? {
    let arguments = arguments(of: pid)
    if let joined = arguments.first(where: { $0.hasPrefix(name + "=") }) { return String(joined.dropFirst(name.count + 1)) }
    return arguments.firstIndex(of: name).flatMap { arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil }
  }

  private static func arguments(of pid: Int32) -> [String] {
    (try? TextFile.read("/proc/\(pid)/cmdline", limit: 64 << 10)).map { $0.split(separator: "\0").dropFirst().map(String.init) } ?? []
  }

  /// Fields 14, 15, 22 and 24. The name in the second may hold blanks and parentheses, so fields are counted from the last parenthesis.
  init?(pid: Int32, stat text: String, ticksPerSecond: Double, pageBytes: UInt64, bootSeconds: Double) {
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
    guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]), let start = Double(fields[19]), let pages = UInt64(fields[21])
    else { return nil }
    self.init(
      pid: pid, cpuSeconds: (user + system) / ticksPerSecond, residentBytes: pages * pageBytes, startSeconds: bootSeconds + start / ticksPerSecond)
  }

  init(pid: Int32, cpuSeconds: Double, residentBytes: UInt64, startSeconds: Double) {
    self.pid = pid
    self.cpuSeconds = cpuSeconds
    self.residentBytes = residentBytes
    self.startSeconds = startSeconds
  }

  static func bootSeconds(inStat text: String) -> Double? {
    text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
  }
}
