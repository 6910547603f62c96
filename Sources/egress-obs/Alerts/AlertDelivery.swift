import EgressModel
import Host
import Logging
import ServiceLifecycle
import Storage

/// Takes alerts from the queue and delivers them: in order per hook, at least once, a failing hook never holding up another.
struct AlertDelivery: ServiceLifecycle.Service {
  let recorder: Recorder
  let hooks: [Hook]
  let runner: HookRunner
  let counters: DaemonCounters
  var logger: Logger

  /// How often to look for due alerts.
  static let pollInterval = Duration.milliseconds(500)
  /// After so many attempts, spread over about a day, an alert is given up; `alerts retry` puts it back.
  static let attemptLimit = 40

  func run() async throws {
    // A service that ends, ends the daemon.
    guard !hooks.isEmpty else { return try await gracefulShutdown() }
    await cancelWhenGracefulShutdown {
      await withTaskGroup { group in
        for hook in hooks { group.addTask { await serve(hook) } }
      }
    }
  }

  /// Delivers what is due for one hook, one alert after the other.
  private func serve(_ hook: Hook) async {
    while !Task.isCancelled {
      await deliverDue(to: hook)
      try? await Task.sleep(for: Self.pollInterval)
    }
  }

  /// One attempt for the hook's oldest alert, if that is due.
  private func deliverDue(to hook: Hook) async {
    do {
      guard let alert = try await recorder.dueAlerts(at: WallClock.now).first(where: { $0.alert.hook == hook.key }) else { return }
      await deliver(alert, to: hook)
    } catch {
      logger.error("cannot read the alert queue: \(error)")
    }
  }

  private func deliver(_ alert: QueuedAlert, to hook: Hook) async {
    let failure: HookError?
    do throws(HookError) {
      try await runner.deliver(alert.alert.payload, id: alert.id, to: hook)
      failure = nil
    } catch {
      // A stop is no failure of the hook: the alert stays as it is and is due at once after the next start.
      if Task.isCancelled { return }
      failure = error
    }
    let attempt = alert.attempts + 1
    counters.note(alertTo: hook, failure == nil ? "ok" : attempt >= Self.attemptLimit ? "given_up" : "failed")
    if let failure {
      logger.warning("hook \(hook.key) \(failure)", metadata: ["alert": "\(alert.id)", "attempt": "\(attempt)"])
    }
    do {
      switch failure {
      case nil: try await recorder.alertDelivered(alert.id, at: WallClock.now)
      case let failure? where attempt >= Self.attemptLimit: try await recorder.alertGivenUp(alert.id, error: "\(failure)")
      case let failure?:
        let next = WallClock.now.adding(nanoseconds: Self.delay(afterAttempt: attempt).nanoseconds)
        try await recorder.alertFailed(alert.id, error: "\(failure)", nextAttempt: next)
      }
    } catch {
      logger.error("cannot update the alert queue: \(error)", metadata: ["alert": "\(alert.id)"])
    }
  }

  /// 1 s, 2 s, 4 s … up to an hour, less up to a quarter at random, so that many nodes do not knock in step.
  static func delay(afterAttempt attempt: Int) -> TimeSpan {
    let full = min(3600, Int64(1) << Int64(min(attempt - 1, 12))) * 1_000_000_000
    return TimeSpan(nanoseconds: full - Int64.random(in: 0...full / 4))
  }
}
