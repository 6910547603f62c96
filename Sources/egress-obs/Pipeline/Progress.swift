import FoundationEssentials

/// How far a long replay has come: on standard error, at most twice a second, and only for a person.
final class Progress {
  private let total: UInt64
  private var done: UInt64 = 0
  private var shown = ContinuousClock.now
  private var isShown = false

  /// Nil when nobody watches.
  init?(paths: [String]) {
    guard StandardError.isTerminal else { return nil }
    total = paths.reduce(0) { sum, path in
      sum + ((try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64) ?? 0)
    }
  }

  func note(packets: UInt64, bytes: UInt64) {
    done += bytes
    let now = ContinuousClock.now
    guard now - shown > .milliseconds(500) else { return }
    shown = now
    isShown = true
    let share = total > 0 ? ", \(min(100, done * 100 / total))%" : ""
    StandardError.write("\r\(packets) packets\(share)\u{1b}[K")
  }

  deinit { if isShown { StandardError.write("\r\u{1b}[K") } }
}
