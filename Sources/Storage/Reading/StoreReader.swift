public import EgressModel

/// A reader with a read-only connection of its own; it sees whole transactions and never holds up the writer.
/// Not for more than one task or thread at a time.
public final class StoreReader {
  public let path: String
  let database: Database
  let facts: FactReader

  public init(path: String) throws(StorageError) {
    self.path = path
    guard DatabaseFile.exists(path) else { throw .missing(path: path) }
    try DatabaseFile.refuseDirectory(path)
    database = try Database(path: path, access: .readOnly)
    try database.prepareForReading()
    facts = try FactReader(database)
  }

  /// Reads everything in `body` from one moment's state of the database.
  public func snapshot<Result>(_ body: (StoreReader) throws(StorageError) -> Result) throws(StorageError) -> Result {
    guard !database.isInTransaction else { return try body(self) }
    facts.forget()
    try database.execute("BEGIN")
    defer { try? database.execute("COMMIT") }
    return try body(self)
  }

  /// Runs `body` over the rows of a query, in one snapshot.
  func rows(
    _ sql: String, bind: (Statement) -> Void = { _ in }, _ body: (Statement) throws(StorageError) -> Bool
  ) throws(StorageError) {
    try snapshot { (_: StoreReader) throws(StorageError) in
      let statement = try Statement(database, sql)
      bind(statement)
      while try statement.step() {
        guard try body(statement) else { return }
      }
    }
  }
}

/// How big the database is, and what is in it.
public struct StoreStatistics: Equatable, Sendable {
  /// Octets of the file, and of its write-ahead log.
  public var fileBytes: UInt64
  public var logBytes: UInt64
  /// Octets of the file that deleted rows left free.
  public var freeBytes: UInt64
  public var schema: Int
  /// Rows of every table.
  public var rows: [String: UInt64]
}

extension StoreReader {
  public func statistics() throws(StorageError) -> StoreStatistics {
    try snapshot { (_: StoreReader) throws(StorageError) in
      var rows: [String: UInt64] = [:]
      for table in ["runs", "endpoints", "flows", "names", "findings", "alerts", "pointers"] {
        rows[table] = UInt64(clamping: try database.integer("SELECT count(*) FROM \(table)"))
      }
      let free = try database.integer("PRAGMA freelist_count") * (try database.integer("PRAGMA page_size"))
      return StoreStatistics(
        fileBytes: DatabaseFile.size(path), logBytes: DatabaseFile.size(path + "-wal"), freeBytes: UInt64(clamping: free),
        schema: try database.schemaVersion(), rows: rows)
    }
  }

  /// The runs, oldest first.
  public func runs() throws(StorageError) -> [Run] {
    var runs: [Run] = []
    try rows(
      "SELECT id, kind, node, version, interfaces, started, heartbeat, ended, packets, dropped, evicted, undecoded FROM runs ORDER BY id"
    ) { (statement) throws(StorageError) in
      let row = try Row(statement, table: "runs")
      let description = RunDescription(
        kind: try row.word("kind"), node: try row.optionalText("node"), version: try row.text("version"),
        interfaces: try row.json("interfaces", StoredJSON.strings) ?? [])
      runs.append(
        Run(
          id: RunID(rawValue: row.id), description: description, started: try row.optionalTime("started"),
          heartbeat: try row.optionalTime("heartbeat"), ended: try row.optionalTime("ended"),
          counters: RunCounters(
            packets: try row.counter("packets"), dropped: try row.counter("dropped"), evicted: try row.counter("evicted"),
            undecoded: try row.counter("undecoded"))))
      return true
    }
    return runs
  }

  /// What reverse DNS said of the address; nil when nothing is known at `time`.
  public func pointer(_ address: IPAddress, at time: Timestamp) throws(StorageError) -> CachedPointer? {
    try PointerCache(database).pointer(address, at: time)
  }
}
