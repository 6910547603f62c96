import Capture
import Flows
import Synchronization

/// What the capture threads share: one meter, locked once per batch of frames.
///
/// One meter for all interfaces, so that a name looked up on one names a flow on another.
final class SharedMeter: Sendable {
  private let meter: Mutex<FlowMeter>
  private let current = Mutex<[String: CaptureStatistics]>([:])
  private let earlier = Mutex<CaptureStatistics>(CaptureStatistics())

  init(_ configuration: FlowMeterConfiguration) {
    meter = Mutex(FlowMeter(configuration: configuration))
  }

  func withMeter<Result, Failure>(
    _ body: (inout sending FlowMeter) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try meter.withLock(body)
  }

  func note(_ statistics: CaptureStatistics, of interface: String) {
    current.withLock { $0[interface] = statistics }
  }

  /// A source that is opened again begins at zero: what it counted before stays in the total.
  func close(_ interface: String) {
    guard let last = current.withLock({ $0.removeValue(forKey: interface) }) else { return }
    earlier.withLock { $0 = $0 + last }
  }

  /// Over all interfaces, since the daemon started.
  var statistics: CaptureStatistics {
    current.withLock { $0.values.reduce(earlier.withLock { $0 }) { $0 + $1 } }
  }
}
