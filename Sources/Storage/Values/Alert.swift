public import EgressModel

/// An alert for one hook, to be queued in the transaction that records its finding.
public struct Alert: Equatable, Sendable {
  /// Stable over retries: 32 hexadecimal digits.
  public var id: String
  /// The name of the hook in the configuration.
  public var hook: String
  public var finding: FindingID?
  /// Alerts of one hook and one topic are grouped (`new/segment.io`).
  public var topic: String
  /// The body as it will be sent.
  public var payload: String

  public init(id: String = Alert.makeID(), hook: String, finding: FindingID? = nil, topic: String, payload: String) {
    self.id = id
    self.hook = hook
    self.finding = finding
    self.topic = topic
    self.payload = payload
  }

  /// 128 random bits in hexadecimal.
  public static func makeID() -> String {
    (0..<2).map { _ in
      let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// An alert in the queue.
public struct QueuedAlert: Equatable, Sendable {
  public enum State: String, CaseIterable, Sendable {
    case pending
    case delivered
    /// Given up; `retry` puts it back.
    case failed
  }

  public var alert: Alert
  public var state: State
  public var attempts: Int
  public var nextAttempt: Timestamp
  public var lastError: String?
  public var created: Timestamp
  public var delivered: Timestamp?
  /// How many further alerts of its topic this one stands for.
  public var suppressed: UInt64

  public var id: String { alert.id }
}
