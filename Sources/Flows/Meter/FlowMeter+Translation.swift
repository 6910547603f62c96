import EgressModel
import Wire

extension FlowMeter {
  /// Marks the flow of this host that is the flow of somebody behind it once more, whichever of the two was captured first.
  mutating func findTranslation(_ index: Int, _ packet: Packet, from sender: FlowKey.Side, at time: Timestamp) {
    // Who this host is, is known by what stands for its addresses.
    guard !names.clients.isEmpty, table[index].initiator == sender else { return }
    let proof: UInt64
    switch packet.transport {
    case .tcp where packet.tcpFlags.contains(.syn) && !packet.tcpFlags.contains(.ack): proof = UInt64(packet.sequence)
    case .udp where packet.hasPorts: proof = UInt64(packet.sourcePort) << 32 | UInt64(truncatingIfNeeded: packet.ipLength)
    default: return
    }
    let candidate = TranslationTable.Candidate(
      beginning: TranslationTable.Beginning(
        responder: SocketAddress(ip: packet.destination, port: packet.destinationPort), transport: packet.transport, proof: proof),
      index: index, id: table[index].id, isOwn: names.clients[packet.source] == NameTable.loopbackClient, time: time)
    guard let other = translations.match(candidate) else { return }
    let copy = candidate.isOwn ? candidate : other
    guard table[copy.index].isLive, table[copy.index].id == copy.id else { return }
    table[copy.index].marks.insert(.translated)
    tally.flowsTranslated &+= 1
  }
}
