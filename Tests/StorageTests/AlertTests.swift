import EgressModel
import Storage
import Testing

@Suite struct AlertTests {
  private let scratch: Scratch
  private let store: Store

  init() throws {
    scratch = try Scratch()
    store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
  }

  @discardableResult
  private func enqueue(_ id: String, _ hook: String = "chat", topic: String? = nil, within window: Int64 = hour, at offset: Int64 = 0) throws -> Bool {
    let alert = Alert(id: id, hook: hook, topic: topic ?? id, payload: #"{"id":"\#(id)"}"#)
    return try store.transaction { tx throws(StorageError) in try tx.enqueue(alert, groupingWithin: window, at: epoch.after(offset)) }
  }

  private func due(_ offset: Int64 = 0) throws -> [String] { try store.dueAlerts(at: epoch.after(offset)).map(\.id) }
  private func alert(_ id: String) throws -> QueuedAlert { try #require(try StoreReader(path: store.path).alert(id)) }

  @Test func `alerts come in order per hook, one hook not waiting for another`() throws {
    for (id, hook) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")] { try enqueue(id, hook) }
    #expect(try due() == ["a1", "b1"])
    try store.failed("a1", error: "connection refused", nextAttempt: epoch.after(minute))
    try store.delivered("b1", at: epoch.after(second))
    #expect(try due() == ["b2"], "a2 waits for a1")
    #expect(try due(minute) == ["a1", "b2"])
    try store.delivered("a1", at: epoch.after(minute))
    #expect(try due(minute) == ["a2", "b2"])

    let first = try alert("a1")
    #expect(first.state == .delivered)
    #expect(first.attempts == 2)
    #expect(first.delivered == epoch.after(minute))
    #expect(first.alert.payload == #"{"id":"a1"}"#)
  }

  @Test func `an alert that is given up lets the next one pass, and can be tried again`() throws {
    try enqueue("1")
    try enqueue("2")
    try store.gaveUp("1", error: "410 Gone")
    #expect(try due() == ["2"])
    #expect(try alert("1").state == .failed)
    #expect(try alert("1").lastError == "410 Gone")
    #expect(try store.retry("1", at: epoch.after(second)))
    #expect(try due(second) == ["1"])
  }

  @Test func `an alert that is unknown or delivered changes nothing`() throws {
    try enqueue("1")
    try store.delivered("1", at: epoch)
    #expect(try !store.delivered("1", at: epoch))
    #expect(try !store.failed("1", error: "late", nextAttempt: epoch))
    #expect(try !store.gaveUp("1", error: "late"))
    #expect(try !store.retry("1", at: epoch))
    #expect(try !store.retry("nobody", at: epoch))
    #expect(try alert("1").attempts == 1)
  }

  @Test func `one topic makes one alert in a window`() throws {
    #expect(try enqueue("1", topic: "new/vendor"))
    for index in 0..<1000 { #expect(try !enqueue("x\(index)", topic: "new/vendor", at: minute)) }
    #expect(try alert("1").suppressed == 1000)
    #expect(try enqueue("2", "mail", topic: "new/vendor"), "another hook")
    #expect(try enqueue("3", topic: "new/other"), "another topic")
    try store.delivered("1", at: epoch.after(minute))
    #expect(try !enqueue("4", topic: "new/vendor", at: hour - second), "delivered not long ago")
    #expect(try enqueue("5", topic: "new/vendor", at: hour + second), "the window is over")
    #expect(try StoreReader(path: store.path).alerts().map(\.id) == ["1", "2", "3", "5"])
  }

  @Test func `a pending alert stands for its topic however old it is, one given up does not`() throws {
    try enqueue("1", topic: "t")
    #expect(try !enqueue("2", topic: "t", at: 100 * day))
    try store.gaveUp("1", error: "no")
    #expect(try enqueue("3", topic: "t", at: 100 * day))
    #expect(try enqueue("4", topic: "t", within: 0, at: 100 * day), "no grouping asked for")
  }

  @Test func `an alert is there exactly when its finding is`() throws {
    let finding = Finding(kind: .new, severity: .warning, title: "t", workload: pod("web-1"))
    #expect(throws: StorageError.full(path: "x")) {
      try store.transaction { tx throws(StorageError) in
        let ids = try tx.record(findings: [finding], at: epoch)
        try tx.enqueue(Alert(id: "lost", hook: "chat", finding: ids.first, topic: "t", payload: "{}"), groupingWithin: hour, at: epoch)
        throw StorageError.full(path: "x")
      }
    }
    let reader = try StoreReader(path: store.path)
    #expect(try reader.alerts().isEmpty)
    #expect(try reader.findings().isEmpty)
    try store.transaction { tx throws(StorageError) in
      let ids = try tx.record(findings: [finding], at: epoch)
      try tx.enqueue(Alert(id: "kept", hook: "chat", finding: ids.first, topic: "t", payload: "{}"), groupingWithin: hour, at: epoch)
    }
    #expect(try reader.alerts(.pending).map(\.alert.finding) == reader.findings().map(\.id))
    #expect(try reader.alerts(.delivered).isEmpty)
  }

  @Test func `the same finding again raises its count`() throws {
    var finding = Finding(kind: .new, severity: .warning, title: "t", workload: pod("web-1"), firstSeen: epoch, lastSeen: epoch, flows: 1)
    var ids: Set<FindingID> = []
    for round in 1...3 {
      finding.flows = UInt64(round)
      finding.lastSeen = epoch.after(Int64(round) * minute)
      finding.firstSeen = finding.lastSeen
      ids.formUnion(try store.transaction { [finding] tx throws(StorageError) in try tx.record(findings: [finding], at: epoch) })
    }
    let stored = try StoreReader(path: store.path).findings()
    #expect(ids.count == 1)
    #expect(stored.map(\.count) == [3])
    #expect(stored.first?.finding.flows == 3)
    #expect(stored.first?.finding.firstSeen == epoch.after(minute))
    #expect(stored.first?.finding.lastSeen == epoch.after(3 * minute))
  }

  @Test func `ids are 128 random bits in hexadecimal`() {
    let ids = (0..<100).map { _ in Alert.makeID() }
    #expect(ids.allSatisfy { $0.utf8.count == 32 && UInt64($0.prefix(16), radix: 16) != nil && UInt64($0.suffix(16), radix: 16) != nil })
    #expect(Set(ids).count == 100)
  }

  @Test func `reverse DNS answers are kept until they expire`() throws {
    let (named, nameless, unknown) = (IPAddress(v4: 1), IPAddress(v4: 2), IPAddress(v4: 3))
    try store.transaction { tx throws(StorageError) in
      try tx.record(pointer: .name(DomainName(presentation: "host.example")), for: named, until: epoch.after(hour))
      try tx.record(pointer: .nothing, for: nameless, until: epoch.after(minute))
    }
    #expect(try store.pointer(named, at: epoch) == .name(DomainName(presentation: "host.example")))
    #expect(try store.pointer(nameless, at: epoch) == .nothing)
    #expect(try store.pointer(nameless, at: epoch.after(minute)) == nil)
    #expect(try store.pointer(unknown, at: epoch) == nil)
  }
}
