/// Decides how one kind of object is kept up to date: list, watch from there, resume where a watch ended, list again when that is too old.
///
/// Pure: whoever drives it reports what happened and does what it says.
struct Reflector {
  enum Step: Equatable {
    case list(continuation: String?)
    case watch(from: String)
    /// Wait so long, then do as `resumed` says.
    case wait(Duration)
  }

  enum Event {
    /// A page of the list was taken; without a continuation it was the last.
    case page(continuation: String?, version: String)
    /// The watch ended without an error, as it does every few minutes.
    case ended(events: Int, lasted: Duration)
    case failed(APIError)
  }

  /// From where to watch; nil when only a list can tell.
  private(set) var version: String?
  private var failures = 0
  private var expiries = 0

  /// After so many failures in a row the version itself may be what is wrong.
  static let failuresBeforeList = 5
  static let firstDelay = 1.0
  static let longestDelay = 60.0

  /// What to do first, and after a wait.
  var resumed: Step { version.map { .watch(from: $0) } ?? .list(continuation: nil) }

  /// An event or bookmark of a watch was taken.
  mutating func noted(version new: String) {
    if !new.isEmpty { version = new }
    failures = 0
    expiries = 0
  }

  /// - Parameter random: 0 ..< 1; many nodes must not come back at the same moment.
  mutating func received(_ event: Event, random: Double) -> Step {
    switch event {
    case .page(let continuation?, _): return .list(continuation: continuation)
    case .page(nil, let new):
      version = new
      failures = 0
      return .watch(from: new)
    case .ended(let events, let lasted):
      // A server that hangs up at once must not be asked in a loop.
      if events > 0 || lasted >= .seconds(5) {
        failures = 0
        return resumed
      }
      return wait(nil, random)
    case .failed(let error) where error.status == 410:
      version = nil
      expiries += 1
      return expiries == 1 ? .list(continuation: nil) : wait(nil, random)
    case .failed(let error):
      if failures + 1 >= Self.failuresBeforeList { version = nil }
      if case .refused(_, _, let after) = error { return wait(after, random) }
      return wait(nil, random)
    }
  }

  private mutating func wait(_ atLeast: Int?, _ random: Double) -> Step {
    failures += 1
    var delay = Self.firstDelay
    for _ in 1..<min(failures, 16) where delay < Self.longestDelay { delay *= 2 }
    delay = min(delay, Self.longestDelay) * (0.5 + random / 2)
    if let atLeast { delay = max(delay, Double(min(max(atLeast, 0), 600))) }
    return .wait(.milliseconds(Int64(delay * 1000)))
  }
}
