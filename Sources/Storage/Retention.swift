public import EgressModel

/// How long what is kept, and how much of it.
public struct RetentionLimits: Equatable, Sendable {
  /// Nanoseconds since an endpoint, name, finding, delivered alert or run was last seen.
  public var age: Int64
  /// Nanoseconds since a flow ended.
  public var flowsAge: Int64
  /// Of the database file; nil for no limit. Flows go first, the oldest first, then names, then endpoints.
  public var maximumBytes: UInt64?

  public init(age: Int64, flowsAge: Int64, maximumBytes: UInt64? = nil) {
    self.age = age
    self.flowsAge = flowsAge
    self.maximumBytes = maximumBytes
  }
}

/// What retention took away.
public struct RetentionOutcome: Equatable, Sendable {
  public var flows = 0
  public var endpoints = 0
  public var names = 0
  public var findings = 0
  public var alerts = 0
  public var runs = 0
  /// Size of the file in use, in octets, before and after.
  public var bytesBefore: UInt64 = 0
  public var bytesAfter: UInt64 = 0

  public init() {}
}

extension Store {
  /// Deletes what is older than the limits, then what is too much, in small transactions, and gives the space back to the file
  /// system. Pending alerts stay, whatever their age.
  public func retain(_ limits: RetentionLimits, at time: Timestamp) throws(StorageError) -> RetentionOutcome {
    var outcome = RetentionOutcome()
    outcome.bytesBefore = try usedBytes()
    // A flow names its endpoint, so it never outlives it.
    let old = time.adding(nanoseconds: -max(0, limits.age, limits.flowsAge)).nanoseconds
    let oldFlow = time.adding(nanoseconds: -max(0, limits.flowsAge)).nanoseconds

    outcome.flows += try deleteFlows(endedBefore: oldFlow)
    outcome.endpoints += try deleteInSteps("endpoints", "last_seen < \(old)")
    outcome.findings += try deleteInSteps("findings", "coalesce(last_seen, recorded) < \(old)")
    outcome.alerts += try deleteInSteps("alerts", "state <> 'pending' AND created < \(old)", key: "seq")
    outcome.names += try delete("DELETE FROM names WHERE last_seen < \(old)")
    outcome.runs += try deleteRuns(before: old)
    _ = try delete("DELETE FROM pointers WHERE expires < \(time.nanoseconds)")

    if let maximum = limits.maximumBytes { try shrink(to: maximum, &outcome) }
    if outcome.flows + outcome.endpoints + outcome.findings > 0 { try deleteUnused() }
    try database.execute("PRAGMA incremental_vacuum")
    if try database.text("PRAGMA journal_mode") == "wal" {
      // A reader in the middle of the log may keep it from being emptied: then the next time will.
      _ = try database.integer("PRAGMA wal_checkpoint(TRUNCATE)")
    }
    outcome.bytesAfter = try usedBytes()
    return outcome
  }

  // One transaction deletes at most this many rows, so that the writer never waits long.
  private static let step: Int64 = 4000

  private func usedBytes() throws(StorageError) -> UInt64 {
    let pages = try database.integer("PRAGMA page_count") - (try database.integer("PRAGMA freelist_count"))
    return UInt64(clamping: pages * (try database.integer("PRAGMA page_size")))
  }

  private func delete(_ sql: String) throws(StorageError) -> Int {
    try write { () throws(StorageError) in
      try database.execute(sql)
      return database.changes
    }
  }

  private func deleteFlows(endedBefore time: Int64) throws(StorageError) -> Int {
    var deleted = 0
    while true {
      let count = try delete("DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE end < \(time) ORDER BY end LIMIT \(Self.step))")
      deleted += count
      if count < Int(Self.step) { return deleted }
    }
  }

  /// Walks a table by its rowid, for conditions that no index serves.
  private func deleteInSteps(_ table: String, _ condition: String, key: String = "id") throws(StorageError) -> Int {
    var deleted = 0
    var first = try database.integer("SELECT coalesce(min(\(key)), 0) FROM \(table)")
    let last = try database.integer("SELECT coalesce(max(\(key)), -1) FROM \(table)")
    while first <= last {
      let (end, overflow) = first.addingReportingOverflow(Self.step)
      guard !overflow else { break }
      let exists = try database.integer("SELECT EXISTS(SELECT 1 FROM \(table) WHERE \(key) >= \(first) AND \(key) < \(end) AND \(condition))")
      if exists == 1 { deleted += try delete("DELETE FROM \(table) WHERE \(key) >= \(first) AND \(key) < \(end) AND \(condition)") }
      first = end
    }
    return deleted
  }

  private func deleteRuns(before time: Int64) throws(StorageError) -> Int {
    let current = run?.id ?? -1
    return try write { () throws(StorageError) in
      let old = "SELECT id FROM runs WHERE coalesce(ended, heartbeat, started, 0) < \(time) AND id <> \(current)"
      try database.execute("DELETE FROM minutes WHERE run IN (\(old)); DELETE FROM gaps WHERE run IN (\(old))")
      try database.execute("DELETE FROM minutes WHERE minute < \(time / 60_000_000_000); DELETE FROM gaps WHERE until < \(time)")
      try database.execute("DELETE FROM runs WHERE id IN (\(old))")
      return database.changes
    }
  }

  /// Deletes the oldest rows until the file's pages in use fit.
  private func shrink(to maximum: UInt64, _ outcome: inout RetentionOutcome) throws(StorageError) {
    while try usedBytes() > maximum {
      let flows = try delete("DELETE FROM flows WHERE id IN (SELECT id FROM flows ORDER BY end LIMIT \(Self.step))")
      outcome.flows += flows
      if flows > 0 { continue }
      let names = try deleteOldestTenth("names", "last_seen")
      outcome.names += names
      if names > 0 { continue }
      let endpoints = try deleteOldestTenth("endpoints", "last_seen")
      outcome.endpoints += endpoints
      // What is left is small, and pending alerts, which are never dropped.
      if endpoints == 0 { return }
      try deleteUnused()
    }
  }

  private func deleteOldestTenth(_ table: String, _ column: String) throws(StorageError) -> Int {
    let count = try database.integer("SELECT count(*) FROM \(table)")
    guard count > 0 else { return 0 }
    let limit = try database.integer("SELECT \(column) FROM \(table) ORDER BY \(column) LIMIT 1 OFFSET \(count / 10)")
    return try delete("DELETE FROM \(table) WHERE \(column) <= \(limit)")
  }

  /// Deletes workloads, vendors, verdicts and groups that no row names any more.
  private func deleteUnused() throws(StorageError) {
    _ = try delete(
      """
      DELETE FROM facts WHERE id NOT IN (
        SELECT workload FROM endpoints UNION SELECT vendor FROM endpoints WHERE vendor IS NOT NULL
        UNION SELECT verdict FROM endpoints WHERE verdict IS NOT NULL
        UNION SELECT workload FROM flows WHERE workload IS NOT NULL UNION SELECT vendor FROM flows WHERE vendor IS NOT NULL
        UNION SELECT verdict FROM flows WHERE verdict IS NOT NULL
        UNION SELECT workload FROM findings WHERE workload IS NOT NULL UNION SELECT vendor FROM findings WHERE vendor IS NOT NULL);
      DELETE FROM groups WHERE id NOT IN (SELECT grp FROM endpoints)
      """)
    forget()
  }
}
