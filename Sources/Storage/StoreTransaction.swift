public import EgressModel

/// The writes of one transaction: all of them are kept, or none.
public struct StoreTransaction: ~Copyable {
  private let store: Store

  init(_ store: Store) { self.store = store }

  /// Stores flow records and adds to their endpoints what they tell beyond earlier records of the same flow.
  ///
  /// Gives for each flow whether its endpoint is new: its workload group never talked to this name (or, without a name, to this
  /// address), port and transport. Of several flows to a new endpoint the first one is told. A record's workload, when nil, is its source address.
  ///
  /// - Parameter findings: what is to be said of a flow, now that it is known whether its endpoint is new; stored with the flow. When it gives
  ///   nothing, what an earlier record of the same flow had stays.
  public borrowing func record(
    flows: [FlowRecord], findings: (FlowRecord, _ isNew: Bool) -> [FindingKind] = { flow, _ in flow.findings }
  ) throws(StorageError) -> [Bool] {
    let run = try store.activeRun()
    return try store.flows.record(flows, run: run.id, findings: findings)
  }

  public borrowing func record(names: [NameRecord]) throws(StorageError) { try store.names.record(names) }

  /// Stores findings, or raises the count of those that are there already (same kind, workload group, destination and rule).
  ///
  /// Sample flows are named by their id, so they must be flows of this run.
  public borrowing func record(findings: [Finding], at time: Timestamp) throws(StorageError) -> [FindingID] {
    let run = try store.activeRun()
    return try store.findings.record(findings, run: run.id, at: time)
  }

  /// Tells of a stretch in which this run did not watch all it should. The same gap again, with a later end, is the same gap, longer.
  public borrowing func record(gap: Coverage.Gap) throws(StorageError) {
    try store.runs.record(gap, run: try store.activeRun())
  }

  /// Tells that the run is alive and what it counted so far. For a replay `time` is the capture's, and `from` where it begins.
  ///
  /// A live run owes one with every batch, and one at least every `Coverage.heartbeatLimit`.
  public borrowing func heartbeat(from: Timestamp? = nil, at time: Timestamp, _ counters: RunCounters) throws(StorageError) {
    var run = try store.activeRun()
    try store.runs.beat(&run, from: from ?? time, until: time, counters)
    store.run = run
  }

  /// Queues an alert; false when one of its hook and topic is pending, or was delivered and is younger than `window` nanoseconds: then
  /// that one's `suppressed` goes up instead. A window of 0 queues always.
  @discardableResult
  public borrowing func enqueue(_ alert: Alert, groupingWithin window: Int64, at time: Timestamp) throws(StorageError) -> Bool {
    try store.alerts.enqueue(alert, groupingWithin: window, at: time)
  }

  /// Keeps what reverse DNS said.
  public borrowing func record(pointer: CachedPointer, for address: IPAddress, until expiry: Timestamp) throws(StorageError) {
    try store.pointers.store(pointer, for: address, until: expiry)
  }
}

extension Coverage {
  /// How long after its last heartbeat an unfinished run counts as alive: one minute, in nanoseconds.
  public static let heartbeatLimit: Int64 = 60_000_000_000

  /// How long before its last heartbeat a live run may have seen flows that it had not recorded yet, in nanoseconds: a flow's first record is made when it
  /// is two seconds old, which is looked for once a second, and is written half a second later at most.
  static let recordingTime: Int64 = 4_000_000_000
}
