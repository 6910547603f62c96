/// How an interface is captured on.
public struct CaptureConfiguration: Equatable, Sendable {
  /// The most octets kept of a frame. Segmentation offload makes frames of nearly 64 KiB, so the default is libpcap's largest.
  public var snapLength: Int32
  /// The ring shared with the kernel, in octets; when it is full, frames are dropped and counted. The default lasts for some 70 ms at
  /// 3.6 Gbit/s; on a busy machine a thread may wait for that long.
  public var bufferSize: Int32
  /// How long the kernel may keep a block of the ring that is not full yet, in milliseconds.
  public var blockTimeout: Int32
  /// Whether each frame wakes the reader at once, instead of a block of them; much dearer, so only behind a filter that lets few pass.
  public var isImmediate: Bool
  /// What the kernel hands over; nil is everything, whole.
  public var filter: KernelFilter?

  public init(
    snapLength: Int32 = 262_144, bufferSize: Int32 = 32 << 20, blockTimeout: Int32 = 100, isImmediate: Bool = false,
    filter: KernelFilter? = .truncatingBulk
  ) {
    self.snapLength = snapLength
    self.bufferSize = bufferSize
    self.blockTimeout = blockTimeout
    self.isImmediate = isImmediate
    self.filter = filter
  }
}

/// What became of the frames of one source, since it was opened.
public struct CaptureStatistics: Equatable, Sendable {
  /// Frames handed to the reader.
  public var delivered: UInt64
  /// Frames that passed the filter, those dropped afterwards included (`ps_recv`); for a file the same as `delivered`.
  public var received: UInt64
  /// Frames the kernel dropped because the ring was full (`ps_drop`).
  public var droppedByKernel: UInt64
  /// Frames the interface or its driver dropped (`ps_ifdrop`).
  public var droppedByInterface: UInt64

  public init(delivered: UInt64 = 0, received: UInt64 = 0, droppedByKernel: UInt64 = 0, droppedByInterface: UInt64 = 0) {
    self.delivered = delivered
    self.received = received
    self.droppedByKernel = droppedByKernel
    self.droppedByInterface = droppedByInterface
  }

  public var dropped: UInt64 { droppedByKernel + droppedByInterface }

  public static func + (a: CaptureStatistics, b: CaptureStatistics) -> CaptureStatistics {
    CaptureStatistics(
      delivered: a.delivered &+ b.delivered, received: a.received &+ b.received, droppedByKernel: a.droppedByKernel + b.droppedByKernel,
      droppedByInterface: a.droppedByInterface + b.droppedByInterface)
  }
}

/// What one `read` brought.
public enum ReadOutcome: Equatable, Sendable {
  /// So many frames were handed to the body; there may be more at once.
  case frames(Int)
  /// Nothing waits on the interface now.
  case idle
  /// The file is at its end, and whole.
  case endOfFile
}
