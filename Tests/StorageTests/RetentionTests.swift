import EgressModel
import Foundation
import Testing

@testable import Storage

@Suite struct RetentionTests {
  private let scratch: Scratch
  private let store: Store

  init() throws {
    scratch = try Scratch()
    store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
  }

  /// One of everything, at a time.
  private func record(_ number: Int, at time: Timestamp) throws {
    var record = flow(UInt64(number), at: time, from: pod("p\(number)", app: "a\(number)"), name: evidence("n\(number).example"))
    record.vendor = Vendor(name: "v\(number)", category: "c", domain: DomainName(presentation: "n\(number).example"))
    record.verdict = Verdict(decision: .denied, reason: "reason \(number)")
    let name = NameRecord(
      time: time, client: IPAddress(v4: 1), server: IPAddress(v4: 2), name: DomainName(presentation: "n\(number).example"), type: "A",
      rcode: "NOERROR")
    let finding = Finding(
      kind: .new, severity: .info, title: "t", workload: record.workload, firstSeen: time, lastSeen: time)
    try store.transaction { [record] tx throws(StorageError) in
      _ = try tx.record(flows: [record])
      try tx.record(names: [name])
      _ = try tx.record(findings: [finding], at: time)
      for state in ["pending", "delivered"] {
        try tx.enqueue(Alert(id: "\(state)-\(number)", hook: state, topic: "\(number)", payload: "{}"), groupingWithin: 0, at: time)
      }
    }
    try store.delivered("delivered-\(number)", at: time)
  }

  private func rows() throws -> [String: UInt64] { try StoreReader(path: store.path).statistics().rows }

  @Test func `flows go early, the rest late, pending alerts never`() throws {
    for (number, days) in [0, 50, 98, 100].enumerated() { try record(number, at: epoch.after(Int64(days) * day)) }
    let limits = RetentionLimits(age: 90 * day, flowsAge: 7 * day)
    let outcome = try store.retain(limits, at: epoch.after(100 * day))
    #expect(outcome.flows == 2)
    #expect(outcome.endpoints == 1)
    #expect(outcome.names == 1)
    #expect(outcome.findings == 1)
    #expect(outcome.alerts == 1)
    #expect(outcome.runs == 0, "the run in progress stays")
    #expect(
      try rows() == ["runs": 1, "flows": 2, "endpoints": 3, "names": 3, "findings": 3, "alerts": 7, "pointers": 0])
    #expect(try StoreReader(path: store.path).alerts(.pending).count == 4)
    // Workloads, vendors, verdicts and groups that nothing names go, too, and what is left can be read.
    #expect(try store.database.integer("SELECT count(*) FROM facts") == 9)
    #expect(try store.database.integer("SELECT count(*) FROM groups") == 3)
    #expect(try StoreReader(path: store.path).endpoints().map { $0.name?.name.text } == ["n1.example", "n2.example", "n3.example"])
    // The deleted endpoint is new again; the others are not.
    let back = flow(9, from: pod("p0", app: "a0"), name: evidence("n0.example"))
    let known = flow(10, from: pod("p1", app: "a1"), name: evidence("n1.example"))
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: [back, known]) } == [true, false])
  }

  @Test func `a flow at the age limit stays, one older goes`() throws {
    try store.transaction { tx throws(StorageError) in try tx.record(flows: [flow(1), flow(2, at: epoch.after(1))]) }
    let limits = RetentionLimits(age: 90 * day, flowsAge: day)
    #expect(try store.retain(limits, at: epoch.after(second + day)).flows == 0)
    #expect(try store.retain(limits, at: epoch.after(second + day + 1)).flows == 1)
    #expect(try store.retain(limits, at: epoch.after(second + day + 1)).flows == 0)
  }

  @Test func `old runs go with their minutes and gaps`() throws {
    try store.transaction { tx throws(StorageError) in
      try tx.heartbeat(at: epoch.after(minute), RunCounters(packets: 5))
      try tx.record(gap: Coverage.Gap(from: epoch, until: epoch.after(second), reason: "interface eth0 gone"))
    }
    try store.endRun(at: epoch.after(hour))
    _ = try store.beginRun(live, at: epoch.after(100 * day))
    #expect(try store.retain(RetentionLimits(age: 90 * day, flowsAge: day), at: epoch.after(100 * day)).runs == 1)
    #expect(try StoreReader(path: store.path).runs().map(\.started) == [epoch.after(100 * day)])
    for table in ["minutes", "gaps"] { #expect(try store.database.integer("SELECT count(*) FROM \(table)") == 0) }
  }

  @Test func `a size limit takes the oldest flows first and gives the space back`() throws {
    let flows = (0..<12_000).map { flow(UInt64($0), at: epoch.after(Int64($0) * second), name: evidence("n\($0 % 100).example")) }
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }
    let pending = Alert(id: "1", hook: "h", topic: "t", payload: "{}")
    try store.transaction { tx throws(StorageError) in try tx.enqueue(pending, groupingWithin: 0, at: epoch) }
    let limit: UInt64 = 1_500_000
    let outcome = try store.retain(RetentionLimits(age: 900 * day, flowsAge: 900 * day, maximumBytes: limit), at: epoch.after(day))
    #expect(outcome.bytesBefore > limit)
    #expect(outcome.bytesAfter <= limit)
    #expect((1..<12_000).contains(outcome.flows))
    #expect(outcome.endpoints == 0)
    let statistics = try StoreReader(path: store.path).statistics()
    #expect(statistics.fileBytes <= limit)
    #expect(statistics.logBytes == 0)
    var oldest: UInt64?
    try StoreReader(path: store.path).flows {
      oldest = $0.id
      return false
    }
    #expect(oldest == UInt64(outcome.flows))
    // Endpoints keep what the flows that are gone told them.
    #expect(try StoreReader(path: store.path).endpoints().reduce(0) { $0 + $1.flows } == 12_000)
  }

  @Test func `a size limit that nothing can meet ends with what must stay`() throws {
    for number in 0..<50 { try record(number, at: epoch.after(Int64(number))) }
    let outcome = try store.retain(RetentionLimits(age: 900 * day, flowsAge: 900 * day, maximumBytes: 1), at: epoch)
    #expect(outcome.flows == 50)
    #expect(outcome.endpoints == 50)
    #expect(outcome.names == 50)
    #expect(try StoreReader(path: store.path).alerts(.pending).count == 50)
  }

  @Test func `retention of an empty database does nothing`() throws {
    let outcome = try store.retain(RetentionLimits(age: 0, flowsAge: 0, maximumBytes: .max), at: epoch)
    #expect(outcome.flows + outcome.endpoints + outcome.names + outcome.findings + outcome.alerts + outcome.runs == 0)
  }
}
