import EgressModel
import Wire

/// The certificates of servers whose clients named none: before TLS 1.3 they are sent in the clear.
///
/// Anybody can make a certificate, and most have several names, so its names are hints.
extension FlowMeter {
  /// Names of a certificate that are kept with a flow.
  private static let maximumCertifiedCount = 4

  /// After a hello that names nothing, the server's stream is read from where the client's segment says that it stands.
  mutating func expectCertificate(
    _ index: Int, _ outcome: StreamResult<Void>, _ packet: Packet, from sender: FlowKey.Side, at time: Timestamp
  ) {
    let handle = table[index].details
    guard case .found = outcome, sender == table[index].initiator, packet.tcpFlags.contains(.ack), handle != Flow.none,
      details[handle]?.tls != nil, details[handle]?.spoken.isEmpty ?? false, details[handle]?.proxy == nil
    else { return }
    let server = sender.other
    table[index].marks.insert([.certificate, Flow.Marks(.watchLow, server)])
    if table[index].streams == Flow.none {
      table[index].streams = streams.insert(FlowStreams())
      queueStream(index, at: time)
    }
    let stream = HeldStream(octets: StreamReassembler(start: packet.acknowledgment))
    streams[table[index].streams]?[server] = stream
    tally.reassemblyBytes += stream.byteCount
    makeRoom()
  }

  /// Looks at a segment of the server.
  mutating func listenForCertificate(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from server: FlowKey.Side) {
    let handle = table[index].streams
    guard !packet.isPayloadCut, handle != Flow.none, streams[handle]?[server] != nil else {
      if packet.isPayloadCut { abandon(.truncated) }
      unwatch(index, server)
      return
    }
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    let before = streams[handle]?.byteCount ?? 0
    let limit = min(configuration.streamByteLimit, ServerCertificate.maximumPrefixLength)
    let insertion = streams[handle]?[server]?.octets.insert(payload, sequence: packet.sequence, limit: limit)
    tally.reassemblyBytes += (streams[handle]?.byteCount ?? 0) - before
    switch insertion {
    case .overLimit:
      abandon(.overLimit)
      unwatch(index, server)
    case .advanced:
      judgeCertificate(index, handle, from: server)
    case .waiting, nil: break
    }
    makeRoom()
  }

  private mutating func judgeCertificate(_ index: Int, _ handle: Int32, from server: FlowKey.Side) {
    guard let octets = streams[handle]?[server]?.octets, octets.prefix.count >= octets.needed else { return }
    switch ServerCertificate.names(in: octets.prefix.span) {
    case .found(let names):
      amend(index) { details in
        details.certified = names.prefix(Self.maximumCertifiedCount).map { NameEvidence(name: $0, source: .certificate, confidence: .hint) }
      }
      unwatch(index, server)
    case .needMore(let count):
      streams[handle]?[server]?.octets.needed = count
    case .other:
      unwatch(index, server)
    }
  }
}
