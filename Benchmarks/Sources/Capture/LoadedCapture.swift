import Capture
import EgressModel
import Foundation
import Wire

/// A capture file in memory, so that what follows the reading can be timed alone.
struct LoadedCapture {
  struct Frame {
    var range: Range<Int>
    /// Where its headers end.
    var headerEnd: Int
    var originalLength: Int
    var time: Timestamp
  }

  /// Frames read or metered between two looks at the clock, as the daemon does it.
  static let batchSize = 4_096

  private(set) var bytes: [UInt8] = []
  private(set) var frames: [Frame] = []
  let linkType: LinkType

  init(reading path: String) throws {
    let source = try PacketSource(file: path)
    linkType = source.linkType
    bytes.reserveCapacity(try URL(filePath: path).resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0)
    while case .frames = try source.read(
      atMost: Self.batchSize,
      { frame, time, originalLength in
        let start = bytes.count
        for index in frame.indices { bytes.append(frame[index]) }
        let packet = PacketDecoder.decode(frame, linkType: linkType, originalLength: originalLength)
        let headers = packet.stop == .complete ? packet.payloadOffset : frame.count
        frames.append(Frame(range: start..<bytes.count, headerEnd: start + headers, originalLength: originalLength, time: time))
      })
    {}
  }
}
