public import EgressModel
import Wire

/// Frames → named flow records: the metering process of IPFIX ([RFC 7011 §2](https://www.rfc-editor.org/rfc/rfc7011#section-2)).
///
/// Pure: no clock and no descriptor. `observe` takes frames, `advance` hands out what happened, `drain` ends everything. Whoever
/// captures calls `advance` every few thousand frames, or every second when there are fewer: what ended in between waits in memory.
///
/// The initiator of a flow is who sent the SYN; without one, who is local (`FlowMeterConfiguration.local`); without that knowledge, who
/// sent the ClientHello, the request or the query; else who has a client's port, and else who sent the first packet. A stronger proof that comes later turns the flow.
///
/// Names that the initiator looked up are bound when a flow begins, and stay with it.
public struct FlowMeter: ~Copyable, Sendable {
  var configuration: FlowMeterConfiguration
  var table: FlowTable
  var fragments: FragmentTable
  var names: NameTable
  var queries: QueryTable
  /// Clients whose queries were seen while the capture began.
  var askers: Set<IPAddress> = []
  var aliases: AliasTable
  var translations: TranslationTable
  var streams = Slab<FlowStreams>()
  var details = Slab<FlowDetails>()
  var hellos = HelloFacts()
  /// Streams in the order they began to be held, from `oldestStream` on; some are gone already.
  var streamOrder: ContiguousArray<(stream: Int32, flow: Int32, id: UInt64, since: Timestamp)> = []
  var oldestStream = 0
  var ignored: [IgnoredEnd] = []
  var goneLinks = GoneLinks()
  var tally = FlowMeterCounters()
  var nextID: UInt64 = 1
  var firstFrameAt: Timestamp?
  /// Ended and not handed out yet.
  var ended: ContiguousArray<MeteredFlow> = []
  var started: [FlowStart] = []
  var answers: [NameRecord] = []
  var sweptAt: Timestamp?
  var sweepCursor = 0
  var evictionCursor = 0

  struct IgnoredEnd: Equatable, Sendable {
    var end: SocketAddress
    var transport: Transport
  }

  public init(configuration: FlowMeterConfiguration) {
    self.configuration = configuration
    table = FlowTable(capacity: configuration.capacity, seed: configuration.seed)
    fragments = FragmentTable(seed: configuration.seed)
    names = NameTable(
      capacity: configuration.nameCapacity, byteLimit: configuration.nameByteLimit, namesPerAddress: configuration.namesPerAddress,
      grace: configuration.nameGrace, seed: configuration.seed)
    names.clients = configuration.clients
    translations = TranslationTable(seed: configuration.seed)
    aliases = AliasTable(seed: configuration.seed)
    queries = QueryTable(capacity: configuration.queryCapacity, timeout: configuration.queryTimeout)
  }

  /// As in the configuration; what comes and goes (addresses of this host, pods) may be set while the meter runs.
  public var local: [IPPrefix] {
    get { configuration.local }
    set { configuration.local = newValue }
  }

  /// Addresses that stand for others of the cluster: a flow to one of them may be seen once more with that of a backend.
  public var services: Set<IPAddress> = []

  /// As in the configuration.
  public var tunnelEnds: [IPPrefix]? {
    get { configuration.tunnelEnds }
    set { configuration.tunnelEnds = newValue }
  }

  /// As in the configuration.
  public var clients: [IPAddress: IPAddress] {
    get { names.clients }
    set { names.clients = newValue }
  }

  public var counters: FlowMeterCounters {
    var counters = tally
    counters.flowsLive = table.count
    counters.namesKnown = names.count
    counters.nameBytes = names.byteCount
    counters.namesEvicted = names.evicted
    counters.dns[.unanswered] = queries.unanswered
    return counters
  }

  /// Lets a name that was learned in an earlier run count as if its answer had just been seen at the record's time.
  public mutating func learn(_ record: NameRecord) {
    guard let ttl = record.ttl, !record.addresses.isEmpty else { return }
    names.learn(client: record.client, name: record.name, chain: record.chain, addresses: record.addresses, ttl: ttl, at: record.time)
  }

  /// Leaves out of the record whatever has `local` at either end, as the observer's own look-ups must be.
  ///
  /// - Parameter local: an unspecified address stands for every address.
  public mutating func ignore(_ local: SocketAddress, transport: Transport) {
    let end = IgnoredEnd(end: local, transport: transport)
    if !ignored.contains(end) { ignored.append(end) }
  }

  /// Takes back one `ignore`.
  public mutating func observeAgain(_ local: SocketAddress, transport: Transport) {
    ignored.removeAll { $0 == IgnoredEnd(end: local, transport: transport) }
  }

  /// Takes note that an interface is gone: whoever uses its addresses on another one later is somebody else, as the next pod is.
  public mutating func linkIsGone(_ link: UInt32) { goneLinks.insert(UInt16(truncatingIfNeeded: link)) }

  /// Meters one frame. Allocates only when a flow begins, or for the few that carry names.
  ///
  /// - Parameters:
  ///   - frame: what was captured.
  ///   - originalLength: octets of the frame on the wire.
  ///   - link: the kernel's number of the interface, where several are watched: what is seen on more than one counts once. Cooked frames
  ///     (SLL2) say it themselves. 0 when it is not known.
  public mutating func observe(_ frame: Span<UInt8>, linkType: LinkType, at time: Timestamp, originalLength: Int, link: UInt32 = 0) {
    tally.frames &+= 1
    tally.bytes &+= UInt64(truncatingIfNeeded: max(originalLength, frame.count))
    if firstFrameAt == nil { firstFrameAt = time }
    let packet = decode(frame, linkType: linkType, originalLength: originalLength)
    let link = Self.link(of: frame, linkType) ?? UInt16(truncatingIfNeeded: link)
    if let fragment = packet.fragment {
      observeFragment(packet, fragment, frame, on: link, at: time)
    } else {
      meter(packet, frame, on: link, at: time)
    }
  }

  /// The number of the interface in a cooked header. Its low half is enough: two links that show the same flow would have to be 65,536 apart.
  private static func link(of frame: Span<UInt8>, _ linkType: LinkType) -> UInt16? {
    guard linkType == .linuxSLL2, frame.count >= 8 else { return nil }
    return UInt16(frame[6]) << 8 | UInt16(frame[7])
  }

  /// Decodes a frame, down to what a tunnel carries if it may be opened.
  func decode(
    _ frame: Span<UInt8>, linkType: LinkType, originalLength: Int, inside encapsulation: Encapsulation = Encapsulation()
  ) -> Packet {
    let packet = PacketDecoder.decode(
      frame, linkType: linkType, originalLength: originalLength, inside: encapsulation, opensTunnels: configuration.tunnelEnds == nil)
    guard packet.mayHoldPacket, let ends = configuration.tunnelEnds, ends.contains(where: { $0.contains(packet.source) }),
      ends.contains(where: { $0.contains(packet.destination) })
    else { return packet }
    return PacketDecoder.decode(frame, linkType: linkType, originalLength: originalLength, inside: encapsulation)
  }

  /// Meters one packet, or a datagram that came in pieces.
  mutating func meter(_ packet: Packet, _ frame: Span<UInt8>, on link: UInt16, at time: Timestamp) {
    if packet.stop != .complete {
      tally.undecoded[packet.stop] &+= 1
      // A frame whose transport header is cut still counts; one whose transport is unknown cannot.
      guard packet.stop == .truncatedTransport || packet.stop == .malformedTransport else { return }
    }
    guard !packet.isLinkUpkeep else {
      tally.linkUpkeepFrames &+= 1
      return
    }
    if !ignored.isEmpty, isIgnored(packet) {
      tally.ignoredFrames &+= 1
      return
    }
    if packet.isICMPError {
      tally.errorMessages &+= 1
      if packet.isUnreachable { refuse(packet, frame) }
      return
    }

    let (key, sender) = FlowKey.make(packet)
    let hash = table.hash(key)
    var index = table.index(of: key, hash: hash) ?? -1
    if index >= 0 {
      // No limit is shorter than a second, and only a SYN begins a new flow over a live one.
      let mayBeNext = time.since(table[index].last) > FlowMeterConfiguration.second || packet.tcpFlags.contains(.syn)
      if mayBeNext, let reason = endReason(of: table[index], before: packet, from: sender, at: time) {
        end(index, reason)
        index = -1
      } else if packet.transport != .tcp, isFromSuccessor(packet, of: table[index], on: link, from: sender) {
        end(index, .endOfFlow)
        index = -1
      }
    }
    if index < 0 {
      if table.isFull { evict() }
      guard let new = begin(key, hash: hash, packet, frame, from: sender, at: time) else { return }
      index = new
    }
    if packet.transport == .tcp, packet.tcpFlags.contains(.syn) { synchronise(index, packet, from: sender) }
    if table[index].isCopy(on: link, from: sender, at: time) {
      tally.copies &+= 1
      return
    }
    let isWatched = table[index].take(packet.ipLength, packet.tcpFlags, from: sender, at: time)

    if isWatched {
      guard packet.payloadLength > 0 else { return }
      if packet.transport == .tcp {
        listen(index, packet, frame, from: sender, at: time)
      } else {
        listenToDatagram(index, packet, frame, from: sender, at: time)
      }
    }
    if packet.transport == .udp, packet.destinationPort == 53 || packet.sourcePort == 53, packet.payloadLength > 0 {
      observeDNSDatagram(index, packet, frame, from: sender, isSure: !isWatched && table[index].content != .quic && table[index].content != .dtls, at: time)
    }
  }

  private func isIgnored(_ packet: Packet) -> Bool {
    for ignored in ignored where ignored.transport == packet.transport {
      if ignored.end.port == packet.sourcePort, ignored.end.ip.isUnspecified || ignored.end.ip == packet.source { return true }
      if ignored.end.port == packet.destinationPort, ignored.end.ip.isUnspecified || ignored.end.ip == packet.destination { return true }
    }
    return false
  }

  /// Whether a packet with the key of a known flow belongs to the next flow instead, and why the known one ended.
  private func endReason(of flow: Flow, before packet: Packet, from sender: FlowKey.Side, at time: Timestamp) -> FlowEndReason? {
    let idle = time.since(flow.last)
    if idle > idleLimit(flow) { return flow.isFinished ? .endOfFlow : .idleTimeout }
    guard packet.transport == .tcp, packet.tcpFlags.contains(.syn), !packet.tcpFlags.contains(.rst) else { return nil }
    // The same number is a retransmission. Another one, from who began the flow, is the next connection with the same ports.
    if let isn = flow.isn(sender), flow.counters(sender).packets > 0 {
      guard isn != packet.sequence else { return nil }
      return flow.isFinished || sender == flow.initiator && !packet.tcpFlags.contains(.ack) ? .endOfFlow : nil
    }
    guard !packet.tcpFlags.contains(.ack) else { return nil }
    return flow.isFinished || idle > FlowMeterConfiguration.second ? .endOfFlow : nil
  }

  /// Whether who sends has only taken over the address of who began the flow. TCP tells that by itself (a SYN); and this host's own connections outlive
  /// a link that comes back, as a tunnel's does.
  private func isFromSuccessor(_ packet: Packet, of flow: Flow, on link: UInt16, from sender: FlowKey.Side) -> Bool {
    let home = flow.link(sender)
    return home != link && sender == flow.initiator && goneLinks.contains(home) && names.clients[packet.source] != NameTable.loopbackClient
  }

  /// How long a flow may be silent.
  func idleLimit(_ flow: Flow) -> Int64 {
    switch flow.key.transport {
    case .tcp:
      if flow.isFinished { return configuration.closedTimeout }
      return flow.isAnswered ? configuration.establishedTimeout : configuration.attemptTimeout
    case .udp: return flow.marks.contains(.dnsAnswered) ? configuration.dnsTimeout : configuration.udpTimeout
    case .icmp, .icmpv6: return configuration.icmpTimeout
    default: return configuration.otherTimeout
    }
  }

  private mutating func begin(
    _ key: FlowKey, hash: UInt32, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp
  ) -> Int? {
    let (initiator, proof) = direction(packet, frame, from: sender, at: time)
    var flow = Flow(key: key, id: nextID, initiator: initiator, at: time)
    flow.proof = proof
    if packet.transport == .tcp, packet.hasPorts {
      flow.marks.insert(.watch)
      if key.lowPort == 53 || key.highPort == 53 { flow.marks.insert(.dnsStream) }
    } else if packet.transport == .udp {
      let (mayHello, content) = beginning(packet, frame)
      if mayHello { flow.marks.insert(.watch) }
      flow.content = content
    }
    let evidence = evidence(for: flow)
    if !evidence.isEmpty || !packet.encapsulation.isEmpty {
      flow.details = details.insert(FlowDetails(encapsulation: packet.encapsulation, lookedUp: evidence))
    }
    guard let index = table.insert(flow, hash: hash) else { return nil }
    nextID += 1
    tally.flowsStarted &+= 1
    findTranslation(index, packet, frame, from: sender, at: time)
    if configuration.reportsStarts {
      started.append(
        FlowStart(
          id: flow.id, transport: key.transport, source: key.end(flow.initiator), destination: key.end(flow.responder), time: time))
    }
    return index
  }

  /// Marks the flow whose packet an ICMP message quotes as refused, unless it was answered.
  private mutating func refuse(_ packet: Packet, _ frame: Span<UInt8>) {
    let quoted = PacketDecoder.decodeQuotation(in: frame, of: packet)
    guard quoted.hasInternetHeader, !quoted.isLaterFragment else { return }
    let (key, sender) = FlowKey.make(quoted)
    guard let index = table.index(of: key, hash: table.hash(key)), table[index].initiator == sender, !table[index].isAnswered else { return }
    table[index].marks.insert(.refused)
  }

  /// Takes a flow out of the table; its record is made when it is handed out.
  mutating func end(_ index: Int, _ reason: FlowEndReason) {
    abandonStreams(of: index, .incomplete)
    let flow = table[index]
    let details = flow.details == Flow.none ? nil : details.remove(at: flow.details)
    if !flow.marks.contains(.translated) { ended.append(MeteredFlow(flow: flow, details: details, reason: reason)) }
    tally.flowsEnded[reason] &+= 1
    table.remove(at: index)
  }
}

/// What few flows have.
struct FlowDetails {
  /// Of the first packet.
  var encapsulation = Encapsulation()
  /// Bound when the flow began.
  var lookedUp: [NameEvidence] = []
  /// Said in the flow itself, by the client.
  var spoken: [NameEvidence] = []
  /// Said in the flow itself, by the server.
  var certified: [NameEvidence] = []
  var tls: TLSFacts?
  var proxy: ProxyTarget?
  var backend: SocketAddress?
}
