import Capture
import EgressModel
import Flows
import Storage
import Synchronization

/// The pipeline over capture files: one task reads and meters while others annotate and store the batches before.
struct Replay {
  /// Batches on their way: one is being stored while the next is annotated, and two more let reading go on when batches differ in size.
  static let batchesInFlight = 4
  /// Records drained at once when the captures end.
  static let recordsPerBatch = 2_048

  let recorder: Recorder
  /// Frames metered between two batches, at some 20 frames a flow. Few keep memory low and both cores busy; but in a database that is kept a batch is a
  /// transaction, which costs the more the smaller it is.
  let framesPerBatch: Int
  let progress: Progress?
  /// Told every batch, in order.
  let onOutcome: @Sendable (Recorder.Outcome) -> Void

  private var packets: UInt64 = 0
  private var first: Timestamp?
  private var last: Timestamp?
  /// Oldest first; each waits for the one before.
  private var writing: [Task<Void, any Error>] = []

  /// Whether any frame was read.
  var hasRead: Bool { first != nil }

  init(recorder: Recorder, framesPerBatch: Int, progress: Progress?, onOutcome: @escaping @Sendable (Recorder.Outcome) -> Void) {
    self.recorder = recorder
    self.framesPerBatch = framesPerBatch
    self.progress = progress
    self.onOutcome = onOutcome
  }

  /// Reads the files one after the other; gives what went wrong with each, after everything that could be read of it was recorded.
  mutating func run(_ paths: [String], configuration: FlowMeterConfiguration) async throws -> [CaptureError] {
    let errors = try await meter(paths, configuration)
    try await writing.last?.value
    try await recorder.end(at: last ?? Timestamp(nanoseconds: 0))
    return errors
  }

  /// The meter is gone when this returns, while the last batch is still being stored.
  private mutating func meter(_ paths: [String], _ configuration: FlowMeterConfiguration) async throws -> [CaptureError] {
    var meter = FlowMeter(configuration: configuration)
    var errors: [CaptureError] = []
    for path in paths {
      do {
        try await read(path, &meter)
      } catch let error as CaptureError {
        errors.append(error)
      }
    }
    let end = last ?? Timestamp(nanoseconds: 0)
    while true {
      let batch = meter.drain(at: end, reason: .forcedEnd, limit: Self.recordsPerBatch)
      if batch.isEmpty { break }
      try await handOver(batch, meter.counters)
    }
    try await handOver(FlowBatch(), meter.counters)
    return errors
  }

  private mutating func read(_ path: String, _ meter: inout FlowMeter) async throws {
    let source = try PacketSource(file: path)
    let linkType = source.linkType
    var (first, last) = (first, last)
    while true {
      var bytes: UInt64 = 0
      let outcome = try source.read(atMost: framesPerBatch) { frame, time, length in
        if first == nil { first = time }
        // Captures of several interfaces are not always in order; time does not run backwards for it.
        if last.map({ time > $0 }) ?? true { last = time }
        bytes &+= UInt64(frame.count + 16)
        meter.observe(frame, linkType: linkType, at: time, originalLength: length)
      }
      (self.first, self.last) = (first, last)
      guard case .frames(let count) = outcome, let now = last else { return }
      packets += UInt64(count)
      progress?.note(packets: packets, bytes: bytes)
      try await handOver(meter.advance(to: now), meter.counters)
    }
  }

  /// Lets a batch be annotated and stored while reading goes on, once not too many are in memory.
  private mutating func handOver(_ batch: consuming FlowBatch, _ counters: FlowMeterCounters) async throws {
    while writing.count >= Self.batchesInFlight { try await writing.removeFirst().value }
    let end = last ?? Timestamp(nanoseconds: 0)
    let window = (from: first ?? end, until: end)
    let counters = RunCounters(counters, dropped: 0)
    let before = writing.last
    let parcel = Parcel(batch)
    writing.append(
      Task { [recorder, onOutcome] in
        guard let batch = parcel.take() else { return }
        let names = batch.names
        let annotated = recorder.annotate(batch.records())
        try await before?.value
        onOutcome(try await recorder.record(annotated, names: names, counters: counters, window: window))
      })
  }
}

/// A batch on its way to another task. What a closure captures it keeps until it ends, and a batch that two hold is copied.
private final class Parcel: Sendable {
  private let batch: Mutex<FlowBatch?>

  init(_ batch: consuming FlowBatch) { self.batch = Mutex(batch) }

  func take() -> FlowBatch? { batch.withLock { $0.take() } }
}

extension RunCounters {
  init(_ counters: FlowMeterCounters, dropped: UInt64) {
    self.init(
      packets: counters.frames, dropped: dropped, evicted: counters.flowsEvicted.total + counters.namesEvicted,
      undecoded: counters.undecodedPackets)
  }
}
