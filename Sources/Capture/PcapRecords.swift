internal import EgressModel
internal import Glibc

/// The frames of an ordinary pcap file ([draft-ietf-opsawg-pcap](https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/)), handed out of one
/// buffer; libpcap would copy each of them twice more.
///
/// ```
/// file header, 24 octets  │ seconds │ fraction │ captured │ original │ captured octets │ seconds │ …
///                         └──── 16 octets, of the writer's byte order ─┘
/// ```
/// Only for what most files are: regular, of this machine's byte order and version 2.4. libpcap opens every file, and reads all others.
// `@safe`: the buffer is private and lives as long as the object; every index into it is checked against `end`.
@safe final class PcapRecords {
  /// What came after the last frame of a read.
  enum Ending: Equatable {
    case none
    case endOfFile
    case endsEarly(cause: String)
    case corrupt(cause: String)
    case unreadable(cause: String)
  }

  /// libpcap's own bound on a frame.
  private static let maximumLength = 262_144
  private static let headerLength = 16

  private let descriptor: Int32
  private let snapLength: Int
  /// Of one unit of a record's fraction.
  private let nanoseconds: Int64
  private let buffer: UnsafeMutableRawBufferPointer
  /// What of the buffer is read from the file and not handed out.
  private var start = 0
  private var end = 0
  /// Of the file, what follows the buffer.
  private var position: off_t = 24

  /// Nil when the file is none of those that are read here.
  ///
  /// - Parameters:
  ///   - descriptor: stays its owner's, who keeps it open; its offset does not matter.
  ///   - snapLength: octets to hand out of a frame at most.
  init?(descriptor: Int32, snapLength: Int) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var header = [UInt8](repeating: 0, count: 24)
    guard unsafe header.withUnsafeMutableBytes({ unsafe pread(descriptor, $0.baseAddress, 24, 0) }) == 24 else { return nil }
    let (magic, major, minor) = unsafe header.withUnsafeBytes { bytes in
      (unsafe bytes.load(as: UInt32.self), unsafe bytes.load(fromByteOffset: 4, as: UInt16.self), unsafe bytes.load(fromByteOffset: 6, as: UInt16.self))
    }
    switch magic {
    case 0xa1b2_c3d4: nanoseconds = 1000
    case 0xa1b2_3c4d: nanoseconds = 1
    default: return nil
    }
    // Before 2.3 the lengths of a record were the other way round.
    guard (major, minor) == (2, 4) else { return nil }
    self.descriptor = descriptor
    self.snapLength = snapLength > 0 ? snapLength : Self.maximumLength
    unsafe buffer = .allocate(byteCount: 2 * Self.maximumLength, alignment: 16)
  }

  deinit { unsafe buffer.deallocate() }

  /// Hands up to `limit` frames to `body`; an error behind good frames comes with them.
  func read(atMost limit: Int, _ body: (Span<UInt8>, Timestamp, _ originalLength: Int) -> Void) -> (frames: Int, ending: Ending) {
    var frames = 0
    while frames < limit {
      if end - start < Self.headerLength, let ending = fill(Self.headerLength, "a record's header of") { return (frames, ending) }
      let captured = Int(field(8))
      guard captured <= Self.maximumLength else {
        return (frames, .corrupt(cause: "a record claims \(captured) octets, more than the \(Self.maximumLength) that a frame can have"))
      }
      let length = Self.headerLength + captured
      if end - start < length, let ending = fill(length, "a record of") { return (frames, ending) }
      let time = Timestamp(seconds: Int64(field(0)), nanoseconds: Int64(field(4)) * nanoseconds)
      let original = Int(field(12))
      let octets = unsafe UnsafeRawBufferPointer(rebasing: buffer[start + Self.headerLength..<start + min(length, Self.headerLength + snapLength)])
      unsafe body(octets.bindMemory(to: UInt8.self).span, time, original)
      start += length
      frames += 1
    }
    return (frames, .none)
  }

  /// A number of the record at `start`, whose header is in the buffer.
  private func field(_ offset: Int) -> UInt32 { unsafe buffer.loadUnaligned(fromByteOffset: start + offset, as: UInt32.self) }

  /// Reads on until `count` octets are in the buffer from `start` on; tells why there are fewer.
  private func fill(_ count: Int, _ what: String) -> Ending? {
    let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    unsafe buffer.copyMemory(from: rest)
    (start, end) = (0, end - start)
    while end < count {
      let got = unsafe pread(descriptor, buffer.baseAddress! + end, buffer.count - end, position)
      if got < 0 {
        guard errno != EINTR else { continue }
        return unsafe .unreadable(cause: String(cString: strerror(errno)))
      }
      guard got > 0 else { return end == 0 ? .endOfFile : .endsEarly(cause: "\(what) \(count) octets has only \(end)") }
      end += got
      position += off_t(got)
    }
    return nil
  }
}
