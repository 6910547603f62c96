import EgressModel
import Testing

@testable import Storage

/// A temporary database takes short ways that one to be kept does not: what is read from it afterwards is the same.
struct TemporaryStoreTests {
  private let scratch: Scratch
  private let kept: Store
  private let temporary: Store
  private let replay = RunDescription(kind: .replay, version: "test")

  init() throws {
    scratch = try Scratch()
    kept = try Store(path: scratch.path("kept.db"))
    // Few enough to remember that the tests go beyond it.
    temporary = try Store(path: scratch.path("temporary.db"), isTemporary: true, migrations: Schema.migrations, rememberedNames: 100)
  }

  private func both<Result>(_ body: (borrowing StoreTransaction) throws(StorageError) -> Result) throws -> (kept: Result, temporary: Result) {
    (try kept.transaction(body), try temporary.transaction(body))
  }

  private func begin() throws { for store in [kept, temporary] { _ = try store.beginRun(replay, at: epoch) } }
  private func end() throws { for store in [kept, temporary] { try store.endRun(at: epoch) } }
  private func readers() throws -> (kept: StoreReader, temporary: StoreReader) {
    (try StoreReader(path: kept.path), try StoreReader(path: temporary.path))
  }

  /// Answers from few clients to few questions, so that most come again.
  private func names(_ count: Int, _ anything: inout Anything) -> [NameRecord] {
    (0..<count).map { index in
      let number = anything.number(9)
      return NameRecord(
        time: epoch.after(Int64(anything.number(1 << 40))), client: IPAddress(v4: UInt32(anything.number(2))), server: IPAddress(v4: UInt32(anything.number(2))),
        name: DomainName(presentation: "n\(number).example"), type: anything.pick(["A", "AAAA"]),
        chain: anything.chance() ? [] : [DomainName(presentation: "c\(anything.number(2)).example")],
        addresses: anything.pick([[], [IPAddress(v4: 7)], [IPAddress(v4: 7), IPAddress(v4: 8)], [IPAddress(v4: 8), IPAddress(v4: 7)]]),
        ttl: UInt32(index), rcode: "NOERROR")
    }
  }

  @Test(arguments: [1, 400]) func `answers are one row each, remembered or looked for`(batch: Int) throws {
    var anything = Anything(seed: 7)
    try begin()
    let keys = "SELECT count(*) FROM sqlite_schema WHERE name = 'names_key'"
    for number in 0..<(1200 / batch) {
      let names = names(batch, &anything)
      _ = try both { tx throws(StorageError) in try tx.record(names: names) }
      if (number + 1) * batch <= 100 { #expect(try temporary.database.integer(keys) == 0, "so few are remembered") }
    }
    #expect(try temporary.database.integer(keys) == 1, "so many are not")
    try end()
    let (kept, temporary) = try (readers().kept.names(), readers().temporary.names())
    #expect(kept.count > 200 && kept.count < 1200, "some come again: \(kept.count)")
    #expect(kept.reduce(0) { $0 + $1.count } == 1200)
    #expect(Set(kept.map(\.record)) == Set(temporary.map(\.record)))
    let counts = { (names: [StoredName]) in Dictionary(uniqueKeysWithValues: names.map { ($0.record, [$0.count, UInt64($0.firstSeen.nanoseconds)]) }) }
    #expect(counts(kept) == counts(temporary))
  }

  /// And once the file was given a key, that is rolled back, too.
  @Test(arguments: [20, 150]) func `answers of a run that failed are not remembered`(failing: Int) throws {
    var anything = Anything(seed: 8)
    let first = names(20, &anything)
    try begin()
    _ = try both { tx throws(StorageError) in try tx.record(names: first) }
    try end()
    try begin()
    let lost = names(failing, &anything)
    #expect(throws: StorageError.full(path: "disk")) {
      try temporary.transaction { tx throws(StorageError) in
        try tx.record(names: lost)
        throw .full(path: "disk")
      }
    }
    _ = try temporary.beginRun(replay, at: epoch)
    _ = try both { tx throws(StorageError) in try tx.record(names: first) }
    try end()
    let read = try (kept: readers().kept.names(), temporary: readers().temporary.names())
    #expect(read.kept.map(\.count) == read.temporary.map(\.count) && read.kept.map(\.record) == read.temporary.map(\.record))
    #expect(read.kept.reduce(0) { $0 + $1.count } == 40)
  }

  @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3 ... .max)], [1, 700])
  func `flows add up to the same endpoints`(seed: UInt64, batch: Int) throws {
    var anything = Anything(seed: seed)
    try begin()
    var living: [FlowRecord] = []
    for number in 0..<(2800 / batch) {
      var flows: [FlowRecord] = []
      for index in 0..<batch {
        // Some go on, and of those some under another name.
        if anything.chance(3), !living.isEmpty {
          var flow = living.remove(at: Int(anything.number(UInt64(living.count - 1))))
          (flow.reportedOut, flow.reportedIn) = (flow.out, flow.in)
          flow.out = FlowCounters(packets: flow.out.packets + 5, bytes: flow.out.bytes + 500)
          flow.end = flow.end.after(second)
          if anything.chance(4) { flow.names = [evidence("late\(anything.number(5)).example", .httpHost)] }
          flow.endReason = .endOfFlow
          flows.append(flow)
        } else {
          let goesOn = anything.chance(3)
          let flow = flow(
            UInt64(number * batch + index), at: epoch.after(Int64(anything.number(1 << 40))), from: pod("web-\(anything.number(3))", app: "app\(anything.number(3))"),
            to: "203.0.113.\(anything.number(4))", port: anything.pick([443, 8443]), name: anything.chance(3) ? nil : evidence("n\(anything.number(9)).example"),
            state: anything.pick([.closed, .refused]), endReason: goesOn ? .activeTimeout : .endOfFlow)
          flows.append(flow)
          if goesOn { living.append(flow) }
        }
      }
      let news = try both { tx throws(StorageError) in try tx.record(flows: flows) }
      #expect(news.kept == news.temporary)
    }
    try end()
    let readers = try readers()
    let (kept, temporary) = try (readers.kept.endpoints(), readers.temporary.endpoints())
    #expect(kept.count > 100)
    #expect(kept == temporary, "seed \(seed)")
    var flows: [[FlowRecord]] = []
    for reader in [readers.kept, readers.temporary] {
      var read: [FlowRecord] = []
      try reader.flows { flow in
        read.append(flow)
        return true
      }
      flows.append(read)
    }
    #expect(flows[0] == flows[1])
  }

  @Test func `more flows to one endpoint than a sum may hold are all counted`() throws {
    try begin()
    let huge = FlowCounters(packets: 1 << 52, bytes: 1 << 53)
    let flows = (0..<1010).map { id in
      var flow = flow(UInt64(id))
      (flow.out, flow.in) = (huge, FlowCounters())
      return flow
    }
    // A thousand are written, and their sum is as large as the file can hold; ten wait for the end.
    _ = try temporary.transaction { tx throws(StorageError) in try tx.record(flows: Array(flows.prefix(1010))) }
    #expect(try temporary.database.integer("SELECT flows FROM endpoints") == 1000)
    try end()
    #expect(try readers().temporary.endpoints().map(\.flows) == [1010])
  }
}
