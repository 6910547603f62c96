import Capture
import EgressModel
import Flows
import Host
import Logging
import ServiceLifecycle
import Storage

/// Takes what the meter has, puts owners and reverse names on it and gives it to the recorder, until it is told to stop; then everything.
actor Pump: ServiceLifecycle.Service {
  struct Configuration: Sendable {
    var database: String
    var retention: RetentionLimits
    var host: CurrentHost
    var starts: ConnectionStarts
    /// Set where a cluster's API tells of pods, whose flows may be seen before.
    var pods: KnownPods?
    /// Nil switches reverse DNS off.
    var nameservers: [SocketAddress]?
    var counters: DaemonCounters
  }

  /// How soon after its first packet a flow's socket is asked for; a short-lived one is gone later.
  static let interval = Duration.milliseconds(50)
  /// How long records wait for others to share a transaction, in nanoseconds.
  static let batchTime: Int64 = 500_000_000
  static let heartbeatInterval: Int64 = 5_000_000_000
  static let retentionInterval: Int64 = 600_000_000_000
  /// Records kept in memory while the database cannot be written; beyond that the oldest are lost, counted and told.
  static let backlogLimit = 200_000

  private let meter: SharedMeter
  private let recorder: Recorder
  private let configuration: Configuration
  private let notifier: SystemdNotifier?
  private let logger: Logger
  private let onOutcome: @Sendable (Recorder.Outcome) -> Void

  private var owners: SocketOwners
  private var translations: AddressTranslations
  private var reverse: ReverseNames?
  /// What waits for the next transaction.
  private var records: [FlowRecord] = []
  private var names: [NameRecord] = []
  private var pointers: [(IPAddress, CachedPointer, until: Timestamp)] = []
  private var absent: [String: Timestamp] = [:]
  private var recordedAt: Timestamp
  private var retainedAt: Timestamp
  private var watchdogAt = ContinuousClock.now
  /// Set while the database cannot be written.
  private var failingSince: Timestamp?
  private var retryAt: ContinuousClock.Instant?
  private var lost: UInt64 = 0
  /// In earlier times of this kind.
  private var lostBefore: UInt64 = 0

  init(
    meter: SharedMeter, recorder: Recorder, configuration: Configuration, notifier: SystemdNotifier?, logger: Logger,
    onOutcome: @escaping @Sendable (Recorder.Outcome) -> Void
  ) {
    self.meter = meter
    self.recorder = recorder
    self.configuration = configuration
    self.notifier = notifier
    self.logger = logger
    self.onOutcome = onOutcome
    owners = SocketOwners(of: configuration.host, starts: configuration.starts)
    translations = AddressTranslations(logger: logger)
    recordedAt = WallClock.now
    retainedAt = WallClock.now
    do {
      reverse = try configuration.nameservers.map { nameservers throws(HostError) in try ReverseNames(nameservers: nameservers, of: configuration.host) }
    } catch {
      logger.warning("no reverse DNS: \(error)")
    }
    for warning in owners.warnings { logger.notice("\(warning)") }
  }

  func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      await tick()
      try? await Task.sleep(for: Self.interval)
    }
    await finish()
  }

  /// An interface was lost or is back; the stretch between is a gap in the coverage.
  func note(_ event: CaptureLoop.Event) async {
    switch event {
    case .grown: break
    case .lost(let interface, _, let time): absent[interface] = time
    case .opened(let interface, _, let since):
      absent[interface] = nil
      if let since { await record(gapOf: interface, since: since, until: WallClock.now) }
    }
  }

  private var isIdle: Bool { records.isEmpty && names.isEmpty }

  private func tick() async {
    let now = WallClock.now
    let batch = meter.withMeter { $0.advance(to: now) }
    owners.bind(batch.started)
    let translated = translations.ask(about: batch.started, at: now) { [meter] tuple in
      meter.withMeter { $0.isLive(tuple.transport, from: tuple.source, to: tuple.destination) }
    }
    if !translated.isEmpty { meter.withMeter { meter in for (start, translation) in translated { meter.note(translation, of: start) } } }
    names += batch.names
    var records = batch.records()
    records.apply(translated)
    await take(records, at: now)
    beatWatchdog()
    let (waiting, lost, isWritable) = (self.records.count, lost + lostBefore, failingSince == nil)
    configuration.counters.change { ($0.turned, $0.waiting, $0.lost, $0.isWritable) = (.now, waiting, lost, isWritable) }
    let isDue = now.since(recordedAt) >= (isIdle ? Self.heartbeatInterval : Self.batchTime) || now < recordedAt
    if isDue, retryAt.map({ .now >= $0 }) ?? true { await flush(at: now) }
    if now.since(retainedAt) >= Self.retentionInterval { await retain(at: now) }
  }

  /// Lets records pass reverse DNS on their way to the next transaction.
  private func take(_ records: [FlowRecord], at now: Timestamp) async {
    guard reverse != nil else {
      self.records += records
      return
    }
    var cached: [IPAddress: CachedPointer] = [:]
    for record in records where ReverseNames.wants(record) && cached[record.destination.ip] == nil {
      cached[record.destination.ip] = await recorder.pointer(record.destination.ip, at: now)
    }
    pointers += reverse?.step(at: now, excludingFrom: meter) ?? []
    self.records += reverse?.pass(records, at: now, cached: cached) ?? records
  }

  /// Records what is pending. What cannot be written waits, up to a limit, for the next try.
  private func flush(at now: Timestamp, isLast: Bool = false) async {
    for (interface, since) in absent { await record(gapOf: interface, since: since, until: now) }
    let late = isLast ? [] : awaited(at: now)
    let ready = late.isEmpty ? records : records.filter { !late.contains($0.id) }
    do {
      let counters = RunCounters(meter.withMeter { $0.counters }, dropped: meter.statistics.dropped)
      let outcome = try await recorder.record(
        recorder.annotate(ready, owners: owners.find(ready)), names: names, counters: counters, window: (from: recordedAt, until: now), pointers: pointers)
      owners.forget(ready)
      configuration.counters.note(outcome)
      // Nothing else runs between taking the records and here but notes of events, so these are exactly what was recorded.
      names = []
      records = late.isEmpty ? [] : records.filter { late.contains($0.id) }
      pointers = []
      recordedAt = now
      if let since = failingSince { await recovered(since: since, at: now) }
      if outcome.isNew.contains(true) { onOutcome(outcome) }
    } catch {
      failed(error, at: now)
    }
  }

  /// The flows whose pod the API may still tell of.
  private func awaited(at now: Timestamp) -> Set<UInt64> {
    guard let pods = configuration.pods else { return [] }
    let found = owners.find(records)
    return Set(records.lazy.filter { pods.isAwaited($0, owner: found[$0.id], at: now) }.map(\.id))
  }

  private func failed(_ error: StorageError, at now: Timestamp) {
    if failingSince == nil {
      failingSince = now
      logger.error("\(error); up to \(Self.backlogLimit) flows wait in memory until it can be written")
    }
    retryAt = .now + .seconds(2)
    let excess = records.count - Self.backlogLimit
    if excess > 0 {
      records.removeFirst(excess)
      lost += UInt64(excess)
    }
    if names.count > Self.backlogLimit { names.removeFirst(names.count - Self.backlogLimit) }
  }

  private func recovered(since: Timestamp, at now: Timestamp) async {
    logger.notice("\(configuration.database) can be written again; \(lost) flows were lost")
    if lost > 0 { await record(Coverage.Gap(from: since, until: now, reason: "database not writable, \(lost) flows lost")) }
    (failingSince, retryAt, lostBefore, lost) = (nil, nil, lostBefore + lost, 0)
  }

  private func record(gapOf interface: String, since: Timestamp, until: Timestamp) async {
    await record(Coverage.Gap(from: since, until: until, reason: "interface \(interface) gone"))
  }

  private func record(_ gap: Coverage.Gap) async {
    do {
      try await recorder.record(gap: gap)
    } catch {
      logger.error("\(error); a gap from \(gap.from) to \(gap.until) is not in the database: \(gap.reason)")
    }
  }

  private func retain(at now: Timestamp) async {
    retainedAt = now
    do {
      let outcome = try await recorder.retain(configuration.retention, at: now)
      logger.debug("retention: \(outcome)")
    } catch {
      logger.error("\(error); nothing was deleted")
    }
  }

  /// Tells systemd's watchdog, twice as often as it asks for, that this loop still turns.
  private func beatWatchdog() {
    guard let notifier, let period = notifier.watchdogMicroseconds else { return }
    let now = ContinuousClock.now
    guard now - watchdogAt >= .microseconds(Int64(clamping: period / 2)) else { return }
    watchdogAt = now
    try? notifier.notify(.watchdog)
  }

  /// Records everything there is: the end of capture ended every flow.
  private func finish() async {
    // Of flows that began a moment ago owners and translations are still to be asked for.
    await tick()
    try? notifier?.notify(.stopping)
    let now = WallClock.now
    records += reverse?.giveUp() ?? []
    while true {
      let batch = meter.withMeter { $0.drain(at: now, reason: .forcedEnd, limit: 8192) }
      if batch.isEmpty { break }
      names += batch.names
      records += batch.records()
      await flush(at: now, isLast: true)
    }
    await flush(at: now, isLast: true)
    if !isIdle { logger.error("\(records.count) flows could not be written to \(configuration.database) and are lost") }
    do {
      try await recorder.end(at: now)
    } catch {
      logger.error("\(error); the end of this run is not in the database")
    }
  }
}
