/// Both ends of a TCP connection with timestamps: segments what is sent, acknowledges every second full segment, closes with FIN both ways.
struct TCPConnection {
  private let path: Path
  /// Round-trip time in microseconds.
  private let roundTrip: Double
  private var clientNext: UInt32
  private var serverNext: UInt32
  private var clock: UInt32

  init(_ path: Path, roundTrip: Double, using random: inout SplitMix64) {
    self.path = path
    self.roundTrip = roundTrip
    clientNext = UInt32(truncatingIfNeeded: random.next())
    serverNext = UInt32(truncatingIfNeeded: random.next())
    clock = UInt32(truncatingIfNeeded: random.next() >> 33)
  }

  mutating func open(in conversation: inout Conversation, after delay: Double) {
    segment(in: &conversation, after: delay, .outbound, Frame.syn)
    segment(in: &conversation, after: roundTrip, .inbound, Frame.syn | Frame.ack)
    segment(in: &conversation, after: 20, .outbound, Frame.ack)
  }

  mutating func send(_ direction: Path.Direction, _ message: ArraySlice<UInt8>, in conversation: inout Conversation, after delay: Double) {
    var delay = delay
    var unacknowledged = 0
    var rest = message
    while !rest.isEmpty {
      let part = rest.prefix(path.maximumSegment)
      rest = rest.dropFirst(part.count)
      segment(in: &conversation, after: delay, direction, rest.isEmpty ? Frame.psh | Frame.ack : Frame.ack, payload: part)
      delay = 25
      unacknowledged += 1
      if unacknowledged == 2 {
        segment(in: &conversation, after: 15, direction == .outbound ? .inbound : .outbound, Frame.ack)
        unacknowledged = 0
      }
    }
  }

  mutating func close(in conversation: inout Conversation, after delay: Double) {
    segment(in: &conversation, after: delay, .outbound, Frame.fin | Frame.ack)
    segment(in: &conversation, after: roundTrip, .inbound, Frame.fin | Frame.ack)
    segment(in: &conversation, after: 20, .outbound, Frame.ack)
  }

  private mutating func segment(
    in conversation: inout Conversation, after delay: Double, _ direction: Path.Direction, _ flags: UInt8, payload: ArraySlice<UInt8> = []
  ) {
    clock &+= UInt32(delay / 1000)
    let synchronizes = flags & Frame.syn != 0
    let (sequence, acknowledgment) = direction == .outbound ? (clientNext, serverNext) : (serverNext, clientNext)
    let header = Frame.TCPHeader(
      sequence: sequence, acknowledgment: flags & Frame.ack == 0 ? 0 : acknowledgment, flags: flags,
      options: synchronizes ? openingOptions : timestampOption)
    conversation.appendTCP(after: delay, path, direction, header, payload: payload)
    let advance = UInt32(payload.count) + (synchronizes || flags & Frame.fin != 0 ? 1 : 0)
    if direction == .outbound { clientNext &+= advance } else { serverNext &+= advance }
  }

  /// Maximum segment size, SACK permitted, timestamps, window scale.
  private var openingOptions: [UInt8] {
    var options: [UInt8] = [2, 4]
    options.append(bigEndian: UInt16(path.maximumSegment + 12))
    options.append(contentsOf: [4, 2, 8, 10])
    options.append(bigEndian: clock)
    options.append(bigEndian: 0 as UInt32)
    options.append(contentsOf: [1, 3, 3, 7])
    return options
  }

  private var timestampOption: [UInt8] {
    var options: [UInt8] = [1, 1, 8, 10]
    options.reserveCapacity(12)
    options.append(bigEndian: clock)
    options.append(bigEndian: clock &- 1)
    return options
  }
}
