public import EgressModel
import Wire

/// What connection tracking says of a flow that began.
public enum Translation: Hashable, Sendable {
  /// It is another flow once more, with translated addresses.
  case copy
  /// Its destination is translated to this one.
  case destination(SocketAddress)
}

extension FlowMeter {
  /// Marks the flow that is another one once more, whichever of the two was captured first.
  mutating func findTranslation(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp) {
    // Who this host is, is known by what stands for its addresses.
    guard !names.clients.isEmpty, table[index].initiator == sender, let proof = Self.proof(packet, frame, seed: configuration.seed) else { return }
    let key = table[index].key
    let destination = packet.destination
    let match = translations.match(
      TranslationTable.Candidate(
        transport: packet.transport, proof: proof, initiator: key.end(sender), responder: key.end(sender.other), index: index, id: table[index].id,
        isOwn: names.clients[packet.source] == NameTable.loopbackClient, isService: services.contains(destination),
        mayBeBackend: destination.isPrivate || configuration.local.contains { $0.contains(destination) }, time: time))
    guard let match else { return }
    if isLive(match.copy.index, match.copy.id) { markCopy(match.copy.index) }
    if match.copy.responder != match.original.responder, isLive(match.original.index, match.original.id) {
      setBackend(match.copy.responder, of: match.original.index)
    }
  }

  /// Takes what connection tracking says of a flow that `FlowBatch.started` told of.
  public mutating func note(_ translation: Translation, of start: FlowStart) {
    guard let index = index(start.transport, start.source, start.destination), table[index].id == start.id else { return }
    switch translation {
    case .copy: markCopy(index)
    case .destination(let backend): setBackend(backend, of: index)
    }
  }

  /// Whether a flow between these ends is under way, whoever began it.
  public func isLive(_ transport: Transport, from source: SocketAddress, to destination: SocketAddress) -> Bool { index(transport, source, destination) != nil }

  private func index(_ transport: Transport, _ source: SocketAddress, _ destination: SocketAddress) -> Int? {
    let (key, _) = FlowKey.make(
      source: source.ip, sourcePort: source.port ?? 0, destination: destination.ip, destinationPort: destination.port ?? 0, transport: transport,
      hasPorts: source.port != nil)
    return table.index(of: key, hash: table.hash(key))
  }

  private func isLive(_ index: Int, _ id: UInt64) -> Bool { table[index].isLive && table[index].id == id }

  private mutating func markCopy(_ index: Int) {
    guard !table[index].marks.contains(.translated) else { return }
    table[index].marks.insert(.translated)
    tally.flowsTranslated &+= 1
  }

  private mutating func setBackend(_ backend: SocketAddress, of index: Int) {
    if table[index].details == Flow.none { table[index].details = details.insert(FlowDetails()) }
    details[table[index].details]?.backend = backend
  }

  /// Shorter datagrams may be alike by chance.
  private static let provingLength = 16

  /// What translation leaves as it is; nil where nothing tells two flows apart.
  private static func proof(_ packet: Packet, _ frame: Span<UInt8>, seed: UInt64) -> UInt64? {
    switch packet.transport {
    case .tcp: return packet.tcpFlags.contains(.syn) && !packet.tcpFlags.contains(.ack) ? UInt64(packet.sequence) : nil
    case .udp where packet.hasPorts:
      return fingerprint(packet, frame, from: packet.payloadOffset, seed: seed)
        ?? UInt64(packet.sourcePort) << 32 | UInt64(truncatingIfNeeded: packet.ipLength)
    // From the sequence number on, behind the identifier, which translation changes like a port.
    case .icmp where packet.icmpType == 8, .icmpv6 where packet.icmpType == 128:
      return fingerprint(packet, frame, from: packet.payloadOffset - 2, seed: seed)
    default: return nil
    }
  }

  private static func fingerprint(_ packet: Packet, _ frame: Span<UInt8>, from start: Int, seed: UInt64) -> UInt64? {
    let end = min(packet.payloadOffset + packet.capturedPayloadLength, frame.count, start + 64)
    guard end - start >= provingLength else { return nil }
    var hash = seed ^ UInt64(truncatingIfNeeded: packet.ipLength)
    for index in start..<end { hash = SeededHash.mixed(hash ^ UInt64(frame[index]), 0xa076_1d64_78bd_642f) }
    return hash
  }
}
