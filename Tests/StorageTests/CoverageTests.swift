import EgressModel
import Storage
import Testing

@Suite struct CoverageTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// One live run with a heartbeat every ten seconds; it ends well, or is killed after its last heartbeat.
  private func run(from: Int64, until: Int64, killed: Bool = false) throws -> RunStart {
    let store = try Store(path: scratch.path())
    let start = try store.beginRun(live, at: epoch.after(from))
    var packets: UInt64 = 0
    for time in stride(from: from, through: until, by: Int(10 * second)) {
      packets += 100
      try store.transaction { [packets] tx throws(StorageError) in
        try tx.heartbeat(at: epoch.after(time), RunCounters(packets: packets, dropped: packets / 100, evicted: 1, undecoded: 2))
      }
    }
    if !killed { try store.endRun(at: epoch.after(until)) }
    return start
  }

  /// What a run that is killed saw last may not be recorded.
  private let unrecorded = 4 * second

  private func coverage(_ from: Int64, _ until: Int64) throws -> Coverage {
    try StoreReader(path: scratch.path()).coverage(from: epoch.after(from), until: epoch.after(until), now: epoch)
  }

  private func gap(_ from: Int64, _ until: Int64, _ reason: String) -> Coverage.Gap {
    Coverage.Gap(from: epoch.after(from), until: epoch.after(until), reason: reason)
  }

  @Test func `time between runs is a gap, and says whether the run before was killed`() throws {
    #expect(try run(from: 0, until: hour).gap == nil)
    #expect(try run(from: 2 * hour, until: 3 * hour, killed: true).gap == gap(hour, 2 * hour, "not running"))
    #expect(try run(from: 4 * hour, until: 5 * hour).gap == gap(3 * hour - unrecorded, 4 * hour, "killed"))
    let coverage = try coverage(0, 6 * hour)
    #expect(
      coverage.gaps == [
        gap(hour, 2 * hour, "not running"), gap(3 * hour - unrecorded, 4 * hour, "killed"), gap(5 * hour, 6 * hour, "not running"),
      ])
    #expect(coverage.restarts == 2)
    #expect(coverage.nodes == ["node-1"])
    #expect(coverage.watched == 3 * hour - unrecorded)
  }

  @Test func `gaps are cut to the window`() throws {
    _ = try run(from: 0, until: hour)
    _ = try run(from: 2 * hour, until: 3 * hour)
    #expect(try coverage(hour + 30 * minute, 2 * hour + minute).gaps == [gap(hour + 30 * minute, 2 * hour, "not running")])
    #expect(try coverage(2 * hour + minute, 2 * hour + 2 * minute).gaps == [])
    #expect(try coverage(2 * hour + minute, 2 * hour + 2 * minute).restarts == 0)
    #expect(try coverage(-hour, 0).gaps == [gap(-hour, 0, "not running")])
  }

  @Test func `a window that begins after all that was watched reaches until now, and is a gap`() throws {
    _ = try run(from: 0, until: hour)
    let reader = try StoreReader(path: scratch.path())
    let coverage = try reader.coverage(from: epoch.after(2 * hour), until: nil, now: epoch.after(3 * hour))
    #expect(coverage.until == epoch.after(3 * hour) && coverage.watched == 0)
    #expect(coverage.gaps == [gap(2 * hour, 3 * hour, "not running")])
    // Where somebody watched, the window ends with it.
    #expect(try reader.coverage(from: epoch.after(minute), until: nil, now: epoch.after(3 * hour)).until == epoch.after(hour))
  }

  @Test func `a run in progress watches until its next heartbeat is due`() throws {
    _ = try run(from: 0, until: hour, killed: true)
    let reader = try StoreReader(path: scratch.path())
    let coverage = try reader.coverage(from: epoch.after(hour + second), until: nil, now: epoch.after(hour + 2 * second))
    #expect(coverage.gaps == [] && coverage.until == epoch.after(hour + second))
    #expect(try reader.coverage(from: epoch.after(2 * hour), until: nil, now: epoch.after(3 * hour)).gaps.count == 1)
  }

  @Test func `an unfinished run is alive until its heartbeat is overdue`() throws {
    _ = try run(from: 0, until: hour, killed: true)
    #expect(try coverage(0, hour + 59 * second).gaps == [])
    #expect(try coverage(0, hour + 61 * second).gaps == [gap(hour - unrecorded, hour + 61 * second, "killed")])
  }

  @Test func `the gap after a run that was killed does not reach beyond the run`() throws {
    _ = try run(from: 0, until: hour, killed: true)
    _ = try run(from: hour + minute, until: hour + minute, killed: true)
    #expect(try run(from: 2 * hour, until: 2 * hour).gap == gap(hour + minute, 2 * hour, "killed"))
    #expect(try coverage(0, 2 * hour).gaps == [gap(hour - unrecorded, hour + minute, "killed"), gap(hour + minute, 2 * hour, "killed")])
  }

  @Test func `what a run told of itself is a gap, too, and grows while it lasts`() throws {
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    for end in [10, 20, 15] {
      try store.transaction { tx throws(StorageError) in try tx.record(gap: gap(minute, Int64(end) * minute, "interface eth0 gone")) }
    }
    try store.endRun(at: epoch.after(hour))
    #expect(try coverage(0, hour).gaps == [gap(minute, 20 * minute, "interface eth0 gone")])
  }

  @Test func `packets are those of the window's minutes`() throws {
    _ = try run(from: 0, until: hour - 10 * second)
    let whole = try coverage(0, hour - second)
    #expect(whole.packets == 36_000)
    #expect(whole.dropped == 360)
    #expect(whole.evicted == 1)
    #expect(whole.undecoded == 2)
    #expect(try coverage(10 * minute, 20 * minute - second).packets == 6000)
  }

  @Test func `a replay covers the time of its capture`() throws {
    let store = try Store.temporary(in: scratch.directory)
    _ = try store.beginRun(RunDescription(kind: .replay, version: "test", interfaces: ["a.pcap"]), at: epoch.after(1000 * day))
    try store.transaction { tx throws(StorageError) in
      try tx.heartbeat(from: epoch, at: epoch.after(minute), RunCounters(packets: 10))
    }
    try store.transaction { tx throws(StorageError) in
      try tx.heartbeat(from: epoch.after(minute), at: epoch.after(2 * minute), RunCounters(packets: 30))
    }
    try store.endRun(at: epoch.after(1000 * day))
    let coverage = try StoreReader(path: store.path).coverage(from: nil, until: nil, now: epoch)
    #expect(coverage.from == epoch)
    #expect(coverage.until == epoch.after(2 * minute))
    #expect(coverage.packets == 30)
    #expect(coverage.gaps.isEmpty)
    #expect(coverage.restarts == 0)
  }

  @Test func `unnamed third-party traffic and clients of encrypted resolvers are counted`() throws {
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    var inside = flow(3, to: "10.0.0.9")
    inside.scope = .cluster
    var resolver = flow(4, from: pod("dig-1", app: "dig"), to: "203.0.113.53", port: 853, name: evidence("dns.example"))
    resolver.application = Application(rawValue: "dot")
    let flows = [flow(1), flow(2, name: evidence("a.example")), inside, resolver]
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }
    let coverage = try coverage(0, minute)
    #expect(coverage.externalFlows == 3)
    #expect(coverage.unnamedFlows == 1)
    #expect(coverage.externalBytes == 3 * 50_521)
    #expect(coverage.unnamedBytes == 50_521)
    #expect(coverage.encryptedDNSClients == ["shop/dig"])
  }

  @Test func `a database without runs covers nothing`() throws {
    _ = try Store(path: scratch.path())
    #expect(try coverage(0, hour).gaps == [gap(0, hour, "not running")])
    #expect(try StoreReader(path: scratch.path()).coverage(from: nil, until: nil, now: epoch).watched == 0)
  }
}
