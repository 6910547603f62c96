import EgressModel
import Wire

extension FlowMeter {
  /// What a hello that is held counts for besides its octets: keys and bookkeeping.
  private static let heldOverhead = 1024

  static func heldByteCount(_ hello: DatagramHello) -> Int { hello.byteCount + heldOverhead }

  /// Datagrams that may come before a hello: STUN, strays of an earlier connection, versions that cannot be opened.
  private static let maximumAttempts: UInt8 = 16

  /// What a UDP flow that begins with this packet is: whether a hello may come, and what its content says already.
  func beginning(_ packet: Packet, _ frame: Span<UInt8>) -> (mayHello: Bool, content: Flow.ContentKind) {
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    if DatagramHello(beginning: payload) != nil { return (true, .unknown) }
    // What is DNS or NTP is read as such.
    if packet.destinationPort == 53 || packet.sourcePort == 53 { return (false, .unknown) }
    if packet.destinationPort == 123 || packet.sourcePort == 123, NTPMessage.isOne(payload) { return (false, .ntp) }
    return (true, .unknown)
  }

  /// Looks at a datagram of a flow in which no hello was found yet.
  mutating func listenToDatagram(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, at time: Timestamp) {
    let payload = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    let handle = table[index].streams
    let held = handle == Flow.none ? nil : streams[handle]?.hello
    let isOwn = held != nil && streams[handle]?.helloSide == sender
    var hello: DatagramHello
    if let held, isOwn {
      hello = held
    } else if !(held?.isOpened ?? false), let begun = DatagramHello(beginning: payload) {
      // What the other side said opened to nothing: an answer that was captured before what it answers.
      if held != nil, isGivenUp(index) { return }
      hello = begun
    } else {
      if held == nil { _ = isGivenUp(index) }
      return
    }
    switch hello.feed(payload, isCut: packet.isPayloadCut) {
    case .found(let speech):
      note(index, speech, from: sender, at: time)
      unwatch(index)
    case .needMore:
      if handle == Flow.none {
        table[index].streams = streams.insert(FlowStreams())
        queueStream(index, at: time)
      }
      streams[table[index].streams]?.hello = hello
      streams[table[index].streams]?.helloSide = sender
      tally.reassemblyBytes += Self.heldByteCount(hello) - (held.map(Self.heldByteCount) ?? 0)
      makeRoom()
    case .other:
      if packet.isPayloadCut { abandon(.truncated) }
      dropStream(index, sender)
      _ = isGivenUp(index)
    }
  }

  /// Counts one more datagram that led to nothing; after so many no hello is looked for.
  private mutating func isGivenUp(_ index: Int) -> Bool {
    table[index].attempts &+= 1
    guard table[index].attempts >= Self.maximumAttempts else { return false }
    unwatch(index)
    return true
  }
}
