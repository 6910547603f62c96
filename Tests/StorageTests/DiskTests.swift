import EgressModel
import Foundation
import Testing

@testable import Storage

/// A small file system of its own, in memory; only root can have one.
private final class SmallDisk {
  let scratch: Scratch

  init(kilobytes: Int) throws {
    scratch = try Scratch()
    try #require(unsafe mount("tmpfs", scratch.directory, "tmpfs", 0, "size=\(kilobytes)k") == 0, "mount: error \(errno)")
  }

  func makeReadOnly() throws {
    try #require(unsafe mount("tmpfs", scratch.directory, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0, "mount: error \(errno)")
  }

  deinit { unsafe umount2(scratch.directory, Int32(MNT_DETACH)) }

  /// Whether this process may mount.
  static let isPossible: Bool = {
    guard geteuid() == 0, let scratch = try? Scratch() else { return false }
    guard unsafe mount("tmpfs", scratch.directory, "tmpfs", 0, "size=64k") == 0 else { return false }
    unsafe umount2(scratch.directory, Int32(MNT_DETACH))
    return true
  }()
}

@Suite(.enabled(if: SmallDisk.isPossible, "needs the right to mount")) struct DiskTests {
  private func flows(_ batch: Int) -> [FlowRecord] {
    (0..<200).map { index in
      let id = batch * 200 + index
      return flow(UInt64(id), at: epoch.after(Int64(id) * second), name: evidence("host-\(id).example"))
    }
  }

  @Test func `a full disk is an error, keeps what was stored, and is no end`() throws {
    let disk = try SmallDisk(kilobytes: 3000)
    let ballast = disk.scratch.path("ballast")
    try Data(repeating: 1, count: 1_000_000).write(to: URL(fileURLWithPath: ballast))
    let store = try Store(path: disk.scratch.path())
    _ = try store.beginRun(live, at: epoch)
    var stored = 0
    var failure: StorageError?
    while failure == nil, stored < 1000 {
      let batch = flows(stored)
      do throws(StorageError) {
        try store.transaction { tx throws(StorageError) in try tx.record(flows: batch) }
        stored += 1
      } catch {
        failure = error
      }
    }
    #expect(failure == .full(path: store.path))
    #expect(stored > 0)
    #expect(try StoreReader(path: store.path).statistics().rows["flows"] == UInt64(stored * 200))

    try FileManager.default.removeItem(atPath: ballast)
    let batch = flows(stored)
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: batch) }.allSatisfy { $0 })
    #expect(try store.database.text("PRAGMA integrity_check") == "ok")
    #expect(try store.database.integer("SELECT count(*) FROM flows") == Int64((stored + 1) * 200))
    #expect(try store.database.integer("SELECT sum(flows) FROM endpoints") == Int64((stored + 1) * 200))
  }

  @Test func `no room for even an empty database is a full disk, too`() throws {
    let disk = try SmallDisk(kilobytes: 64)
    try Data(repeating: 1, count: 60_000).write(to: URL(fileURLWithPath: disk.scratch.path("ballast")))
    #expect(throws: StorageError.full(path: disk.scratch.path())) { try Store(path: disk.scratch.path()) }
  }

  @Test func `a read-only file system is named as such`() throws {
    let disk = try SmallDisk(kilobytes: 1000)
    let path = disk.scratch.path()
    do {
      let store = try Store(path: path)
      _ = try store.beginRun(live, at: epoch)
      let record = flow(1)
      try store.transaction { tx throws(StorageError) in try tx.record(flows: [record]) }
      try store.endRun(at: epoch)
    }
    try disk.makeReadOnly()
    let old = #expect(throws: StorageError.self) { try Store(path: path) }
    guard case .readOnly(path, _)? = old else {
      Issue.record("got \(old.map { "\($0)" } ?? "nothing")")
      return
    }
    let new = #expect(throws: StorageError.self) { try Store(path: disk.scratch.path("new.db")) }
    guard case .readOnly(disk.scratch.path("new.db"), _)? = new else {
      Issue.record("got \(new.map { "\($0)" } ?? "nothing")")
      return
    }
  }

  @Test func `what lies on a read-only file system can be read, whatever its name`() throws {
    let disk = try SmallDisk(kilobytes: 1000)
    let path = disk.scratch.path("100% ö?#.db")
    do {
      let store = try Store(path: path)
      _ = try store.beginRun(live, at: epoch)
      let record = flow(1)
      try store.transaction { tx throws(StorageError) in try tx.record(flows: [record]) }
      try store.endRun(at: epoch)
    }
    try disk.makeReadOnly()
    #expect(try StoreReader(path: path).endpoints().count == 1)
  }
}
