import EgressModel
import Wire

/// The directions of a TCP connection that are being put in order, or what a QUIC client said so far.
struct FlowStreams {
  var low: HeldStream?
  var high: HeldStream?
  var initials: QUICClientInitials?

  var isEmpty: Bool { low == nil && high == nil && initials == nil }

  subscript(side: FlowKey.Side) -> HeldStream? {
    _read { if side == .low { yield low } else { yield high } }
    _modify { if side == .low { yield &low } else { yield &high } }
  }

  var byteCount: Int { (low?.octets.byteCount ?? 0) + (high?.octets.byteCount ?? 0) }
}

struct HeldStream {
  var octets: StreamReassembler
  var progress = HTTPRequest.Progress()
}

extension FlowMeter {
  /// Segments that may start with something else before a stream whose beginning was not captured is given up.
  private static let maximumAttempts: UInt8 = 8

  /// Looks at a segment with payload from a side that is still watched.
  mutating func listen(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp) {
    // A SYN takes a sequence number; data that rides on it (RFC 7413) comes after.
    let sequence = packet.sequence &+ (packet.tcpFlags.contains(.syn) ? 1 : 0)
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    let start = table[index].isn(sender).map { $0 &+ 1 }
    let isHeld = table[index].streams != Flow.none && streams[table[index].streams]?[sender] != nil
    let isDNS = table[index].marks.contains(.dnsStream)

    if !isHeld, !isDNS, start == nil || start == sequence {
      // The common case: the first segment tells everything, and nothing is copied.
      var progress = HTTPRequest.Progress()
      switch NameSniffer.judge(payload, resuming: &progress, isComplete: packet.isPayloadCut) {
      case .found(let speech):
        name(index, speech, from: sender)
        return
      case .other:
        if packet.isPayloadCut, TLSStream.looksLikeRecord(payload) { abandon(.truncated) }
        giveUp(index, sender, isStartKnown: start != nil)
        return
      case .needMore:
        guard !packet.isPayloadCut else {
          abandon(.truncated)
          unwatch(index, sender)
          return
        }
      }
    }
    guard !packet.isPayloadCut else {
      if isHeld || !isDNS { abandon(.truncated) }
      unwatch(index, sender)
      return
    }
    hold(index, payload, sequence: sequence, start: start ?? sequence, from: sender, at: time)
  }

  private mutating func hold(
    _ index: Int, _ payload: Span<UInt8>, sequence: UInt32, start: UInt32, from sender: FlowKey.Side, at time: Timestamp
  ) {
    if table[index].streams == Flow.none {
      table[index].streams = streams.insert(FlowStreams())
      queueStream(index, at: time)
    }
    let handle = table[index].streams
    if streams[handle]?[sender] == nil { streams[handle]?[sender] = HeldStream(octets: StreamReassembler(start: start)) }
    let before = streams[handle]?.byteCount ?? 0
    let insertion = streams[handle]?[sender]?.octets.insert(payload, sequence: sequence, limit: configuration.streamByteLimit)
    tally.reassemblyBytes += (streams[handle]?.byteCount ?? 0) - before
    switch insertion {
    case .overLimit:
      abandon(.overLimit)
      unwatch(index, sender)
    case .advanced:
      if table[index].marks.contains(.dnsStream) {
        readDNSStream(index, handle, from: sender, at: time)
      } else {
        judgeHeld(index, handle, from: sender, isComplete: false)
      }
    case .waiting, nil: break
    }
    makeRoom()
  }

  private mutating func judgeHeld(_ index: Int, _ handle: Int32, from sender: FlowKey.Side, isComplete: Bool) {
    guard let stream = streams[handle]?[sender], isComplete || stream.octets.prefix.count >= stream.octets.needed else { return }
    var progress = stream.progress
    switch NameSniffer.judge(stream.octets.prefix.span, resuming: &progress, isComplete: isComplete) {
    case .found(let speech):
      name(index, speech, from: sender)
    case .needMore(let count):
      streams[handle]?[sender]?.octets.needed = count
      streams[handle]?[sender]?.progress = progress
    case .other:
      let isStartKnown = table[index].isn(sender) != nil
      dropStream(index, sender)
      giveUp(index, sender, isStartKnown: isStartKnown)
    }
  }

  private mutating func readDNSStream(_ index: Int, _ handle: Int32, from sender: FlowKey.Side, at time: Timestamp) {
    guard let prefix = streams[handle]?[sender]?.octets.prefix else { return }
    var offset = 0
    loop: while true {
      switch DNSTCP.message(in: prefix.span, at: offset) {
      case .found(let range):
        switch observeDNS(prefix.span.extracting(range), isCut: false, index, from: sender, at: time) {
        case .query:
          table[index].content = .dns
          prove(index, sender, .content)
        case .answer: table[index].content = .dns
        case .malformed, .truncated, .unsolicited, .unanswered: break
        }
        offset = range.upperBound
      case .needMore: break loop
      case .other:
        tally.dns[.malformed] &+= 1
        unwatch(index, sender)
        return
      }
    }
    let before = streams[handle]?.byteCount ?? 0
    if offset > 0 { streams[handle]?[sender]?.octets.consume(offset) }
    tally.reassemblyBytes += (streams[handle]?.byteCount ?? 0) - before
  }

  /// Keeps what was said and lets go of everything else.
  mutating func name(_ index: Int, _ speech: NameSniffer.Speech, from sender: FlowKey.Side) {
    let handle = table[index].details
    var known = (handle == Flow.none ? nil : details[handle]) ?? FlowDetails()
    var spoken: NameEvidence?
    switch speech {
    case .ssh:
      table[index].content = .ssh
    case .tls(let facts):
      table[index].content = content(of: facts, to: table[index].key.end(sender.other), lookedUp: known.lookedUp, overQUIC: false)
      known.tls = facts
      spoken = facts.sni.map { NameEvidence(name: $0, source: .tlsSNI, confidence: .confirmed) }
      prove(index, sender, .content)
    case .quic(let facts):
      table[index].content = content(of: facts, to: table[index].key.end(sender.other), lookedUp: known.lookedUp, overQUIC: true)
      known.tls = facts
      spoken = facts.sni.map { NameEvidence(name: $0, source: .quicSNI, confidence: .confirmed) }
      prove(index, sender, .content)
    case .http(let head):
      table[index].content = .http
      known.proxy = head.proxyTarget
      if let target = head.connectTarget?.host.name {
        spoken = NameEvidence(name: target, source: .httpConnect, confidence: .confirmed)
      } else {
        spoken = Self.evidence(of: head)
      }
      prove(index, sender, .content)
    }
    if let spoken {
      known.spoken.append(spoken)
      if spoken.confidence == .confirmed { tally.flowsNamed &+= 1 }
    }
    // `prove` may have bound other look-ups.
    if table[index].details != Flow.none {
      known.lookedUp = details[table[index].details]?.lookedUp ?? []
      details[table[index].details] = known
    } else if known.tls != nil || known.proxy != nil || spoken != nil {
      table[index].details = details.insert(known)
    }
    unwatch(index, .low)
    unwatch(index, .high)
  }

  /// An address literal in a Host field was said, but names nothing.
  private static func evidence(of head: HTTPRequestHead) -> NameEvidence? {
    switch head.authority?.host {
    case .name(let name): NameEvidence(name: name, source: .httpHost, confidence: .confirmed)
    case .address(let address): NameEvidence(name: DomainName(presentation: address.description), source: .httpHost, confidence: .hint)
    case .invalid, nil: nil
    }
  }

  /// The stream is nothing we read. Where its beginning was not captured, the next segment may still begin a hello.
  private mutating func giveUp(_ index: Int, _ side: FlowKey.Side, isStartKnown: Bool) {
    table[index].attempts &+= 1
    if isStartKnown || table[index].attempts >= Self.maximumAttempts { unwatch(index, side) }
  }

  mutating func unwatch(_ index: Int, _ side: FlowKey.Side) {
    table[index].marks.remove(Flow.Marks(.watchLow, side))
    dropStream(index, side)
  }

  private mutating func dropStream(_ index: Int, _ side: FlowKey.Side) {
    let handle = table[index].streams
    guard handle != Flow.none else { return }
    if let stream = streams[handle]?[side] {
      tally.reassemblyBytes -= stream.octets.byteCount
      streams[handle]?[side] = nil
    }
    if let initials = streams[handle]?.initials {
      tally.reassemblyBytes -= Self.heldByteCount(initials)
      streams[handle]?.initials = nil
    }
    if streams[handle]?.isEmpty ?? false {
      _ = streams.remove(at: handle)
      table[index].streams = Flow.none
    }
  }

  /// Judges what there is of a flow's streams as all there will be, and lets go of them.
  mutating func abandonStreams(of index: Int, _ cause: StreamAbandonment) {
    guard table[index].streams != Flow.none else { return }
    if streams[table[index].streams]?.initials != nil {
      abandon(cause)
      unwatch(index, table[index].initiator)
    }
    for side in [FlowKey.Side.low, .high] {
      let handle = table[index].streams
      guard handle != Flow.none, let stream = streams[handle]?[side] else { continue }
      let wasHolding = stream.octets.byteCount > 0
      if wasHolding, !table[index].marks.contains(.dnsStream) { judgeHeld(index, handle, from: side, isComplete: true) }
      let isNamed = table[index].streams == Flow.none && table[index].content != .unknown
      if wasHolding, !isNamed { abandon(cause) }
      unwatch(index, side)
    }
  }

  mutating func abandon(_ cause: StreamAbandonment) {
    tally.streamsAbandoned[cause] &+= 1
  }

  // MARK: Bounds

  mutating func queueStream(_ index: Int, at time: Timestamp) {
    streamOrder.append((table[index].streams, Int32(truncatingIfNeeded: index), table[index].id, time))
    // Most streams are gone long before they reach the front, so what is gone is swept out when it is most of the queue.
    if streamOrder.count - oldestStream > 2 * streams.count + 1024 {
      var kept: ContiguousArray<(stream: Int32, flow: Int32, id: UInt64, since: Timestamp)> = []
      for place in oldestStream..<streamOrder.count where isHeld(streamOrder[place]) { kept.append(streamOrder[place]) }
      streamOrder = kept
      oldestStream = 0
    }
  }

  private func isHeld(_ entry: (stream: Int32, flow: Int32, id: UInt64, since: Timestamp)) -> Bool {
    let flow = table[Int(entry.flow)]
    return flow.isLive && flow.id == entry.id && flow.streams == entry.stream
  }

  /// Keeps all streams together inside the bound: the ones that are incomplete for longest go.
  mutating func makeRoom() {
    while tally.reassemblyBytes > configuration.reassemblyByteLimit, oldestStream < streamOrder.count {
      let entry = streamOrder[oldestStream]
      oldestStream += 1
      if isHeld(entry) { abandonStreams(of: Int(entry.flow), .noMemory) }
    }
  }

  /// Gives up the streams that have been incomplete for too long.
  mutating func abandonOverdueStreams(at time: Timestamp) {
    while oldestStream < streamOrder.count {
      let entry = streamOrder[oldestStream]
      if isHeld(entry) {
        guard time.since(entry.since) > configuration.reassemblyTimeout else { break }
        let index = Int(entry.flow)
        // A DNS connection that waits for its next message holds nothing.
        if table[index].marks.contains(.dnsStream), streams[entry.stream]?.byteCount == 0 {
          streamOrder.append((entry.stream, entry.flow, entry.id, time))
        } else {
          abandonStreams(of: index, .incomplete)
        }
      }
      oldestStream += 1
    }
    if oldestStream > 1024, oldestStream * 2 > streamOrder.count {
      streamOrder.removeFirst(oldestStream)
      oldestStream = 0
    }
  }
}
