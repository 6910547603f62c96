import Foundation

/// A capture file of classic pcap, microseconds, Ethernet, written in blocks ([draft-ietf-opsawg-pcap](https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/)).
struct PcapWriter: ~Copyable {
  private let file: FileHandle
  private var block: [UInt8] = []
  /// Seconds since 1970 of the first frame's clock: a fixed one, so that the file never depends on when it is made.
  private static let epoch: UInt64 = 1_790_000_000
  private static let blockSize = 1 << 20

  init(creating url: URL) throws {
    try Data().write(to: url)
    file = try FileHandle(forWritingTo: url)
    block.reserveCapacity(Self.blockSize + (1 << 16))
    for field: UInt32 in [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 262_144, 1] { block.append(littleEndian: field) }
  }

  /// `time` in microseconds.
  mutating func write(_ frame: ArraySlice<UInt8>, at time: UInt64) throws {
    block.append(littleEndian: UInt32(Self.epoch + time / 1_000_000))
    block.append(littleEndian: UInt32(time % 1_000_000))
    block.append(littleEndian: UInt32(frame.count))
    block.append(littleEndian: UInt32(frame.count))
    block.append(contentsOf: frame)
    if block.count >= Self.blockSize { try flush() }
  }

  mutating func flush() throws {
    try file.write(contentsOf: block)
    block.removeAll(keepingCapacity: true)
  }
}
