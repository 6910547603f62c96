internal import Glibc

/// The control groups of this host: from the number that the kernel gives a socket to a path.
///
/// The number is the inode of the group's directory in the cgroup2 file system. Kept between calls, and walked again when a number is
/// not known; groups that are gone stay known for the flows that outlive them, until the bound is reached.
public final class CgroupTree {
  /// Where the cgroup2 file system is mounted.
  public let mountPoint: String
  private var paths: [UInt64: String] = [:]
  /// Numbers that the last walk did not find; they do not cause another one.
  private var unknown: Set<UInt64> = []

  /// The most groups remembered, and walked in one pass. A host has hundreds, a large node some thousands.
  static let capacity = 65_536
  static let maximumDepth = 64

  /// Takes the first cgroup2 mount of `/proc/self/mountinfo`, which is `/sys/fs/cgroup` or, beside version 1, `/sys/fs/cgroup/unified`.
  public convenience init() throws(HostError) {
    guard let mountPoint = Self.mountPoint(inMountInfo: try TextFile.read("/proc/self/mountinfo")) else { throw .noControlGroups }
    self.init(mountPoint: mountPoint)
  }

  public init(mountPoint: String) {
    self.mountPoint = mountPoint
  }

  /// The path below the mount point (`/system.slice/nginx.service`; `/` is the root); nil when there is no such group.
  public func path(of group: UInt64) -> String? {
    if let path = paths[group] { return path }
    guard !unknown.contains(group) else { return nil }
    refresh()
    if paths[group] == nil {
      if unknown.count >= Self.capacity { unknown = [] }
      unknown.insert(group)
    }
    return paths[group]
  }

  /// The processes in the group itself, not in those below it.
  func processes(in path: String) -> [Int32] {
    guard let list = try? TextFile.read(mountPoint + path + "/cgroup.procs", limit: 16 << 20) else { return [] }
    return list.split(separator: "\n").compactMap { Int32($0) }
  }

  /// Walks the tree once more.
  public func refresh() {
    var found: [UInt64: String] = [:]
    var status = stat()
    if unsafe stat(mountPoint, &status) == 0 { found[UInt64(status.st_ino)] = "/" }
    var pending: [(path: String, depth: Int)] = [("", 0)]
    while let (parent, depth) = pending.popLast(), found.count < Self.capacity {
      for entry in TextFile.entries(of: mountPoint + parent, directoriesOnly: true) {
        let path = "\(parent)/\(entry.name)"
        found[entry.inode] = path
        if depth < Self.maximumDepth { pending.append((path, depth + 1)) }
      }
    }
    unknown = []
    paths = paths.count + found.count > Self.capacity ? found : paths.merging(found) { _, new in new }
  }

  /// Field 5 of the line whose file system is cgroup2 (proc_pid_mountinfo(5)).
  static func mountPoint(inMountInfo text: String) -> String? {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let separator = fields.firstIndex(of: "-"), separator >= 6, separator + 1 < fields.count, fields[separator + 1] == "cgroup2"
      else { continue }
      return unescaped(fields[4])
    }
    return nil
  }

  /// Blank, tab, newline and backslash are written as three octal digits.
  private static func unescaped(_ field: Substring) -> String {
    var octets: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let octet = rest.popFirst() {
      let digits = rest.prefix(3)
      if octet == UInt8(ascii: "\\"), digits.count == 3, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
        octets.append(value)
        rest = rest.dropFirst(3)
      } else {
        octets.append(octet)
      }
    }
    return String(decoding: octets, as: UTF8.self)
  }
}
