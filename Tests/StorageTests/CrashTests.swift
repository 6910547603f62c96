import Dispatch
import EgressModel
import Foundation
import Synchronization
import Testing

@testable import Storage

/// Batches of 100 flows, each with one answer, one alert and a heartbeat that counts the flows.
private let batchSize: UInt64 = 100

private func writeBatch(_ store: Store, _ batch: UInt64) throws(StorageError) {
  let flows = (0..<batchSize).map { index in
    let id = batch * batchSize + index
    return flow(id, at: epoch.after(Int64(id) * 1000), to: "203.0.113.\(id % 250)", name: evidence("host-\(id % 1000).example"))
  }
  let name = NameRecord(
    time: epoch, client: IPAddress(v4: 1), server: IPAddress(v4: 2), name: DomainName(presentation: "n\(batch).example"), type: "A", rcode: "NOERROR")
  try store.transaction { tx throws(StorageError) in
    _ = try tx.record(flows: flows)
    try tx.record(names: [name])
    try tx.enqueue(Alert(id: "\(batch)", hook: "h", topic: "t", payload: "{}"), groupingWithin: 0, at: epoch)
    try tx.heartbeat(at: epoch.after(Int64(batch) * second), RunCounters(packets: (batch + 1) * batchSize))
  }
}

/// Whole batches, nothing but whole batches; gives how many.
private func wholeBatches(_ path: String) throws -> UInt64 {
  let database = try Database(path: path, access: .readWrite)
  #expect(try database.text("PRAGMA integrity_check") == "ok")
  guard try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'runs'") == 1 else { return 0 }
  let batches = UInt64(try database.integer("SELECT coalesce(sum(packets), 0) FROM runs")) / batchSize
  #expect(try database.integer("SELECT count(*) FROM flows") == Int64(batches * batchSize))
  #expect(try database.integer("SELECT coalesce(sum(flows), 0) FROM endpoints") == Int64(batches * batchSize))
  #expect(try database.integer("SELECT count(*) FROM names") == Int64(batches))
  #expect(try database.integer("SELECT count(*) FROM alerts") == Int64(batches))
  return batches
}

private let childPath = ProcessInfo.processInfo.environment["STORAGE_TEST_CHILD"]

@Suite struct CrashTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Not a test of its own: the process that the next one kills.
  @Test(.enabled(if: childPath != nil, "run by the test that kills it")) func `the writing child`() throws {
    let path = try #require(childPath)
    let store = try Store(path: path)
    _ = try store.beginRun(live, at: epoch)
    let begun = try store.database.integer("SELECT coalesce(sum(packets), 0) / 100 FROM runs")
    // Bounded, should the parent die first.
    for batch in 0..<UInt64(20_000) {
      // Names and alerts are told apart by their batch over all children.
      try writeChildBatch(store, batch, offset: UInt64(begun))
    }
  }

  private func writeChildBatch(_ store: Store, _ batch: UInt64, offset: UInt64) throws(StorageError) {
    let flows = (0..<batchSize).map { flow(batch * batchSize + $0, name: evidence("host-\($0).example")) }
    let number = offset + batch
    let name = NameRecord(
      time: epoch, client: IPAddress(v4: 1), server: IPAddress(v4: 2), name: DomainName(presentation: "n\(number).example"), type: "A",
      rcode: "NOERROR")
    try store.transaction { tx throws(StorageError) in
      _ = try tx.record(flows: flows)
      try tx.record(names: [name])
      try tx.enqueue(Alert(id: "\(number)", hook: "h", topic: "t", payload: "{}"), groupingWithin: 0, at: epoch)
      try tx.heartbeat(at: epoch.after(Int64(number) * second), RunCounters(packets: (batch + 1) * batchSize))
    }
  }

  @Test(.enabled(if: childPath == nil)) func `a writer that is killed loses at most the batch in flight`() throws {
    let path = scratch.path()
    var random = SystemRandomNumberGenerator()
    var batches: UInt64 = 0
    for _ in 0..<4 {
      let child = Process()
      child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      child.arguments = ["--testing-library", "swift-testing", "--filter", "the writing child"]
      child.environment = ProcessInfo.processInfo.environment.merging(["STORAGE_TEST_CHILD": path]) { $1 }
      child.standardOutput = FileHandle.nullDevice
      child.standardError = FileHandle.nullDevice
      try child.run()
      // What a reader saw is committed, so it must outlive the kill.
      let goal = batches + UInt64.random(in: 1...40, using: &random)
      var seen = batches
      let deadline = Date().addingTimeInterval(60)
      while seen < goal, child.isRunning, Date() < deadline {
        seen = max(seen, (try? StoreReader(path: path).statistics().rows["alerts"] ?? 0) ?? 0)
      }
      kill(child.processIdentifier, SIGKILL)
      child.waitUntilExit()
      #expect(seen >= goal, "the child wrote \(seen) of \(goal) batches before it was killed")
      batches = try wholeBatches(path)
      #expect(batches >= seen)
    }
    let store = try Store(path: path)
    let gap = try #require(try store.beginRun(live, at: epoch.after(1000 * day)).gap)
    #expect(gap.reason == "killed")
    // Of the last four seconds before it, not every flow need be recorded.
    #expect(gap.from == epoch.after(max(0, Int64(batches - 1) - 4) * second))
  }

  @Test func `a log cut anywhere gives whole batches`() throws {
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    // Few enough that the log is not yet copied back into the database.
    for batch in 0..<UInt64(30) { try writeBatch(store, batch) }
    let database = try Data(contentsOf: URL(fileURLWithPath: store.path))
    let log = try Data(contentsOf: URL(fileURLWithPath: store.path + "-wal"))
    var previous: UInt64 = 0
    for step in 0...50 {
      let copy = scratch.path("copy-\(step).db")
      try database.write(to: URL(fileURLWithPath: copy))
      try log.prefix(log.count * step / 50).write(to: URL(fileURLWithPath: copy + "-wal"))
      if step > 0 || database.count > 0 {
        let batches = try wholeBatches(copy)
        #expect(batches >= previous)
        previous = batches
      }
      if (try? Database(path: copy, access: .readOnly).schemaVersion()) == Schema.migrations.count {
        let reopened = try Store(path: copy)
        _ = try reopened.beginRun(live, at: epoch.after(day))
      }
    }
    #expect(previous == 30)
  }

  @Test func `a reader sees whole batches while they are written`() throws {
    let path = scratch.path()
    do { _ = try Store(path: path) }
    // A thread of its own: a task would wait for a place among tests that block theirs.
    final class Failure: Sendable { let error = Mutex<(any Error)?>(nil) }
    let failure = Failure()
    let written = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      do {
        let store = try Store(path: path)
        _ = try store.beginRun(live, at: epoch)
        for batch in 0..<UInt64(60) { try writeBatch(store, batch) }
      } catch {
        failure.error.withLock { $0 = error }
      }
      written.signal()
    }
    let reader = try StoreReader(path: path)
    var last: UInt64 = 0
    let deadline = Date().addingTimeInterval(120)
    while last < 60 * batchSize, Date() < deadline {
      let (flows, alerts) = try reader.snapshot { reader throws(StorageError) in
        var count: UInt64 = 0
        try reader.flows { _ in
          count += 1
          return true
        }
        return (count, UInt64(try reader.alerts().count))
      }
      #expect(flows == alerts * batchSize)
      #expect(flows >= last)
      last = flows
    }
    written.wait()
    if let error = failure.error.withLock({ $0 }) { throw error }
    #expect(last == 60 * batchSize)
  }

  @Test func `a transaction that throws leaves nothing, and the store goes on`() throws {
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    try writeBatch(store, 0)
    let lost = flow(1_000_000, from: pod("other", app: "other"), to: "198.51.100.1", name: evidence("lost.example"))
    #expect(throws: StorageError.full(path: "x")) {
      try store.transaction { tx throws(StorageError) in
        _ = try tx.record(flows: [lost])
        try tx.heartbeat(at: epoch.after(hour), RunCounters(packets: 999_999))
        throw StorageError.full(path: "x")
      }
    }
    // What was rolled back is not remembered: the endpoint is new again, and the counters go on from before.
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: [lost]) } == [true])
    let reader = try StoreReader(path: store.path)
    #expect(try reader.endpoints().filter { $0.name?.name.text == "lost.example" }.map(\.flows) == [1])
    #expect(try reader.runs().map(\.counters.packets) == [batchSize])
  }
}
