public import EgressModel

/// The one writer of a database. Not for more than one task or thread at a time; readers open a `StoreReader` of their own.
///
/// A durable store is in WAL mode with `synchronous=NORMAL`: a process that is killed loses at most the transaction in
/// progress; a machine that loses power may lose the last few, and the file stays sound.
public final class Store {
  public let path: String
  let database: Database
  let facts: FactTable
  let flows: FlowWriter
  let names: NameWriter
  let findings: FindingWriter
  let runs: RunWriter
  let alerts: AlertQueue
  let pointers: PointerCache
  var run: RunWriter.Active?
  private var lock: RunLock?
  private let isTemporary: Bool
  private let begin: Statement
  private let commit: Statement
  private let rollback: Statement

  /// Opens the database at `path`, making the file (mode 0600) and the last directory of its path when they are not there, and migrates
  /// it to the schema of this version. Throws without touching the file when it is not ours or newer than we know.
  public convenience init(path: String) throws(StorageError) {
    try self.init(path: path, isTemporary: false, migrations: Schema.migrations)
  }

  /// A database for one replay: it skips what makes writes survive a crash, and is removed together with the store.
  ///
  /// Its run is one transaction, so a write that fails takes back the whole run, and readers see what was written when the run has ended.
  public static func temporary(in directory: String = "/tmp") throws(StorageError) -> Store {
    let path = try DatabaseFile.makeTemporaryDirectory(in: directory) + "/egress.db"
    do throws(StorageError) {
      return try Store(path: path, isTemporary: true, migrations: Schema.migrations)
    } catch {
      DatabaseFile.removeTemporary(path)
      throw error
    }
  }

  /// - Parameter rememberedNames: rows of a temporary database that are found without a key.
  init(
    path: String, isTemporary: Bool, migrations: [Migration], busyTimeout milliseconds: Int32 = 5000, rememberedNames: Int = 262_144
  ) throws(StorageError) {
    self.path = path
    self.isTemporary = isTemporary
    try DatabaseFile.create(path)
    database = try Database(path: path, access: .readWrite, busyTimeout: milliseconds)
    try database.prepareForWriting(isTemporary: isTemporary, migrations: migrations)
    facts = try FactTable(database)
    flows = try FlowWriter(database, facts: facts, isTemporary: isTemporary)
    names = try NameWriter(database, remembering: isTemporary ? rememberedNames : 0)
    findings = try FindingWriter(database, facts: facts)
    runs = try RunWriter(database)
    alerts = try AlertQueue(database)
    pointers = try PointerCache(database)
    begin = try Statement(database, "BEGIN IMMEDIATE")
    commit = try Statement(database, "COMMIT")
    rollback = try Statement(database, "ROLLBACK")
  }

  deinit {
    if isTemporary { DatabaseFile.removeTemporary(path) }
  }

  // MARK: Runs

  /// Begins a run: only one process at a time may have one in a database. A run that is not ended counts as killed at its last heartbeat.
  ///
  /// `time` counts for live runs; what a replay covers is told by its heartbeats.
  public func beginRun(_ description: RunDescription, at time: Timestamp) throws(StorageError) -> RunStart {
    if lock == nil, !isTemporary { lock = try RunLock(path) }
    // A daemon writes little at a time, and to the same pages; what it reads must not stay with it for weeks.
    if description.kind == .live { try database.execute("PRAGMA cache_size = -2048") }
    // Pages that many batches change are written once, and not with each.
    if isTemporary { try begin.run() }
    let (active, gap) = try write { () throws(StorageError) in try runs.begin(description, at: time) }
    run = active
    return RunStart(id: RunID(rawValue: active.id), gap: gap)
  }

  /// Ends the run: from now on nobody watches, and that is no crash.
  public func endRun(at time: Timestamp) throws(StorageError) {
    let active = try activeRun()
    try write { () throws(StorageError) in
      try flows.finish()
      try runs.end(active, at: time)
    }
    if database.isInTransaction { try commit.run() }
    // What was written is read by others, with pages of their own.
    try database.execute("PRAGMA shrink_memory")
    run = nil
    lock = nil
  }

  func activeRun() throws(StorageError) -> RunWriter.Active {
    guard let run else { throw .failed(path: path, cause: "no run has begun, so nothing can be recorded") }
    return run
  }

  // MARK: Transactions

  /// Runs `body` in one transaction. When it throws, nothing of it is kept, and the store can be used again.
  @discardableResult
  public func transaction<Result>(
    _ body: (borrowing StoreTransaction) throws(StorageError) -> Result
  ) throws(StorageError) -> Result {
    try write { () throws(StorageError) in try body(StoreTransaction(self)) }
  }

  func write<Result>(_ body: () throws(StorageError) -> Result) throws(StorageError) -> Result {
    let runBefore = run
    // Of a temporary database's one transaction, which holds the run's beginning as well.
    let isPart = database.isInTransaction
    if !isPart { try begin.run() }
    do throws(StorageError) {
      let result = try body()
      if !isPart { try commit.run() }
      return result
    } catch {
      // SQLite rolls back by itself on some errors (a full disk); what the caller must hear is the first error.
      if database.isInTransaction { try? rollback.run() }
      run = isPart ? nil : runBefore
      forget()
      throw error
    }
  }

  /// Forgets what was remembered of the file's rows.
  func forget() {
    facts.forget()
    flows.forget()
    names.forget()
  }

  // MARK: Alerts

  /// The alerts to deliver now: of each hook the oldest that is pending, unless its next attempt is still to come.
  public func dueAlerts(at time: Timestamp) throws(StorageError) -> [QueuedAlert] { try alerts.due(at: time) }

  /// False when no pending alert has that id; so for the three that follow.
  @discardableResult
  public func delivered(_ id: String, at time: Timestamp) throws(StorageError) -> Bool { try alerts.deliver(id, at: time) }

  @discardableResult
  public func failed(_ id: String, error: String, nextAttempt: Timestamp) throws(StorageError) -> Bool {
    try alerts.fail(id, error: error, nextAttempt: nextAttempt)
  }

  /// Counts the attempt and tries no more.
  @discardableResult
  public func gaveUp(_ id: String, error: String) throws(StorageError) -> Bool { try alerts.giveUp(id, error: error) }

  /// Makes an undelivered alert due now, given up or not.
  @discardableResult
  public func retry(_ id: String, at time: Timestamp) throws(StorageError) -> Bool { try alerts.retry(id, at: time) }

  // MARK: Reverse DNS

  /// What reverse DNS said of the address; nil when it must be asked.
  public func pointer(_ address: IPAddress, at time: Timestamp) throws(StorageError) -> CachedPointer? {
    try pointers.pointer(address, at: time)
  }
}
