internal import CPcap
public import EgressModel
internal import Glibc

/// Frames from a capture file or an interface, in batches.
///
/// One thread owns one source: it is not `Sendable`. The handle is closed with the last reference.
// `@safe`: the libpcap handle is private, lives exactly as long as the object and is used by its one owner only.
@safe public final class PacketSource {
  enum Origin: Equatable {
    case file(path: String)
    case interface(name: String, index: UInt32)
  }

  let handle: OpaquePointer
  let origin: Origin
  public let linkType: LinkType
  /// The most octets of a frame that this source gives. Zero or nonsense in some files; only a hint.
  public let snapLength: Int
  /// What libpcap or we noticed while opening, without it being fatal: a smaller precision, a filter that does not fit.
  public let warnings: [String]

  /// Reads the frames in libpcap's place where the file is one that it can read.
  private let records: PcapRecords?
  private var counters = CaptureStatistics()
  /// What libpcap's own counters, 32 bits wide, said last.
  private var lastCounters: (received: UInt32, dropped: UInt32, interface: UInt32) = (0, 0, 0)
  /// What ended the source; an error found behind good frames waits here for the next read.
  private var ending: Ending?
  private enum Ending {
    case endOfFile
    case failed(CaptureError)
  }

  /// - Parameter descriptor: of the file that libpcap has open; nil for interfaces.
  init(handle: OpaquePointer, origin: Origin, warnings: [String], descriptor: Int32? = nil) {
    unsafe self.handle = unsafe handle
    self.origin = origin
    self.warnings = warnings
    unsafe linkType = LinkType(rawValue: pcap_datalink(handle))
    let snapLength = unsafe Int(pcap_snapshot(handle))
    self.snapLength = snapLength
    records = descriptor.flatMap { PcapRecords(descriptor: $0, snapLength: snapLength) }
  }

  deinit { unsafe pcap_close(handle) }

  public var isLive: Bool {
    if case .interface = origin { true } else { false }
  }

  /// The kernel's number of the interface; 0 for files, and for `any`, whose frames say it themselves.
  public var link: UInt32 {
    if case .interface(_, let index) = origin { index } else { 0 }
  }

  /// Hands up to `limit` frames to `body`: what was kept of each, when it was captured, and how long it was on the wire.
  ///
  /// Never waits on an interface: nothing there is `.idle`. The octets are valid inside the call only. What is behind good frames, an
  /// error or the end, is told by the next call, so every frame is counted before it; an ended source says the same again.
  public func read(
    atMost limit: Int, _ body: (Span<UInt8>, Timestamp, _ originalLength: Int) -> Void
  ) throws(CaptureError) -> ReadOutcome {
    switch ending {
    case .endOfFile: return .endOfFile
    case .failed(let error): throw error
    case nil: break
    }
    let frames: Int
    if let records {
      let read = records.read(atMost: max(1, limit), body)
      frames = read.frames
      counters.delivered &+= UInt64(frames)
      note(read.ending)
    } else {
      let status: Int32
      (frames, status) = dispatch(atMost: Int32(clamping: max(1, limit)), body)
      counters.delivered &+= UInt64(frames)
      if status < 0 {
        ending = .failed(failure())
      } else if status == 0, !isLive {
        ending = .endOfFile
      }
    }
    if frames > 0 { return .frames(frames) }
    switch ending {
    case .endOfFile: return .endOfFile
    case .failed(let error): throw error
    case nil: return .idle
    }
  }

  /// Waits until frames may be there, an interface changed, or the time is over; files are always ready.
  ///
  /// Waking is no promise: `read` may still be `.idle`.
  public func wait(milliseconds: Int32) {
    guard isLive else { return }
    var descriptor = unsafe pollfd(fd: pcap_get_selectable_fd(handle), events: Int16(POLLIN), revents: 0)
    // A signal ends the wait early, which is what a caller that is asked to stop wants.
    _ = unsafe poll(&descriptor, 1, milliseconds)
  }

  /// Totals since the source was opened.
  public var statistics: CaptureStatistics {
    guard isLive else {
      counters.received = counters.delivered
      return counters
    }
    var now = pcap_stat()
    if unsafe pcap_stats(handle, &now) == 0 {
      // The differences are right even when a counter of 32 bits went round.
      counters.received += UInt64(now.ps_recv &- lastCounters.received)
      counters.droppedByKernel += UInt64(now.ps_drop &- lastCounters.dropped)
      counters.droppedByInterface += UInt64(now.ps_ifdrop &- lastCounters.interface)
      lastCounters = (now.ps_recv, now.ps_drop, now.ps_ifdrop)
    }
    return counters
  }

  private func note(_ fileEnding: PcapRecords.Ending) {
    guard case .file(let path) = origin else { return }
    switch fileEnding {
    case .none: return
    case .endOfFile: ending = .endOfFile
    case .endsEarly(let cause): ending = .failed(.endsEarly(path: path, frames: counters.delivered, cause: cause))
    case .corrupt(let cause): ending = .failed(.corruptFile(path: path, frames: counters.delivered, cause: cause))
    case .unreadable(let cause): ending = .failed(.unreadableFile(path: path, cause: cause))
    }
  }

  /// What libpcap says about its last failure.
  var lastCause: String { unsafe String(cString: pcap_geterr(handle)) }

  private func failure() -> CaptureError {
    switch origin {
    case .file(let path): .reading(path: path, frames: counters.delivered, cause: lastCause)
    case .interface(let name, let index): .capturing(interface: name, index: index, cause: lastCause)
    }
  }
}

extension PacketSource {
  private typealias Body = (Span<UInt8>, Timestamp, Int) -> Void

  /// Not copyable, and lent to `receive`, so that the closure is not retained and released for every frame.
  private struct Delivery: ~Copyable {
    let body: Body
    var frames = 0

    borrowing func receive(_ frame: Span<UInt8>, _ time: Timestamp, _ length: Int) { body(frame, time, length) }
  }

  /// The C side of a batch: no allocation, no lock, no copy.
  private func dispatch(atMost limit: Int32, _ body: Body) -> (frames: Int, status: Int32) {
    // libpcap calls back only inside pcap_dispatch, so neither the closure nor the pointer to it outlives this call.
    withoutActuallyEscaping(body) { body in
      var delivery = Delivery(body: body)
      let status = unsafe withUnsafeMutablePointer(to: &delivery) { delivery in
        unsafe pcap_dispatch(handle, limit, { context, header, octets in
          guard let context = unsafe context, let header = unsafe header else { return }
          let delivery = unsafe UnsafeMutableRawPointer(context).assumingMemoryBound(to: Delivery.self)
          let length = unsafe Int(header.pointee.caplen)
          // The source was opened with nanosecond precision, so the field named for microseconds holds nanoseconds.
          let time = unsafe Timestamp(seconds: Int64(header.pointee.ts.tv_sec), nanoseconds: Int64(header.pointee.ts.tv_usec))
          // libpcap vouches for `caplen` octets until the callback returns, and the span cannot outlive it.
          let frame = unsafe UnsafeBufferPointer(start: octets, count: octets == nil ? 0 : length)
          unsafe delivery.pointee.receive(frame.span, time, Int(header.pointee.len))
          unsafe delivery.pointee.frames += 1
        }, UnsafeMutableRawPointer(delivery).assumingMemoryBound(to: UInt8.self))
      }
      return (delivery.frames, status)
    }
  }
}
