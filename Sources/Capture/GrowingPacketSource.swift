public import EgressModel

/// Frames from an interface, through a ring that begins small and gives way to a larger one when it proves too small.
///
/// A ring is resident in whole, whatever is in it, and most nodes never need a large one. For some milliseconds both rings receive; the old one is read to
/// its end, and the new one is given from the instant at which the old one stopped, so that every frame is given once and in order. One thread owns one source.
public final class GrowingPacketSource {
  private enum Stage {
    case small
    /// Somebody opens the large ring.
    case waiting
    /// The small ring is read to its end.
    case draining(next: PacketSource, stopped: Timestamp, until: ContinuousClock.Instant)
    /// What the large ring has from before is passed over.
    case overlapping(until: Timestamp)
    case settled
  }

  private let initialSize: Int32
  /// How long the kernel keeps a block of the small ring, in milliseconds: while its last one is waited for, the large ring fills.
  private static let blockTimeout: Int32 = 20
  private var source: PacketSource
  private var stage: Stage
  /// Counted by the small ring, less what was passed over in the large one.
  private var earlier = CaptureStatistics()
  /// Octets that were there at one time: read without once finding fewer frames than were asked for.
  private var backlog = 0
  /// What a frame takes in a ring beside its octets: `tpacket3_hdr`, the link's address and alignment.
  private static let overhead = 96

  /// - Parameters:
  ///   - configuration: its `bufferSize` is the largest that the ring may become.
  ///   - initialSize: octets of the ring at first.
  public init(interface: String, configuration: CaptureConfiguration, initialSize: Int32) throws(CaptureError) {
    self.initialSize = min(initialSize, configuration.bufferSize)
    stage = self.initialSize < configuration.bufferSize ? .small : .settled
    var first = configuration
    if case .small = stage { (first.bufferSize, first.blockTimeout) = (self.initialSize, Self.blockTimeout) }
    source = try PacketSource(interface: interface, configuration: first)
  }

  public var linkType: LinkType { source.linkType }
  public var link: UInt32 { source.link }
  public var warnings: [String] { source.warnings }

  /// Totals since the source was opened.
  public var statistics: CaptureStatistics { earlier + source.statistics }

  /// As `PacketSource.wait`.
  public func wait(milliseconds: Int32) {
    // The end of a small ring that nothing is added to is not announced.
    if case .draining = stage { source.wait(milliseconds: min(milliseconds, 5)) } else { source.wait(milliseconds: milliseconds) }
  }

  /// As `PacketSource.read`.
  public func read(
    atMost limit: Int, _ body: (Span<UInt8>, Timestamp, _ originalLength: Int) -> Void
  ) throws(CaptureError) -> ReadOutcome {
    switch stage {
    case .waiting, .settled:
      return try source.read(atMost: limit, body)
    case .small:
      var octets = 0
      let outcome = try source.read(atMost: limit) { frame, time, length in
        octets += frame.count + Self.overhead
        body(frame, time, length)
      }
      backlog = outcome == .frames(limit) ? backlog + octets : 0
      return outcome
    case .draining(let next, let stopped, let end):
      let outcome = try source.read(atMost: limit, body)
      guard outcome == .idle else { return outcome }
      let counted = source.statistics
      if counted.delivered + counted.droppedByKernel == counted.received || ContinuousClock.now >= end {
        earlier = earlier + counted
        source = next
        stage = .overlapping(until: stopped)
      }
      return outcome
    case .overlapping(let stopped):
      var passedOver: UInt64 = 0
      let outcome = try source.read(atMost: limit) { frame, time, length in
        if time < stopped { passedOver += 1 } else { body(frame, time, length) }
      }
      earlier.delivered &-= passedOver
      earlier.received &-= passedOver
      if case .frames = outcome, passedOver == 0 { stage = .settled }
      return outcome
    }
  }

  /// Whether the ring proved too small: frames were dropped, or a quarter of it was found waiting at one time. True once; then it is for the caller to
  /// open a larger one, on another thread because that takes longer than the small one lasts under load.
  ///
  /// - Parameter dropped: by the kernel, as `statistics` told last.
  public func isTooSmall(dropped: UInt64) -> Bool {
    guard case .small = stage, dropped > 0 || backlog > Int(initialSize) / 4 else { return false }
    stage = .waiting
    return true
  }

  /// Goes over to a source of the same interface with a larger ring. If it throws, nothing has changed.
  public func grow(into next: PacketSource) throws(CaptureError) {
    let stopped = try source.stopReceiving()
    // The kernel hands over a block that is not full after one timeout or two. What came before the filter was set is counted and never given.
    stage = .draining(next: next, stopped: stopped, until: .now + .milliseconds(5 * Self.blockTimeout))
  }
}
