import EgressModel
import Wire

extension FlowMeter {
  /// What a hello that is held counts for besides its octets: keys and bookkeeping.
  private static let heldOverhead = 1024

  static func heldByteCount(_ hello: DatagramHello) -> Int { hello.byteCount + heldOverhead }

  /// What a UDP flow that begins with this packet is: whether it is to be listened to, and what its content says already.
  func beginning(_ packet: Packet, _ frame: Span<UInt8>) -> (isHello: Bool, content: Flow.ContentKind) {
    guard packet.destinationPort != 53, packet.sourcePort != 53 else { return (false, .unknown) }
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    if packet.destinationPort == 123 || packet.sourcePort == 123 { return (false, NTPMessage.isOne(payload) ? .ntp : .unknown) }
    return (QUICClientInitials.mayBegin(payload) || DTLSClientHello.mayBegin(payload), .unknown)
  }

  /// Looks at a datagram from the side that began a flow with a hello.
  mutating func listenToDatagram(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp) {
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    let handle = table[index].streams
    let held = handle == Flow.none ? nil : streams[handle]?.hello
    guard var hello = held ?? DatagramHello(beginning: payload) else {
      unwatch(index, sender)
      return
    }
    switch hello.feed(payload, isCut: packet.isPayloadCut) {
    case .found(let speech):
      note(index, speech, from: sender)
      unwatch(index, .low)
      unwatch(index, .high)
    case .needMore:
      if handle == Flow.none {
        table[index].streams = streams.insert(FlowStreams(hello: hello))
        queueStream(index, at: time)
      } else {
        streams[handle]?.hello = hello
      }
      tally.reassemblyBytes += Self.heldByteCount(hello) - (held.map(Self.heldByteCount) ?? 0)
      makeRoom()
    case .other:
      if packet.isPayloadCut { abandon(.truncated) }
      unwatch(index, sender)
    }
  }
}
