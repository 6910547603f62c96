/// How far a report can be trusted: what was watched, and what was not.
public struct Coverage: Equatable, Sendable {
  /// A stretch of the window in which nobody watched.
  public struct Gap: Hashable, Sendable {
    public var from: Timestamp
    public var until: Timestamp
    /// `not running`, `killed`, `interface eth0 gone` …
    public var reason: String
    public init(from: Timestamp, until: Timestamp, reason: String) {
      self.from = from
      self.until = until
      self.reason = reason
    }
  }

  public var from: Timestamp
  public var until: Timestamp
  public var nodes: [String]
  /// Frames handed to the meter.
  public var packets: UInt64
  /// Frames the kernel or the interface dropped before we saw them.
  public var dropped: UInt64
  /// Flows evicted before their time, and names forgotten, to stay inside the memory bounds.
  public var evicted: UInt64
  /// Frames that could not be decoded down to a transport.
  public var undecoded: UInt64
  /// How often the observer started again in the window; its very first start is none.
  public var restarts: Int
  public var gaps: [Gap]
  /// Flows and octets to third parties, and those of them that nothing names.
  public var externalFlows: UInt64
  public var unnamedFlows: UInt64
  public var externalBytes: UInt64
  public var unnamedBytes: UInt64
  /// Short names of workloads that were seen using an encrypted resolver.
  public var encryptedDNSClients: [String]

  public init(
    from: Timestamp, until: Timestamp, nodes: [String] = [], packets: UInt64 = 0, dropped: UInt64 = 0, evicted: UInt64 = 0, undecoded: UInt64 = 0,
    restarts: Int = 0, gaps: [Gap] = [], externalFlows: UInt64 = 0, unnamedFlows: UInt64 = 0, externalBytes: UInt64 = 0, unnamedBytes: UInt64 = 0,
    encryptedDNSClients: [String] = []
  ) {
    self.from = from
    self.until = until
    self.nodes = nodes
    self.packets = packets
    self.dropped = dropped
    self.evicted = evicted
    self.undecoded = undecoded
    self.restarts = restarts
    self.gaps = gaps
    self.externalFlows = externalFlows
    self.unnamedFlows = unnamedFlows
    self.externalBytes = externalBytes
    self.unnamedBytes = unnamedBytes
    self.encryptedDNSClients = encryptedDNSClients
  }

  /// Nanoseconds of the window in which somebody watched.
  public var watched: Int64 {
    gaps.reduce(until.since(from)) { $0 - $1.until.since($1.from) }
  }
}
