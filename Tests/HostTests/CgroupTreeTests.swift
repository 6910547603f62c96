import Foundation
import Testing

@testable import Host

@Suite struct CgroupTreeTests {
  @Test(arguments: [
    (
      """
      31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
      40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
      """, "/sys/fs/cgroup/unified"
    ),
    ("35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate", "/sys/fs/cgroup"),
    ("35 24 0:30 / /mnt/a\\040b\\134c rw - cgroup2 none rw", "/mnt/a b\\c"),
    ("40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd", nil),
    ("35 24 0:30 / /x rw -", nil),
    ("", nil),
  ] as [(String, String?)])
  func `the mount point is the line of cgroup2`(text: String, expected: String?) {
    #expect(CgroupTree.mountPoint(inMountInfo: text) == expected)
  }

  @Test func `any tree of directories is walked, and one made later is found on a miss`() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "eo-tree-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    func make(_ path: String) throws -> UInt64 {
      let url = root.appending(path: path)
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      return try #require(try FileManager.default.attributesOfItem(atPath: url.path)[.systemFileNumber] as? UInt64)
    }
    let first = try make("system.slice/nginx.service")
    let tree = CgroupTree(mountPoint: root.path)
    #expect(tree.path(of: first) == "/system.slice/nginx.service")
    let second = try make("system.slice/later.service")
    #expect(tree.path(of: second) == "/system.slice/later.service")
    #expect(tree.path(of: 1) == nil)
    // Gone from the disk, still known for the flows that outlive it.
    try FileManager.default.removeItem(at: root.appending(path: "system.slice/nginx.service"))
    tree.refresh()
    #expect(tree.path(of: first) == "/system.slice/nginx.service")
  }

  @Test func `deep and wide trees stop at the bounds`() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "eo-deep-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let deep = (0..<CgroupTree.maximumDepth + 6).map { "d\($0)" }
    try FileManager.default.createDirectory(at: root.appending(path: deep.joined(separator: "/")), withIntermediateDirectories: true)
    func inode(_ depth: Int) throws -> UInt64 {
      let path = root.path + "/" + deep.prefix(depth).joined(separator: "/")
      return try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64)
    }
    let tree = CgroupTree(mountPoint: root.path)
    #expect(tree.path(of: try inode(CgroupTree.maximumDepth + 1)) != nil)
    #expect(tree.path(of: try inode(CgroupTree.maximumDepth + 2)) == nil)
  }

  @Test func `a mount point that does not exist knows no group`() {
    #expect(CgroupTree(mountPoint: "/nowhere").path(of: 1) == nil)
  }

  @Test(arguments: [
    ("0::/system.slice/nginx.service\n", "/system.slice/nginx.service"),
    ("12:pids:/a\n1:name=systemd:/system.slice/nginx.service\n0::/\n", "/system.slice/nginx.service"),
    ("1:name=systemd:/docker/x:y\n", "/docker/x:y"),
    ("0::/\n", "/"),
    ("12:pids:/docker/x\n11:memory:/docker/x\n", "/docker/x"),
    ("12:pids:/\n11:memory:/docker/x\n1:name=systemd:/\n0::/\n", "/docker/x"),
    ("12:pids:/\n", nil),
    ("nonsense", nil),
  ] as [(String, String?)])
  func `a process's own file gives its group`(text: String, expected: String?) {
    #expect(ProcessSockets.cgroupPath(inProcessFile: text) == expected)
  }
}
