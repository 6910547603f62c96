import Capture
import Dispatch
import EgressModel
import Flows
import Host
import Logging
import ServiceLifecycle
import Synchronization

/// Captures on one interface for as long as the daemon runs; waits for the interface while it is not there.
struct CaptureLoop: ServiceLifecycle.Service {
  enum Event: Sendable {
    /// Capture runs; `since` is when the interface was lost, nil the first time.
    case opened(interface: String, warnings: [String], since: Timestamp?)
    /// The capture's ring was too small: one of so many octets took its place, or could not be had.
    case grown(interface: String, Result<Int32, CaptureError>)
    case lost(interface: String, error: CaptureError, at: Timestamp)
  }

  var interface: WatchedInterface
  var meter: SharedMeter
  /// Nil where no connection of this host begins that is worth an owner.
  var starts: ConnectionStarts?
  var onEvent: @Sendable (Event) -> Void

  /// Frames handed over under one lock: the meter is held for well under a millisecond.
  static let batch = 1024
  /// How often to look whether a lost interface is back.
  static let retryInterval = Duration.milliseconds(250)

  /// Ends at a graceful stop; throws what waiting cannot mend, such as a missing permission.
  func run() async throws {
    var lostAt: Timestamp?
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let opened = Latch()
      do {
        try await captureUntilStopped(opened, lostAt: lostAt)
      } catch let error as CaptureError where error.isAboutAbsentInterface {
        if lostAt == nil || opened.isSet {
          let now = WallClock.now
          lostAt = now
          onEvent(.lost(interface: interface.name, error: error, at: now))
        }
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.retryInterval) }
      }
    }
  }

  /// Runs the blocking loop on a thread of its own.
  private func captureUntilStopped(_ opened: Latch, lostAt: Timestamp?) async throws {
    let stop = Latch()
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
          DispatchQueue(label: "capture \(interface.name)").async {
            continuation.resume(with: Result { try capture(until: stop, opened, lostAt: lostAt) })
          }
        }
      } onGracefulShutdown: {
        stop.set()
      }
    } onCancel: {
      stop.set()
    }
  }

  private func capture(until stop: Latch, _ opened: Latch, lostAt: Timestamp?) throws(CaptureError) {
    let (interface, configuration) = (interface.name, interface.configuration)
    let source = try GrowingPacketSource(interface: interface, configuration: configuration, initialSize: self.interface.initialBuffer)
    let ended = Latch()
    defer { ended.set() }
    starts?.watch(interface, until: ended)
    opened.set()
    onEvent(.opened(interface: interface, warnings: source.warnings, since: lostAt))
    defer {
      meter.note(source.statistics, of: interface)
      meter.close(interface)
    }
    let (linkType, link) = (source.linkType, source.link)
    var noted = WallClock.now
    var dropped: UInt64 = 0
    var larger: PendingSource?
    var end: Timestamp?
    while true {
      let outcome = try meter.withMeter { meter throws(CaptureError) in
        try source.read(atMost: Self.batch) { frame, time, length in
          meter.observe(frame, linkType: linkType, at: time, originalLength: length, link: link)
        }
      }
      let now = WallClock.now
      if now.since(noted) > 500_000_000 || now < noted {
        let statistics = source.statistics
        meter.note(statistics, of: interface)
        (noted, dropped) = (now, statistics.droppedByKernel)
      }
      if source.isTooSmall(dropped: dropped) {
        larger = PendingSource(interface: interface, configuration: configuration)
      } else if let opened = larger?.take() {
        larger = nil
        let grown = Result { () throws(CaptureError) in
          try source.grow(into: opened.get())
          return configuration.bufferSize
        }
        onEvent(.grown(interface: interface, grown))
      }
      if stop.isSet {
        // The kernel hands over a block that is not full only after its timeout; what came before the stop is in there.
        let deadline = end ?? now.adding(nanoseconds: 2_000_000 * Int64(configuration.blockTimeout))
        if now >= deadline { return }
        end = deadline
      }
      if outcome != .frames(Self.batch) { source.wait(milliseconds: end == nil ? 100 : 10) }
    }
  }
}

/// A source that is opened on a thread of its own: under load that takes longer than a small ring lasts.
private final class PendingSource: Sendable {
  private let opened = Mutex<Result<PacketSource, CaptureError>?>(nil)

  init(interface: String, configuration: CaptureConfiguration) {
    DispatchQueue(label: "open \(interface)").async { [self] in
      opened.withLock { $0 = Result { () throws(CaptureError) in try PacketSource(interface: interface, configuration: configuration) } }
    }
  }

  /// Once, when it is there.
  func take() -> sending Result<PacketSource, CaptureError>? {
    opened.withLockIfAvailable { opened in
      defer { opened = nil }
      return opened
    } ?? nil
  }
}

/// Set once, read on another thread.
final class Latch: Sendable {
  private let flag = Atomic<Bool>(false)
  func set() { flag.store(true, ordering: .releasing) }
  var isSet: Bool { flag.load(ordering: .acquiring) }
}
