import Capture
import Host
import Logging
import Synchronization

/// Says once that the daemon is ready: when every interface is captured on or known to be away.
final class Readiness: Sendable {
  private let waiting: Mutex<Set<String>>
  private let notifier: SystemdNotifier?
  private let logger: Logger
  private let message: String
  private let counters: DaemonCounters

  /// - Parameter message: what a person is told then.
  init(interfaces: [String], notifier: SystemdNotifier?, logger: Logger, counters: DaemonCounters, message: String) {
    waiting = Mutex(Set(interfaces))
    self.notifier = notifier
    self.logger = logger
    self.message = message
    self.counters = counters
  }

  func note(_ event: CaptureLoop.Event) {
    let interface: String
    switch event {
    case .opened(let name, let warnings, let since):
      interface = name
      for warning in warnings { logger.notice("\(name): \(warning)") }
      if since != nil { logger.notice("\(name) is back; capturing again") }
    case .grown(let name, let result):
      switch result {
      case .success(let size): logger.notice("\(name): the capture's buffer was too small; it is \(size >> 20) MiB now")
      case .failure(let error): logger.warning("\(name): the capture's buffer is too small, and a larger one was not to be had: \(error)")
      }
      return
    case .lost(let name, let error, _):
      interface = name
      logger.warning("\(error)")
    }
    let isReady = waiting.withLock { waiting in waiting.remove(interface) != nil && waiting.isEmpty }
    guard isReady else { return }
    counters.change { $0.isReady = true }
    Allocator.returnCode()
    StandardError.write(message + "\n")
    try? notifier?.notify(.ready, .status(message))
  }
}
