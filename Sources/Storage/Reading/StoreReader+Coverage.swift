public import EgressModel

extension StoreReader {
  /// How far a report on the window can be trusted.
  ///
  /// A beginning of nil means the first moment that anybody watched, an end of nil the last (for a replay, where the capture ends), or `now` where
  /// nobody watched since a beginning that is given.
  /// Packets and drops are counted by the minute, so at the window's ends up to a minute may be counted in.
  public func coverage(from: Timestamp?, until: Timestamp?, now: Timestamp) throws(StorageError) -> Coverage {
    try snapshot { (_: StoreReader) throws(StorageError) in
      let watches = try runs().compactMap(Watch.init)
      let first = from ?? watches.map(\.from).min() ?? until ?? Timestamp(nanoseconds: 0)
      let lastWatched = watches.map(\.until).max() ?? first
      // The run in progress owes its next heartbeat only in a while.
      let isWatched = lastWatched >= first || watches.contains { $0.isUnfinished && first.since($0.until) <= Coverage.heartbeatLimit }
      let last = max(first, until ?? (isWatched ? lastWatched : now))
      let inside = watches.filter { $0.until >= first && $0.from <= last }
      var coverage = Coverage(from: first, until: last)
      coverage.nodes = Array(Set(inside.compactMap(\.node))).sorted()
      let firstStart = watches.filter(\.isLive).map(\.from).min() ?? last
      coverage.restarts = inside.count { $0.isLive && $0.from >= first && $0.from > firstStart }
      coverage.gaps = try gaps(watches, first, last)
      try count(&coverage)
      try countExternal(&coverage)
      return coverage
    }
  }

  /// The time that a run watched.
  private struct Watch {
    var from: Timestamp
    var until: Timestamp
    var isLive: Bool
    /// Neither ended nor known to be dead.
    var isUnfinished: Bool
    var node: String?

    init?(_ run: Run) {
      guard let started = run.started, let until = run.ended ?? run.heartbeat else { return nil }
      from = started
      self.until = max(started, until)
      isLive = run.description.kind == .live
      isUnfinished = isLive && run.ended == nil
      node = run.description.node
    }

    /// Until when it recorded all that it saw.
    var recordedUntil: Timestamp { isUnfinished ? max(from, until.adding(nanoseconds: -Coverage.recordingTime)) : until }

    /// What came after it.
    var gapReason: String { isUnfinished ? GapReason.killed : isLive ? GapReason.notRunning : GapReason.notCaptured }
  }

  /// What of the window no run covers, and the gaps that runs themselves told of.
  private func gaps(_ watches: [Watch], _ first: Timestamp, _ last: Timestamp) throws(StorageError) -> [Coverage.Gap] {
    var gaps: [Coverage.Gap] = []
    var (covered, recorded) = (first, first)
    var reason = GapReason.notRunning
    for watch in watches.sorted(by: { $0.from < $1.from }) {
      if watch.from > covered, covered < last {
        gaps.append(Coverage.Gap(from: recorded, until: min(watch.from, last), reason: reason))
      }
      if watch.until >= covered {
        (covered, recorded) = (watch.until, max(first, watch.recordedUntil))
        reason = watch.gapReason
      }
    }
    // The run in progress owes its next heartbeat only in a while.
    let isAlive = reason == GapReason.killed && last.since(covered) <= Coverage.heartbeatLimit
    if covered < last, !isAlive { gaps.append(Coverage.Gap(from: recorded, until: last, reason: reason)) }
    try rows(
      "SELECT run, since, until, reason FROM gaps WHERE until > ? AND since < ?",
      bind: {
        $0.bind(first.nanoseconds)
        $0.bind(last.nanoseconds)
      }
    ) { (statement) throws(StorageError) in
      let row = try Row(statement, table: "gaps")
      gaps.append(
        Coverage.Gap(from: max(first, try row.time("since")), until: min(last, try row.time("until")), reason: try row.text("reason")))
      return true
    }
    return gaps.sorted { ($0.from, $0.until, $0.reason) < ($1.from, $1.until, $1.reason) }
  }

  private func count(_ coverage: inout Coverage) throws(StorageError) {
    let minute: Int64 = 60_000_000_000
    var counted = coverage
    try rows(
      """
      SELECT 0, coalesce(sum(packets), 0), coalesce(sum(dropped), 0), coalesce(sum(evicted), 0), coalesce(sum(undecoded), 0)
      FROM minutes WHERE minute >= ? AND minute <= ?
      """,
      bind: {
        $0.bind(coverage.from.nanoseconds / minute)
        $0.bind(coverage.until.nanoseconds / minute)
      }
    ) { (statement) throws(StorageError) in
      let row = try Row(statement, table: "minutes")
      counted.packets = try row.counter("packets")
      counted.dropped = try row.counter("dropped")
      counted.evicted = try row.counter("evicted")
      counted.undecoded = try row.counter("undecoded")
      return true
    }
    coverage = counted
  }

  private func countExternal(_ coverage: inout Coverage) throws(StorageError) {
    var counted = coverage
    var clients: Set<String> = []
    // Sums as reals: hostile counters must not overflow an integer sum, and a share needs no last digit.
    try rows(
      """
      SELECT 0, CAST(total(flows) AS INTEGER), CAST(total(flows) FILTER (WHERE name = '') AS INTEGER),
        CAST(total(bytes_out + bytes_in) AS INTEGER), CAST(total(bytes_out + bytes_in) FILTER (WHERE name = '') AS INTEGER)
      FROM endpoints WHERE scope = 'external' AND last_seen >= ? AND first_seen <= ?
      """,
      bind: {
        $0.bind(coverage.from.nanoseconds)
        $0.bind(coverage.until.nanoseconds)
      }
    ) { (statement) throws(StorageError) in
      let row = try Row(statement, table: "endpoints")
      counted.externalFlows = try row.counter("flows")
      counted.unnamedFlows = try row.counter("flows")
      counted.externalBytes = try row.counter("bytes")
      counted.unnamedBytes = try row.counter("bytes")
      return true
    }
    try rows(
      """
      SELECT DISTINCT workload FROM endpoints
      WHERE application IN ('dot', 'doh', 'doq') AND scope = 'external' AND last_seen >= ? AND first_seen <= ?
      """,
      bind: {
        $0.bind(coverage.from.nanoseconds)
        $0.bind(coverage.until.nanoseconds)
      }
    ) { (statement) throws(StorageError) in
      clients.insert(try facts.workload(statement.anyInteger()).shortName)
      return true
    }
    counted.encryptedDNSClients = clients.sorted()
    coverage = counted
  }
}
