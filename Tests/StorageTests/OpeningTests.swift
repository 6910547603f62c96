import EgressModel
import Foundation
import Testing

@testable import Storage

@Suite struct OpeningTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func error(_ body: () throws -> Void) -> StorageError? {
    do {
      try body()
      return nil
    } catch {
      return error as? StorageError
    }
  }

  private func permissions(_ path: String) throws -> Int? {
    (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
  }

  @Test func `a new database and its directory are for their owner alone`() throws {
    let path = scratch.path("egress-obs/egress.db")
    let store = try Store(path: path)
    _ = try store.beginRun(live, at: epoch)
    #expect(try permissions(scratch.path("egress-obs")) == 0o700)
    for file in [path, path + "-wal", path + "-shm", path + "-lock"] { #expect(try permissions(file) == 0o600, "\(file)") }
  }

  @Test func `a database is marked as ours`() throws {
    _ = try Store(path: scratch.path())
    let database = try Database(path: scratch.path(), access: .readOnly)
    #expect(try database.integer("PRAGMA application_id") == 0x4547_524f)
    #expect(try database.integer("PRAGMA user_version") == Int64(Schema.migrations.count))
    #expect(try database.text("PRAGMA journal_mode") == "wal")
  }

  @Test func `a directory above that is missing, too, is named`() throws {
    let path = scratch.path("no/such/egress.db")
    #expect(error { _ = try Store(path: path) } == .missingDirectory(path: path, directory: scratch.path("no/such")))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("no")))
  }

  @Test func `a file that is no database is refused and left as it was`() throws {
    let text = String(repeating: "this is a letter, not a database\n", count: 100)
    try text.write(toFile: scratch.path(), atomically: true, encoding: .utf8)
    #expect(error { _ = try Store(path: scratch.path()) } == .notADatabase(path: scratch.path()))
    #expect(error { _ = try StoreReader(path: scratch.path()) } == .notADatabase(path: scratch.path()))
    #expect(try String(contentsOfFile: scratch.path(), encoding: .utf8) == text)
  }

  @Test(arguments: [0, 1_234_567]) func `a database of another program is refused and left as it was`(applicationID: Int64) throws {
    try DatabaseFile.create(scratch.path())
    let other = try Database(path: scratch.path(), access: .readWrite)
    try other.execute("PRAGMA application_id = \(applicationID); CREATE TABLE places(url TEXT); INSERT INTO places VALUES('x')")
    let before = try Data(contentsOf: URL(fileURLWithPath: scratch.path()))
    #expect(error { _ = try Store(path: scratch.path()) } == .foreign(path: scratch.path(), applicationID: applicationID))
    #expect(error { _ = try StoreReader(path: scratch.path()) } == .foreign(path: scratch.path(), applicationID: applicationID))
    #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path())) == before)
  }

  @Test func `a newer schema is refused`() throws {
    do { _ = try Store(path: scratch.path()) }
    try Database(path: scratch.path(), access: .readWrite).execute("PRAGMA user_version = 99")
    let expected = StorageError.newer(path: scratch.path(), schema: 99, supported: Schema.migrations.count)
    #expect(error { _ = try Store(path: scratch.path()) } == expected)
    #expect(error { _ = try StoreReader(path: scratch.path()) } == expected)
  }

  @Test func `a reader does not make what is not there`() {
    #expect(error { _ = try StoreReader(path: scratch.path()) } == .missing(path: scratch.path()))
    #expect(!FileManager.default.fileExists(atPath: scratch.path()))
  }

  @Test func `a path that is a directory is an error of its own`() {
    guard case .cannotOpen(scratch.directory, _)? = error({ _ = try Store(path: scratch.directory) }) else {
      Issue.record("a directory was opened")
      return
    }
  }

  @Test func `only one run at a time records into a database`() throws {
    let first = try Store(path: scratch.path())
    _ = try first.beginRun(live, at: epoch)
    let second = try Store(path: scratch.path())
    let process = ProcessInfo.processInfo.processIdentifier
    #expect(
      error { _ = try second.beginRun(live, at: epoch) }
        == .locked(path: scratch.path(), cause: "another egress-obs (process \(process)) records into it"))
    #expect(error { try second.endRun(at: epoch) } == .failed(path: scratch.path(), cause: "no run has begun, so nothing can be recorded"))
    // What needs no run goes on meanwhile: `alerts retry` while the daemon runs.
    #expect(try !second.retry("nobody", at: epoch))
    try first.endRun(at: epoch)
    _ = try second.beginRun(live, at: epoch)
  }

  @Test func `a writer that waits too long for another says so, and can try again`() throws {
    let store = try Store(path: scratch.path(), isTemporary: false, migrations: Schema.migrations, busyTimeout: 20)
    _ = try store.beginRun(live, at: epoch)
    let other = try Database(path: scratch.path(), access: .readWrite)
    try other.execute("BEGIN IMMEDIATE")
    let record = flow(1)
    #expect(
      error { _ = try store.transaction { tx throws(StorageError) in try tx.record(flows: [record]) } }
        == .locked(path: scratch.path(), cause: "another process holds its write lock"))
    try other.execute("ROLLBACK")
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: [record]) } == [true])
  }

  @Test func `a temporary database goes away with its store`() throws {
    var store: Store? = try Store.temporary(in: scratch.directory)
    let path = try #require(store?.path)
    _ = try store?.beginRun(RunDescription(kind: .replay, version: "test"), at: epoch)
    _ = try StoreReader(path: path)
    #expect(FileManager.default.fileExists(atPath: path))
    store = nil
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.directory).isEmpty)
  }

  private func ids(_ path: String) throws -> [UInt64] {
    var ids: [UInt64] = []
    try StoreReader(path: path).flows { flow in
      ids.append(flow.id)
      return true
    }
    return ids.sorted()
  }

  @Test func `a run of a temporary database is kept as a whole or not at all`() throws {
    let store = try Store.temporary(in: scratch.directory)
    let replay = RunDescription(kind: .replay, version: "test")
    _ = try store.beginRun(replay, at: epoch)
    try store.transaction { tx throws(StorageError) in _ = try tx.record(flows: [flow(1)]) }
    #expect(try ids(store.path).isEmpty)
    #expect(throws: StorageError.full(path: "disk")) {
      try store.transaction { tx throws(StorageError) in
        _ = try tx.record(flows: [flow(2)])
        throw .full(path: "disk")
      }
    }
    #expect(throws: StorageError.self) { try store.transaction { tx throws(StorageError) in _ = try tx.record(flows: [flow(3)]) } }
    _ = try store.beginRun(replay, at: epoch)
    let news = try [flow(4), flow(5), flow(6, to: "203.0.113.77")].map { record in
      try store.transaction { tx throws(StorageError) in try tx.record(flows: [record]) }
    }
    #expect(news == [[true], [false], [true]])
    try store.endRun(at: epoch)
    #expect(try ids(store.path) == [4, 5, 6])
  }

  @Test func `a temporary database is searched by an index, once something must be looked for`() throws {
    let store = try Store.temporary(in: scratch.directory)
    let replay = RunDescription(kind: .replay, version: "test")
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE name = 'endpoints_key'"
    _ = try store.beginRun(replay, at: epoch)
    #expect(try store.transaction { tx throws(StorageError) in try tx.record(flows: [flow(1)]) } == [true])
    #expect(try store.database.integer(indexes) == 0)
    try store.endRun(at: epoch)
    // What was remembered of the file is forgotten with a write that fails.
    for round in 0..<2 {
      _ = try store.beginRun(replay, at: epoch)
      #expect(throws: StorageError.full(path: "disk")) { try store.transaction { _ throws(StorageError) in throw .full(path: "disk") } }
      _ = try store.beginRun(replay, at: epoch)
      let news = try store.transaction { tx throws(StorageError) in try tx.record(flows: [flow(2), flow(3, to: "203.0.113.\(77 + round)")]) }
      #expect(news == [false, true])
      #expect(try store.database.integer(indexes) == 1)
      try store.endRun(at: epoch)
    }
  }

  @Test func `every message names the file and a next step`() {
    let errors: [StorageError] = [
      .missingDirectory(path: "/p/x.db", directory: "/p"), .missing(path: "/p/x.db"), .cannotOpen(path: "/p/x.db", cause: "c"),
      .readOnly(path: "/p/x.db", cause: "c"), .notADatabase(path: "/p/x.db"), .foreign(path: "/p/x.db", applicationID: 1),
      .newer(path: "/p/x.db", schema: 2, supported: 1), .older(path: "/p/x.db", schema: 1, supported: 2), .locked(path: "/p/x.db", cause: "c"),
      .full(path: "/p/x.db"), .corrupt(path: "/p/x.db", cause: "c"), .malformed(path: "/p/x.db", table: "t", row: "1", cause: "c"),
      .migration(path: "/p/x.db", to: 2, cause: "c"), .failed(path: "/p/x.db", cause: "c"),
    ]
    for error in errors {
      #expect(error.description.contains("/p/x.db"))
      #expect(error.description.hasSuffix(")") && error.description.contains(" ("), "\(error)")
      #expect(!error.description.contains("\n"))
    }
    #expect(Set(errors.map(\.description)).count == errors.count)
  }

  @Test(arguments: [
    ("UPDATE flows SET source = 'nowhere'", "flows", "source"), ("UPDATE flows SET packets_out = 'many'", "flows", "packets_out"),
    ("UPDATE flows SET bytes_in = -1", "flows", "bytes_in"), ("UPDATE flows SET port = 70000", "flows", "port"),
    ("UPDATE flows SET transport = 300", "flows", "transport"), ("UPDATE flows SET state = 'gone'", "flows", "state"),
    ("UPDATE flows SET end_reason = 77", "flows", "end_reason"), ("UPDATE flows SET names = '[{]'", "flows", "names"),
    ("UPDATE flows SET tls = '{}'", "flows", "tls"), ("UPDATE flows SET findings = 'new old'", "flows", "findings"),
    ("UPDATE flows SET start = x'00'", "flows", "start"), ("UPDATE flows SET workload = 4711", "facts", "missing"),
    ("UPDATE facts SET json = '[]'", "facts", "json"), ("UPDATE endpoints SET trust = 99", "endpoints", "trust"),
    ("UPDATE endpoints SET address = ''", "endpoints", "address"), ("UPDATE endpoints SET scope = 'here'", "endpoints", "scope"),
    ("UPDATE endpoints SET flows = 1.5", "endpoints", "flows"), ("UPDATE names SET addresses = '1.2.3.4 5'", "names", "addresses"),
    ("UPDATE names SET ttl = -1", "names", "ttl"), ("UPDATE findings SET kind = 'odd'", "findings", "kind"),
    ("UPDATE findings SET samples = '1 x'", "findings", "samples"), ("UPDATE findings SET destination = '{}'", "findings", "destination"),
    ("UPDATE alerts SET state = 'sent'", "alerts", "state"), ("UPDATE runs SET interfaces = 'eth0'", "runs", "interfaces"),
  ])
  func `an edited row is an error that names its table and column`(sql: String, table: String, column: String) throws {
    do {
      let store = try Store(path: scratch.path())
      _ = try store.beginRun(live, at: epoch)
      var record = flow(1, name: evidence("a.example"))
      record.tls = TLSFacts(sni: DomainName(presentation: "a.example"))
      let name = NameRecord(
        time: epoch, client: IPAddress(v4: 1), server: IPAddress(v4: 2), name: DomainName(presentation: "a.example"), type: "A",
        addresses: [IPAddress(v4: 3)], ttl: 1, rcode: "NOERROR")
      let finding = Finding(
        kind: .new, severity: .info, title: "t", workload: pod("web-1"),
        destination: Destination(address: IPAddress(v4: 1), port: 443, transport: .tcp), samples: [record])
      try store.transaction { [record] tx throws(StorageError) in
        _ = try tx.record(flows: [record])
        try tx.record(names: [name])
        _ = try tx.record(findings: [finding], at: epoch)
        try tx.enqueue(Alert(id: "1", hook: "h", topic: "t", payload: "{}"), groupingWithin: 0, at: epoch)
      }
    }
    try Database(path: scratch.path(), access: .readWrite).execute(sql)
    let reader = try StoreReader(path: scratch.path())
    let error = error {
      try reader.flows { _ in true }
      _ = try reader.endpoints()
      _ = try reader.names()
      _ = try reader.findings()
      _ = try reader.alerts()
      _ = try reader.runs()
    }
    guard case .malformed(scratch.path(), table, _, let cause)? = error else {
      Issue.record("\(sql) gave \(error.map { "\($0)" } ?? "no error")")
      return
    }
    #expect(cause.contains(column))
  }
}
