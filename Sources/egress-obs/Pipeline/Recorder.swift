import Drift
import EgressModel
import Flows
import Policy
import Storage
import Synchronization

/// Owns the database: annotates what the meter gives, stores it, and raises findings and alerts in the same transaction.
///
/// `run` and `replay` drive the same recorder. One batch is one transaction: a crash loses at most the batch in flight.
actor Recorder {
  private let store: Store
  private let annotator: Mutex<Annotator>
  private let alerting: Alerting?
  /// Whether findings are stored, and not only told with their flow: a replay alerts nobody, and reports find them anew.
  private let keepsFindings: Bool

  /// The egress of one batch, ready to be stored.
  // Not copyable, so that nobody else holds the flows.
  struct Annotated: ~Copyable, Sendable {
    var flows: [FlowRecord]
    /// By the policies that the flows were judged by.
    let detector: FindingDetector
  }

  /// What one batch came to.
  struct Outcome: Sendable {
    /// Egress flows, annotated, in the meter's order.
    var flows: [FlowRecord] = []
    /// For each of `flows`, whether its workload never talked to its endpoint before.
    var isNew: [Bool] = []
    var names: [NameRecord] = []
    var alerts = 0

    /// The flows to endpoints that are new.
    var new: [FlowRecord] { zip(flows, isNew).filter(\.1).map(\.0) }
  }

  init(store: sending Store, annotator: Annotator, alerting: Alerting? = nil, keepsFindings: Bool = true) {
    self.keepsFindings = keepsFindings
    self.store = store
    self.annotator = Mutex(annotator)
    self.alerting = alerting
  }

  /// Opens a run; gives the gap since the one before.
  func begin(_ run: RunDescription, at start: Timestamp) throws(StorageError) -> Coverage.Gap? {
    try store.beginRun(run, at: start).gap
  }

  func end(at time: Timestamp) throws(StorageError) { try store.endRun(at: time) }

  /// Leaves out what is no egress and annotates the rest; may go on while the batch before is being stored.
  ///
  /// - Parameter owners: who owns the sockets of this host's own flows, by flow.
  nonisolated func annotate(_ records: consuming [FlowRecord], owners: [UInt64: Workload] = [:]) -> Annotated {
    var flows = records
    let detector = annotator.withLock { annotator in
      flows.removeAll { !annotator.isEgress($0) }
      for index in flows.indices { annotator.annotate(&flows[index], owner: owners[flows[index].id]) }
      return annotator.detector
    }
    return Annotated(flows: flows, detector: detector)
  }

  /// - Parameter window: from where to where the records reach, in the time of the capture.
  func record(
    _ annotated: consuming Annotated, names: [NameRecord], counters: RunCounters, window: (from: Timestamp, until: Timestamp),
    pointers: [(IPAddress, CachedPointer, until: Timestamp)] = []
  ) throws(StorageError) -> Outcome {
    let detector = annotated.detector
    var outcome = Outcome(names: names)
    // Taken and not shared, so that they are told their findings in place.
    swap(&outcome.flows, &annotated.flows)
    let (from, until) = window
    try store.transaction { transaction throws(StorageError) in
      try transaction.record(names: outcome.names)
      var kinds: [[FindingKind]] = []
      kinds.reserveCapacity(outcome.flows.count)
      outcome.isNew = try transaction.record(flows: outcome.flows) { flow, isNew in
        // A long flow is recorded again and again; what is to be said of it is said the first time.
        kinds.append(flow.isFirstRecord ? detector.kinds(in: flow, isNew: isNew) : [])
        return kinds[kinds.count - 1]
      }
      for index in outcome.flows.indices { outcome.flows[index].findings = kinds[index] }
      let findings = keepsFindings ? outcome.flows.flatMap { detector.findings($0.findings, in: $0) } : []
      let ids = try transaction.record(findings: findings, at: until)
      if let alerting {
        for (finding, id) in zip(findings, ids) where alerting.wants(finding, at: until) {
          for hook in alerting.hooks where try transaction.enqueue(
            alerting.alert(of: finding, id, for: hook, at: until), groupingWithin: alerting.groupingWindow.nanoseconds, at: until)
          {
            outcome.alerts += 1
          }
        }
      }
      for (address, pointer, expiry) in pointers { try transaction.record(pointer: pointer, for: address, until: expiry) }
      try transaction.heartbeat(from: from, at: until, counters)
    }
    return outcome
  }

  func record(gap: Coverage.Gap) throws(StorageError) {
    try store.transaction { transaction throws(StorageError) in try transaction.record(gap: gap) }
  }

  func retain(_ limits: RetentionLimits, at time: Timestamp) throws(StorageError) -> RetentionOutcome { try store.retain(limits, at: time) }

  /// What reverse DNS said of the address in this run or an earlier one; a database that cannot say counts as not knowing.
  func pointer(_ address: IPAddress, at time: Timestamp) -> CachedPointer? { try? store.pointer(address, at: time) }

  // MARK: - Alerts

  func dueAlerts(at time: Timestamp) throws(StorageError) -> [QueuedAlert] { try store.dueAlerts(at: time) }
  func alertDelivered(_ id: String, at time: Timestamp) throws(StorageError) { try store.delivered(id, at: time) }
  func alertGivenUp(_ id: String, error: String) throws(StorageError) { try store.gaveUp(id, error: error) }
  func alertFailed(_ id: String, error: String, nextAttempt: Timestamp) throws(StorageError) {
    try store.failed(id, error: error, nextAttempt: nextAttempt)
  }

  /// Who counts as local from now on; of no matter where everybody does.
  nonisolated func changeLocal(_ change: (inout [IPPrefix]) -> Void) {
    annotator.withLock { annotator in
      guard var local = annotator.local else { return }
      change(&local)
      annotator.local = local
    }
  }

  /// Judges what comes from now on by other policies.
  nonisolated func replace(annotator new: Annotator) { annotator.withLock { $0 = new } }
}

extension FlowRecord {
  /// Whether no earlier record told of this flow.
  var isFirstRecord: Bool { reportedOut.packets == 0 && reportedIn.packets == 0 }
}
