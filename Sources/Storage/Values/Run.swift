public import EgressModel

/// The row of one stretch of observation.
public struct RunID: Hashable, Sendable {
  public let rawValue: Int64
  public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// What observes: the daemon, or a replay of capture files.
public struct RunDescription: Equatable, Sendable {
  public enum Kind: String, Sendable {
    case live
    /// Times are those of the capture, so that a replayed hour counts as that hour.
    case replay
  }

  public var kind: Kind
  public var node: String?
  /// Of egress-obs.
  public var version: String
  /// Interfaces, or capture files.
  public var interfaces: [String]

  public init(kind: Kind, node: String? = nil, version: String, interfaces: [String] = []) {
    self.kind = kind
    self.node = node
    self.version = version
    self.interfaces = interfaces
  }
}

/// What `beginRun` began, and what it found before it.
public struct RunStart: Equatable, Sendable {
  public var id: RunID
  /// The time since the previous live run, in which nobody watched; nil for a first run and for a replay.
  public var gap: Coverage.Gap?
}

/// Totals since a run began.
public struct RunCounters: Hashable, Sendable {
  /// Frames handed to the meter.
  public var packets: UInt64
  /// Frames the kernel or the interface dropped.
  public var dropped: UInt64
  /// Flows evicted and names forgotten to stay inside the memory bounds.
  public var evicted: UInt64
  /// Frames that could not be decoded down to a transport.
  public var undecoded: UInt64

  public init(packets: UInt64 = 0, dropped: UInt64 = 0, evicted: UInt64 = 0, undecoded: UInt64 = 0) {
    self.packets = packets
    self.dropped = dropped
    self.evicted = evicted
    self.undecoded = undecoded
  }
}

/// One run as it was recorded.
public struct Run: Equatable, Sendable {
  public var id: RunID
  public var description: RunDescription
  /// Nil for a replay of which nothing was stored yet.
  public var started: Timestamp?
  /// The last batch that was stored.
  public var heartbeat: Timestamp?
  /// Nil while it runs, and when it was killed.
  public var ended: Timestamp?
  public var counters: RunCounters
}
