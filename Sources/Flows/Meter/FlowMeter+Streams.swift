import EgressModel
import Wire

/// The directions of a TCP connection that are being put in order, or what was said over UDP so far.
struct FlowStreams {
  var low: HeldStream?
  var high: HeldStream?
  var hello: DatagramHello?
  /// Whose it is.
  var helloSide = FlowKey.Side.low

  /// Whether every octet was understood so far.
  var holdsNothing: Bool { (low?.octets.byteCount ?? 0) + (high?.octets.byteCount ?? 0) == 0 }

  var isEmpty: Bool { low == nil && high == nil && hello == nil }

  subscript(side: FlowKey.Side) -> HeldStream? {
    _read { if side == .low { yield low } else { yield high } }
    _modify { if side == .low { yield &low } else { yield &high } }
  }

  /// Octets of memory that the TCP streams take.
  var byteCount: Int { (low?.byteCount ?? 0) + (high?.byteCount ?? 0) }
}

struct HeldStream {
  var octets: StreamReassembler
  var hearing = Hearing()

  /// What a stream takes besides its octets; so a flood of streams of a few octets is bounded, too.
  private static let overhead = 256

  var byteCount: Int { octets.heldByteCount + Self.overhead }
}

/// How far one side of a stream was followed.
struct Hearing {
  /// Of what is judged now.
  var progress = HTTPRequest.Progress()
  /// Protocols that began inside one another so far: a tunnel, an upgrade to TLS.
  var turns = 0

  static let maximumTurns = 8
}

extension FlowMeter {
  /// Segments that may start with something else before a stream whose beginning was not captured is given up.
  private static let maximumAttempts: UInt8 = 8
  /// Octets of the longest query that a client may begin with; they have some hundred.
  private static let maximumQueryLength = 4096

  /// Looks at a segment with payload from a side that is still watched.
  mutating func listen(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp) {
    guard !table[index].marks.contains(.certificate) else {
      listenForCertificate(index, packet, frame, from: sender)
      return
    }
    // A SYN takes a sequence number; data that rides on it (RFC 7413) comes after.
    let sequence = packet.sequence &+ (packet.tcpFlags.contains(.syn) ? 1 : 0)
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    let start = table[index].isn(sender).map { $0 &+ 1 }
    let isHeld = table[index].streams != Flow.none && streams[table[index].streams]?[sender] != nil
    let isDNS = table[index].marks.contains(.dnsStream)

    if !isHeld, !isDNS, start == nil || start == sequence {
      // The common case: the first segment tells everything, and nothing is copied.
      var hearing = Hearing()
      let (heard, outcome) = hear(index, payload, &hearing, from: sender, isComplete: packet.isPayloadCut, at: time)
      expectCertificate(index, outcome, packet, from: sender, at: time)
      switch outcome {
      case .found:
        return
      case .other:
        if packet.isPayloadCut, TLSStream.looksLikeRecord(payload.extracting(heard...)) { abandon(.truncated) }
        giveUp(index, sender, isStartKnown: start != nil || heard > 0)
        return
      case .needMore(let count):
        if !packet.isPayloadCut, hearing.turns > 0 {
          let next = sequence &+ UInt32(truncatingIfNeeded: heard)
          hold(index, packet, payload.extracting(heard...), sequence: next, start: next, hearing, needed: count, from: sender, at: time)
          return
        }
      }
    }
    guard !packet.isPayloadCut else {
      if isHeld || !isDNS { abandon(.truncated) }
      unwatch(index, sender)
      return
    }
    hold(index, packet, payload, sequence: sequence, start: start ?? sequence, Hearing(), needed: 1, from: sender, at: time)
  }

  /// Notes all that can be told from what a side said, one protocol inside another.
  ///
  /// - Returns: the octets that are understood and need not be kept, and what became of the rest: `found` when nothing more is to be learned.
  private mutating func hear(
    _ index: Int, _ octets: Span<UInt8>, _ hearing: inout Hearing, from sender: FlowKey.Side, isComplete: Bool, at time: Timestamp
  ) -> (heard: Int, outcome: StreamResult<Void>) {
    var heard = 0
    while true {
      let isMidway = hearing.turns == 0 && table[index].isn(sender) == nil
      switch NameSniffer.judge(octets.extracting(heard...), resuming: &hearing.progress, isMidway: isMidway, isComplete: isComplete) {
      case .found(let speech):
        note(index, speech, from: sender, at: time)
        guard let byteCount = speech.byteCount, byteCount > 0, byteCount <= octets.count - heard, hearing.turns < Hearing.maximumTurns else {
          unwatch(index)
          return (octets.count, .found(()))
        }
        heard += byteCount
        hearing.turns += 1
        hearing.progress = HTTPRequest.Progress()
        // Whoever opens a tunnel is the client: what the other side says first inside names nothing.
        unwatch(index, sender.other)
      case .needMore(let count): return (heard, .needMore(atLeast: count))
      case .other(let reason): return (heard, .other(reason))
      }
    }
  }

  private mutating func hold(
    _ index: Int, _ packet: Packet, _ payload: Span<UInt8>, sequence: UInt32, start: UInt32, _ hearing: Hearing, needed: Int,
    from sender: FlowKey.Side, at time: Timestamp
  ) {
    if table[index].streams == Flow.none {
      table[index].streams = streams.insert(FlowStreams())
      queueStream(index, at: time)
    }
    let handle = table[index].streams
    let before = streams[handle]?.byteCount ?? 0
    if streams[handle]?[sender] == nil {
      streams[handle]?[sender] = HeldStream(octets: StreamReassembler(start: start), hearing: hearing)
      streams[handle]?[sender]?.octets.needed = needed
    }
    let insertion = streams[handle]?[sender]?.octets.insert(payload, sequence: sequence, limit: configuration.streamByteLimit)
    tally.reassemblyBytes += (streams[handle]?.byteCount ?? 0) - before
    switch insertion {
    case .overLimit:
      abandon(.overLimit)
      unwatch(index, sender)
    case .advanced:
      if table[index].marks.contains(.dnsStream), !beginsOtherwise(index, handle, from: sender) {
        readDNSStream(index, handle, from: sender, at: time)
      } else {
        let outcome = judgeHeld(index, handle, from: sender, isComplete: false, at: time)
        expectCertificate(index, outcome, packet, from: sender, at: time)
      }
    case .waiting, nil: break
    }
    makeRoom()
  }

  @discardableResult
  mutating func judgeHeld(_ index: Int, _ handle: Int32, from sender: FlowKey.Side, isComplete: Bool, at time: Timestamp) -> StreamResult<Void> {
    guard let stream = streams[handle]?[sender], isComplete || stream.octets.prefix.count >= stream.octets.needed else {
      return .needMore(atLeast: 1)
    }
    var hearing = stream.hearing
    let (heard, outcome) = hear(index, stream.octets.prefix.span, &hearing, from: sender, isComplete: isComplete, at: time)
    switch outcome {
    case .found:
      break
    case .needMore(let count):
      if heard > 0 { consume(heard, of: handle, sender) }
      streams[handle]?[sender]?.octets.needed = count
      streams[handle]?[sender]?.hearing = hearing
    case .other:
      let isStartKnown = table[index].isn(sender) != nil || hearing.turns > 0
      dropStream(index, sender)
      giveUp(index, sender, isStartKnown: isStartKnown)
    }
    return outcome
  }

  private mutating func consume(_ count: Int, of handle: Int32, _ side: FlowKey.Side) {
    let before = streams[handle]?.byteCount ?? 0
    streams[handle]?[side]?.octets.consume(count)
    tally.reassemblyBytes += (streams[handle]?.byteCount ?? 0) - before
  }

  /// Whether what began on the port of DNS is something else: no query (RFC 1035 §4.1.1), or one longer than any but an update (RFC 2136).
  private mutating func beginsOtherwise(_ index: Int, _ handle: Int32, from sender: FlowKey.Side) -> Bool {
    guard sender == table[index].initiator, table[index].content == .unknown, let prefix = streams[handle]?[sender]?.octets.prefix, prefix.count >= 14
    else { return false }
    let length = Int(prefix[0]) << 8 | Int(prefix[1])
    let opcode = prefix[4] >> 3 & 0xf
    let isQuery = prefix[4] & 0x80 == 0 && opcode <= 6 && prefix[6] == 0 && prefix[7] == 1
    guard !isQuery || length > Self.maximumQueryLength && opcode != 5 else { return false }
    table[index].marks.remove(.dnsStream)
    unwatch(index, sender.other)
    return true
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
    if offset > 0 { consume(offset, of: handle, sender) }
  }

  /// The stream is nothing we read. Where its beginning was not captured, the next segment may still begin a hello.
  private mutating func giveUp(_ index: Int, _ side: FlowKey.Side, isStartKnown: Bool) {
    table[index].attempts &+= 1
    if isStartKnown || table[index].attempts >= Self.maximumAttempts { unwatch(index, side) }
  }
}
