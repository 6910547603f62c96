import EgressModel
import Wire

extension FlowMeter {
  /// What a connection attempt that is held counts for besides the octets of its hello: keys and bookkeeping.
  private static let heldOverhead = 1024

  static func heldByteCount(_ initials: QUICClientInitials) -> Int { initials.byteCount + heldOverhead }

  /// Whether a UDP flow that begins with this packet is to be listened to.
  func mayBeginQUIC(_ packet: Packet, _ frame: Span<UInt8>) -> Bool {
    packet.destinationPort != 53 && packet.sourcePort != 53
      && QUICClientInitials.mayBegin(
        frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength))
  }

  /// Looks at a datagram from the side that began a flow with a QUIC long header.
  mutating func listenForQUIC(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp) {
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    let handle = table[index].streams
    let held = handle == Flow.none ? nil : streams[handle]?.initials
    var initials = held ?? QUICClientInitials()
    switch initials.feed(datagram: payload, isCut: packet.isPayloadCut) {
    case .found(let hello):
      note(index, .quic(hello), from: sender)
      unwatch(index, .low)
      unwatch(index, .high)
    case .needMore:
      if handle == Flow.none {
        table[index].streams = streams.insert(FlowStreams(initials: initials))
        queueStream(index, at: time)
      } else {
        streams[handle]?.initials = initials
      }
      tally.reassemblyBytes += Self.heldByteCount(initials) - (held.map(Self.heldByteCount) ?? 0)
      makeRoom()
    case .other:
      if packet.isPayloadCut { abandon(.truncated) }
      unwatch(index, sender)
    }
  }
}
