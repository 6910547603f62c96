import EgressModel
import Wire

extension FlowMeter {
  /// Who began a flow, by its first packet.
  func direction(
    _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp
  ) -> (initiator: FlowKey.Side, proof: Flow.DirectionProof) {
    if packet.transport == .tcp, packet.tcpFlags.contains(.syn) {
      return (packet.tcpFlags.contains(.ack) ? sender.other : sender, .syn)
    }
    if !configuration.local.isEmpty {
      let isSourceLocal = configuration.local.contains { $0.contains(packet.source) }
      let isDestinationLocal = configuration.local.contains { $0.contains(packet.destination) }
      if isSourceLocal != isDestinationLocal { return (isSourceLocal ? sender : sender.other, .local) }
    }
    switch packet.transport {
    // RFC 792, RFC 4443 4: echo request and reply.
    case .icmp where packet.icmpType == 8, .icmpv6 where packet.icmpType == 128: return (sender, .content)
    case .icmp where packet.icmpType == 0 && packet.stop == .complete, .icmpv6 where packet.icmpType == 129: return (sender.other, .content)
    // QR, the first bit of the third octet: an answer.
    case .udp where packet.sourcePort == 53 && packet.destinationPort != 53 && packet.capturedPayloadLength > 2:
      return frame[packet.payloadOffset + 2] & 0x80 != 0 ? (sender.other, .content) : (sender, .firstPacket)
    // A port for servers alone and one for clients alone (RFC 6335 §6): the capture began in the middle, and with an answer.
    default:
      let isAnswer = packet.sourcePort < 1024 && packet.destinationPort >= 32_768 && (packet.transport == .tcp || isBeginning(at: time))
      return (isAnswer ? sender.other : sender, .firstPacket)
    }
  }

  /// Whether the capture began so short a time ago that what a packet answers may have gone before.
  func isBeginning(at time: Timestamp) -> Bool { time.since(firstFrameAt ?? time) <= configuration.headStart }

  /// Takes note of a segment that opens one side's stream.
  mutating func synchronise(_ index: Int, _ packet: Packet, from sender: FlowKey.Side) {
    // Before the side was heard, its number was told by the answer; behind a SYN with data (RFC 7413) it is another.
    if table[index].isn(sender) == nil || table[index].counters(sender).packets == 0 { table[index].setISN(packet.sequence, sender) }
    // Where the SYN was not captured, its answer says where the other stream begins (RFC 9293 §3.5).
    if packet.tcpFlags.contains(.ack), table[index].isn(sender.other) == nil { table[index].setISN(packet.acknowledgment &- 1, sender.other) }
    prove(index, packet.tcpFlags.contains(.ack) ? sender.other : sender, .syn)
    // Only the initiator says where it wants to go.
    if !table[index].marks.contains(.dnsStream) { unwatch(index, table[index].responder) }
  }

  /// Notes a proof of who began the flow; the flow turns round when it is stronger than what was known and says otherwise.
  mutating func prove(_ index: Int, _ initiator: FlowKey.Side, _ proof: Flow.DirectionProof) {
    guard proof > table[index].proof else { return }
    table[index].proof = proof
    guard initiator != table[index].initiator else { return }
    table[index].initiator = initiator
    tally.flowsTurned &+= 1
    // The other end now is the one whose look-ups count.
    let evidence = evidence(for: table[index])
    if table[index].details != Flow.none {
      details[table[index].details]?.lookedUp = evidence
    } else if !evidence.isEmpty {
      table[index].details = details.insert(FlowDetails(lookedUp: evidence))
    }
  }

  /// The names that the initiator had looked up for the responder when the flow began.
  func evidence(for flow: Flow) -> [NameEvidence] {
    names.evidence(client: flow.key.address(flow.initiator), address: flow.key.address(flow.responder), at: flow.start)
  }
}
