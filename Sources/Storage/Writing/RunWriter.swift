import EgressModel

/// Writes runs, what they saw minute by minute, and their gaps.
final class RunWriter {
  /// The run in progress.
  struct Active {
    var id: Int64
    var kind: RunDescription.Kind
    /// What the file holds already.
    var counters = RunCounters()
  }

  private let database: Database
  private let insert: Statement
  private let beat: Statement
  private let minute: Statement
  private let gap: Statement
  private let end: Statement

  init(_ database: Database) throws(StorageError) {
    self.database = database
    insert = try Statement(
      database, "INSERT INTO runs(kind, node, version, interfaces, started, heartbeat) VALUES(?, ?, ?, ?, ?5, ?5)")
    // Only a replay's beginning moves: captures need not be given in their order.
    beat = try Statement(
      database,
      """
      UPDATE runs SET started = CASE kind WHEN 'replay' THEN min(coalesce(started, ?1), ?1) ELSE started END,
        heartbeat = max(coalesce(heartbeat, ?2), ?2), packets = ?3, dropped = ?4, evicted = ?5, undecoded = ?6 WHERE id = ?7
      """)
    minute = try Statement(
      database,
      """
      INSERT INTO minutes(run, minute, packets, dropped, evicted, undecoded) VALUES(?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET packets = packets + excluded.packets, dropped = dropped + excluded.dropped,
        evicted = evicted + excluded.evicted, undecoded = undecoded + excluded.undecoded
      """)
    gap = try Statement(
      database,
      """
      INSERT INTO gaps(run, since, reason, until) VALUES(?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET until = max(until, excluded.until)
      """)
    end = try Statement(database, "UPDATE runs SET ended = coalesce(?, heartbeat), heartbeat = coalesce(?1, heartbeat) WHERE id = ?")
  }

  func begin(_ run: RunDescription, at time: Timestamp) throws(StorageError) -> (active: Active, gap: Coverage.Gap?) {
    let gap = run.kind == .live ? try gapSinceLastRun(until: time) : nil
    insert.bind(run.kind.rawValue)
    insert.bind(run.node)
    insert.bind(run.version)
    insert.bind(JSONValue.strings(run.interfaces).text)
    // What a replay covers is known from what it stores.
    insert.bind(run.kind == .live ? time.nanoseconds : nil)
    try insert.run()
    return (Active(id: database.lastInsertedRow, kind: run.kind), gap)
  }

  private func gapSinceLastRun(until time: Timestamp) throws(StorageError) -> Coverage.Gap? {
    let last = try Statement(
      database,
      "SELECT coalesce(ended, max(started, heartbeat - ?)), ended IS NULL FROM runs WHERE kind = 'live' ORDER BY id DESC LIMIT 1")
    last.bind(Coverage.recordingTime)
    guard try last.step() else { return nil }
    let end = Timestamp(nanoseconds: last.anyInteger())
    let reason = last.anyInteger() == 0 ? GapReason.notRunning : GapReason.killed
    return end < time ? Coverage.Gap(from: end, until: time, reason: reason) : nil
  }

  /// Widens a replay's window to what it stored, or tells that a live run is alive.
  func beat(_ run: inout Active, from: Timestamp, until: Timestamp, _ counters: RunCounters) throws(StorageError) {
    beat.bind(from.nanoseconds)
    beat.bind(until.nanoseconds)
    bind(counters, to: beat)
    beat.bind(run.id)
    try beat.run()
    let more = counters.less(run.counters)
    if more != RunCounters() {
      minute.bind(run.id)
      minute.bind(until.nanoseconds / 60_000_000_000)
      bind(more, to: minute)
      try minute.run()
    }
    run.counters = counters
  }

  func record(_ gap: Coverage.Gap, run: Active) throws(StorageError) {
    self.gap.bind(run.id)
    self.gap.bind(gap.from.nanoseconds)
    self.gap.bind(gap.reason)
    self.gap.bind(gap.until.nanoseconds)
    try self.gap.run()
  }

  func end(_ run: Active, at time: Timestamp) throws(StorageError) {
    end.bind(run.kind == .live ? time.nanoseconds : nil)
    end.bind(run.id)
    try end.run()
  }

  private func bind(_ counters: RunCounters, to statement: Statement) {
    statement.bind(Int64(clamping: counters.packets))
    statement.bind(Int64(clamping: counters.dropped))
    statement.bind(Int64(clamping: counters.evicted))
    statement.bind(Int64(clamping: counters.undecoded))
  }
}

/// Why nobody watched between two runs.
enum GapReason {
  static let notRunning = "not running"
  static let killed = "killed"
  static let notCaptured = "not captured"
}

extension RunCounters {
  /// What came since `earlier`; a counter that went backwards began again and counts as nothing.
  fileprivate func less(_ earlier: RunCounters) -> RunCounters {
    RunCounters(
      packets: packets - min(packets, earlier.packets), dropped: dropped - min(dropped, earlier.dropped),
      evicted: evicted - min(evicted, earlier.evicted), undecoded: undecoded - min(undecoded, earlier.undecoded))
  }
}
