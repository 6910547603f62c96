import Capture
import EgressModel
import Flows
import Foundation
import Wire

/// What captures hold, as inputs: frames, what their flows said, and stretches of traffic.
enum CapturedSeeds {
  /// Frames read of one capture, and octets of one stream: a fuzzer does better with many short inputs.
  private static let maximumFrames = 400
  private static let maximumOctets = 4_096
  private static let framesPerStretch = 24

  /// - Parameter paths: capture files, or folders of such.
  static func read(_ paths: [String]) throws -> [Seed] {
    try paths.flatMap { path -> [Seed] in
      guard try URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory ?? false else { return try read(file: path) }
      let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
      // Of a folder, what cannot be read is left out.
      return files.sorted().flatMap { (try? read(file: "\(path)/\($0)")) ?? [] }
    }
  }

  private static func read(file: String) throws -> [Seed] {
    let source = try PacketSource(file: file)
    let linkType = source.linkType
    var frames: [MeterTarget.Frame] = []
    var previous: Timestamp?
    while frames.count < maximumFrames,
      case .frames? = try? source.read(
        atMost: maximumFrames,
        { frame, time, originalLength in
          let octets = frame.indices.prefix(maximumOctets).map { frame[$0] }
          let pause = Int(clamping: time.since(previous ?? time) / 1_000_000)
          previous = time
          frames.append(MeterTarget.Frame(octets: octets, linkType: linkType, pause: max(0, pause), originalLength: originalLength))
        })
    {}
    return frames.map { Seed(.packet, PacketTarget.seed($0.octets, $0.linkType, beyond: $0.originalLength - $0.octets.count)) } + conversations(frames)
      + stretches(frames)
  }

  private static func stretches(_ frames: [MeterTarget.Frame]) -> [Seed] {
    stride(from: 0, to: frames.count, by: framesPerStretch).map { start in
      var length = 0
      let stretch = frames[start..<min(frames.count, start + framesPerStretch)].prefix { frame in
        length += frame.octets.count
        return length < 3 * maximumOctets
      }
      return Seed(.meter, MeterTarget.seed([], Array(stretch)))
    }
  }

  private struct Side: Hashable {
    var sender: SocketAddress
    var receiver: SocketAddress
    var transport: Transport
  }

  /// What each side of a flow said, in the order of the capture.
  private static func conversations(_ frames: [MeterTarget.Frame]) -> [Seed] {
    var said: [Side: [[UInt8]]] = [:]
    for frame in frames {
      let packet = PacketDecoder.decode(frame.octets.span, linkType: frame.linkType, originalLength: frame.originalLength)
      guard packet.hasPorts, !packet.isFragment, packet.capturedPayloadLength > 0 else { continue }
      let side = Side(
        sender: SocketAddress(ip: packet.source, port: packet.sourcePort), receiver: SocketAddress(ip: packet.destination, port: packet.destinationPort),
        transport: packet.transport)
      said[side, default: []].append(Array(frame.octets[packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength]))
    }
    return said.flatMap { side, payloads -> [Seed] in
      if side.transport == .udp { return payloads.prefix(8).flatMap(datagram) + [Seed(.quic, QUICTarget.seed(0, Array(payloads.prefix(4))))] }
      let stream = Array(payloads.joined().prefix(maximumOctets))
      return stream.isEmpty ? [] : [.tls, .http, .socks, .openings, .dns].map { Seed($0, stream) }
    }
  }

  private static func datagram(_ payload: [UInt8]) -> [Seed] { [Seed(.dns, payload), Seed(.tls, payload)] }
}
