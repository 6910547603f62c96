import EgressModel
import Storage
import Testing

@Suite struct EndpointTests {
  private let scratch: Scratch
  private let store: Store

  init() throws {
    scratch = try Scratch()
    store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
  }

  private func record(_ flows: FlowRecord...) throws -> [Bool] {
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }
  }

  private func endpoints() throws -> [Endpoint] { try StoreReader(path: store.path).endpoints() }

  @Test func `a named endpoint is new once per workload group, port and transport`() throws {
    let name = evidence("api.example.com")
    #expect(try record(flow(1, name: name), flow(2, name: name)) == [true, false])
    #expect(try record(flow(3, name: name)) == [false])
    #expect(try record(flow(4, to: "203.0.113.99", name: name)) == [false], "another address of the name")
    #expect(try record(flow(5, from: pod("web-2"), name: name)) == [false], "another pod of the group")
    #expect(try record(flow(6, from: pod("cart-1", app: "cart"), name: name)) == [true], "another group")
    #expect(try record(flow(7, port: 8443, name: name)) == [true], "another port")
    var udp = flow(8, name: name)
    udp.transport = .udp
    #expect(try record(udp) == [true], "another transport")
  }

  @Test func `two addresses of a new name in one batch are one novelty`() throws {
    let name = evidence("api.example.com")
    #expect(try record(flow(1, to: "203.0.113.1", name: name), flow(2, to: "203.0.113.2", name: name)) == [true, false])
  }

  @Test func `a nameless endpoint is new by its address`() throws {
    #expect(try record(flow(1)) == [true])
    #expect(try record(flow(2), flow(3, to: "203.0.113.11")) == [false, true])
  }

  @Test func `what is known outlives the store that learned it`() throws {
    let scratch = try Scratch()
    let name = evidence("api.example.com")
    for expected in [true, false] {
      let store = try Store(path: scratch.path())
      _ = try store.beginRun(live, at: epoch)
      let news = try store.transaction { tx throws(StorageError) in try tx.record(flows: [flow(1, name: name), flow(2)]) }
      #expect(news == [expected, expected])
      try store.endRun(at: epoch.after(second))
    }
    let reader = try StoreReader(path: scratch.path())
    let known = Destination(address: IPAddress(v4: 9), port: 443, transport: .tcp, names: [name])
    #expect(try reader.isKnown(group: "shop/Deployment/web", known))
    #expect(try !reader.isKnown(group: "shop/Deployment/other", known))
    #expect(try !reader.isKnown(group: "shop/Deployment/web", Destination(address: IPAddress(v4: 9), port: 443, transport: .tcp)))
    #expect(
      try reader.isKnown(
        group: "shop/Deployment/web", Destination(address: #require(IPAddress("203.0.113.10")), port: 443, transport: .tcp)))
    #expect(try reader.endpoints().map(\.flows) == [2, 2])
  }

  @Test func `later records of a flow add only what they tell more`() throws {
    let name = evidence("api.example.com")
    var record = flow(7, name: name, state: .attempted, endReason: .activeTimeout)
    record.in = FlowCounters()
    _ = try self.record(record)
    #expect(try endpoints().map(\.answered) == [0])
    (record.reportedOut, record.reportedIn) = (record.out, record.in)
    record.out = FlowCounters(packets: 20, bytes: 5000)
    record.in = FlowCounters(packets: 9, bytes: 900)
    record.state = .established
    record.end = record.start.after(minute)
    #expect(try self.record(record) == [false])
    (record.reportedOut, record.reportedIn) = (record.out, record.in)
    record.out.packets += 1
    record.state = .closed
    record.endReason = .endOfFlow
    _ = try self.record(record)

    let endpoint = try #require(try endpoints().first)
    #expect(try endpoints().count == 1)
    #expect(endpoint.flows == 1)
    #expect(endpoint.answered == 1)
    #expect(endpoint.out == FlowCounters(packets: 21, bytes: 5000))
    #expect(endpoint.in == FlowCounters(packets: 9, bytes: 900))
    var rows: [FlowRecord] = []
    try StoreReader(path: store.path).flows {
      rows.append($0)
      return true
    }
    #expect(rows == [record])
  }

  @Test(arguments: [false, true]) func `a flow whose name is learned late moves to the endpoint of that name`(inOneBatch: Bool) throws {
    let before = flow(1, state: .established, endReason: .activeTimeout)
    var after = flow(1, name: evidence("late.example"))
    after.reportedOut = before.out
    after.reportedIn = before.in
    after.out.packets += 5
    if inOneBatch {
      #expect(try record(before, after) == [true, true])
    } else {
      #expect(try record(before) == [true])
      #expect(try record(after) == [true])
    }
    let all = try endpoints()
    #expect(all.map { $0.name?.name.text } == ["late.example"])
    #expect(all.first?.flows == 1)
    #expect(all.first?.answered == 1)
    #expect(all.first?.out == after.out)
    // The endpoint without a name is gone, so that the next flow to it is new again.
    #expect(try record(flow(2)) == [true])
  }

  @Test func `a flow that moves away takes only its own share`() throws {
    let name = evidence("late.example")
    let first = flow(1, state: .established, endReason: .activeTimeout)
    _ = try record(first, flow(2))
    var later = first
    later.names = [name]
    (later.reportedOut, later.reportedIn) = (first.out, first.in)
    _ = try record(later)
    let all = try endpoints()
    #expect(all.map { $0.name?.name.text ?? "" } == ["", "late.example"])
    #expect(all.map(\.flows) == [1, 1])
    #expect(all.map(\.out.bytes) == [2310, 2310])
  }

  @Test func `the continuation of a flow whose beginning was lost counts what it tells`() throws {
    var record = flow(1)
    record.reportedOut = FlowCounters(packets: 2, bytes: 310)
    _ = try self.record(record)
    let endpoint = try #require(try endpoints().first)
    #expect(endpoint.flows == 1)
    #expect(endpoint.out == FlowCounters(packets: 10, bytes: 2000))
  }

  @Test func `absurd counters are bounded`() throws {
    let huge = FlowCounters(packets: .max, bytes: .max)
    let flows = (0..<1500).map { index in
      var record = flow(UInt64(index))
      if index < 500 { (record.out, record.in) = (huge, huge) }
      return record
    }
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }
    let endpoint = try #require(try endpoints().first)
    #expect(endpoint.out.bytes == 500 << 53 + 1000 * 2310)
    #expect(endpoint.flows == 1500)
    let coverage = try StoreReader(path: store.path).coverage(from: nil, until: nil, now: epoch)
    #expect(coverage.externalBytes >= 1000 << 53)
  }

  @Test func `an endpoint keeps its best evidence`() throws {
    let best = evidence("api.example.com")
    _ = try record(flow(1, name: evidence("api.example.com", .dns, .shared)))
    _ = try record(flow(2, name: best))
    _ = try record(flow(3, name: evidence("api.example.com", .dns, .resolved)))
    #expect(try endpoints().first?.name == best)
  }

  @Test func `more distinct endpoints than the cache and one chunk hold are all counted`() throws {
    let count = 34_000
    let flows = (0..<count).map { index in
      var record = flow(UInt64(index))
      record.destination.ip = IPAddress(v4: UInt32(index))
      return record
    }
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }.allSatisfy { $0 })
    let again = flows.map { flow in
      var again = flow
      again.id += UInt64(count)
      return again
    }
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: again) }.allSatisfy { !$0 })
    let all = try endpoints()
    #expect(all.count == count)
    #expect(all.allSatisfy { $0.flows == 2 })
  }

  @Test func `sample flows are the latest of the endpoint`() throws {
    let name = evidence("api.example.com")
    let flows = (0..<6).map { flow(UInt64($0), at: epoch.after(Int64($0) * minute), name: name) }
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows + [flow(9)]) }
    let endpoint = try #require(try endpoints().first { $0.name == name })
    #expect(try StoreReader(path: store.path).sampleFlows(endpoint).map(\.id) == [5, 4, 3])
  }
}

@Suite struct FlowReadingTests {
  private let scratch: Scratch
  private let store: Store

  init() throws {
    scratch = try Scratch()
    store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    let flows = (0..<10).map { flow(UInt64($0), at: epoch.after(Int64($0) * minute)) }
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }
  }

  @Test(arguments: [
    (0, 20, Array(0..<10)), (0, 0, []), (3, 5, [3, 4]), (9, 20, [9]), (10, 20, []),
  ] as [(Int64, Int64, [UInt64])])
  func `a window holds the flows alive in it`(from: Int64, until: Int64, expected: [UInt64]) throws {
    var ids: [UInt64] = []
    try StoreReader(path: store.path).flows(from: epoch.after(from * minute), until: epoch.after(until * minute)) {
      ids.append($0.id)
      return true
    }
    #expect(ids == expected)
  }

  @Test func `the newest come first when asked, and reading stops when told`() throws {
    var ids: [UInt64] = []
    try StoreReader(path: store.path).flows(newestFirst: true) {
      ids.append($0.id)
      return ids.count < 3
    }
    #expect(ids == [9, 8, 7])
  }

  @Test func `following gives each record once, and a flow again when it goes on`() throws {
    let reader = try StoreReader(path: store.path)
    let start = try reader.flows(after: nil)
    #expect(start.flows.isEmpty)
    var long = flow(100, endReason: .activeTimeout)
    try store.transaction { [long] tx throws(StorageError) in try tx.record(flows: [long]) }
    let first = try reader.flows(after: start.cursor)
    #expect(first.flows == [long])
    (long.reportedOut, long.reportedIn) = (long.out, long.in)
    long.out.packets += 1
    try store.transaction { [long] tx throws(StorageError) in try tx.record(flows: [long]) }
    let second = try reader.flows(after: first.cursor)
    #expect(second.flows == [long])
    #expect(try reader.flows(after: second.cursor).flows.isEmpty)
  }
}
