import EgressModel
import Wire

/// What clients sent at the beginning of each QUIC connection of a capture, up to their ClientHello.
struct QUICOpenings {
  private struct Direction: Hashable {
    var source: SocketAddress
    var destination: SocketAddress
  }

  /// The datagrams of each connection, as places in the loaded capture.
  private var connections: [[Range<Int>]] = []

  var count: Int { connections.count }
  private(set) var datagramCount = 0

  init(_ loaded: LoadedCapture) {
    var openings: [Direction: (initials: QUICClientInitials, ranges: [Range<Int>])] = [:]
    var seen: Set<Direction> = []
    let bytes = loaded.bytes.span
    for frame in loaded.frames {
      let packet = PacketDecoder.decode(bytes.extracting(frame.range), linkType: loaded.linkType, originalLength: frame.originalLength)
      guard packet.transport == .udp, packet.payloadLength > 0 else { continue }
      let source = SocketAddress(ip: packet.source, port: packet.sourcePort)
      let destination = SocketAddress(ip: packet.destination, port: packet.destinationPort)
      let direction = Direction(source: source, destination: destination)
      let start = frame.range.lowerBound + packet.payloadOffset
      let range = start..<start + packet.capturedPayloadLength
      // The first datagram of either side tells whether it begins a connection.
      if seen.insert(direction).inserted, seen.insert(Direction(source: destination, destination: source)).inserted,
        QUICClientInitials.mayBegin(bytes.extracting(range))
      {
        openings[direction] = (QUICClientInitials(), [])
      }
      guard var opening = openings.removeValue(forKey: direction) else { continue }
      opening.ranges.append(range)
      if case .needMore = opening.initials.feed(datagram: bytes.extracting(range)) {
        openings[direction] = opening
      } else {
        connections.append(opening.ranges)
        datagramCount += opening.ranges.count
      }
    }
  }

  /// How many connections show their ClientHello.
  func open(_ loaded: LoadedCapture) -> Int {
    let bytes = loaded.bytes.span
    return connections.count { ranges in
      var initials = QUICClientInitials()
      return ranges.contains { range in
        if case .found = initials.feed(datagram: bytes.extracting(range)) { true } else { false }
      }
    }
  }
}
