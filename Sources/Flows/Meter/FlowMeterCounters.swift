public import EgressModel
public import Wire

/// What a `FlowMeter` did since it was made. Each number only grows, but `flowsLive`, `namesKnown`, `nameBytes` and `reassemblyBytes`.
public struct FlowMeterCounters: Equatable, Sendable {
  public var frames: UInt64 = 0
  /// Octets of the frames as they were on the wire.
  public var bytes: UInt64 = 0
  /// Frames not decoded down to their payload, by why. Those whose transport header is cut or malformed count in a flow all the same.
  public var undecoded = Tally<DecodingStop>()
  /// Frames of conversations that the meter was told to ignore.
  public var ignoredFrames: UInt64 = 0
  /// Frames of IPv6 neighbour and multicast listener discovery, which are no flows.
  public var linkUpkeepFrames: UInt64 = 0
  /// ICMP error messages: they tell of the flow whose packet they quote, and are none themselves.
  public var errorMessages: UInt64 = 0
  /// Fragments of datagrams; each datagram counts once in its flow.
  public var fragments: UInt64 = 0
  /// Datagrams put together from fragments.
  public var datagramsReassembled: UInt64 = 0
  /// Datagrams whose fragments were not put together, by why. They count in their flow, and nothing in them was read.
  public var datagramsAbandoned = Tally<DatagramAbandonment>()
  /// Datagrams among them whose first fragment was not seen; they count in a flow without ports.
  public var orphanDatagrams: UInt64 = 0
  /// Packets that were seen once more on another link.
  public var copies: UInt64 = 0
  public var flowsStarted: UInt64 = 0
  public var flowsLive = 0
  /// Flows that ended, by why; interim records count as `activeTimeout`.
  public var flowsEnded = Tally<FlowEndReason>()
  /// Flows that turned round when a proof of direction came after their first packet.
  public var flowsTurned: UInt64 = 0
  /// Flows that are another one once more, behind source address translation, and have no record.
  public var flowsTranslated: UInt64 = 0
  /// Flows evicted to make room, by what they were.
  public var flowsEvicted = Tally<FlowEviction>()
  /// Flows that their own content named.
  public var flowsNamed: UInt64 = 0
  /// Streams given up before they named their flow, by why.
  public var streamsAbandoned = Tally<StreamAbandonment>()
  /// Octets held for reassembly now, with what it takes to keep them.
  public var reassemblyBytes = 0
  /// DNS messages, by what became of them.
  public var dns = Tally<DNSOutcome>()
  /// (client, address) pairs with a name now.
  public var namesKnown = 0
  /// Octets of memory that these names take.
  public var nameBytes = 0
  /// (client, address) pairs forgotten to stay inside the bounds.
  public var namesEvicted: UInt64 = 0

  public init() {}

  /// Frames with an IP packet that was not decoded down to its payload; ARP and its like hold nothing to decode.
  public var undecodedPackets: UInt64 { undecoded.total &- undecoded[.notIP] }
}

/// What an evicted flow was; the first kinds go first.
public enum FlowEviction: UInt8, CaseIterable, Sendable {
  /// Closed, reset or refused already.
  case finished
  case unanswered
  case live
}

/// Why a stream that could have named its flow was given up.
public enum StreamAbandonment: UInt8, CaseIterable, Sendable {
  /// A segment was captured only in part.
  case truncated
  /// Larger than one stream may be, or in too many pieces.
  case overLimit
  /// All streams together reached their bound.
  case noMemory
  /// Something was missing for too long, or when the flow ended.
  case incomplete
}

/// Why a datagram in fragments was not put together.
public enum DatagramAbandonment: UInt8, CaseIterable, Sendable {
  /// A piece is missing, for longer than a host would wait.
  case incomplete
  /// Pieces that contradict one another.
  case overlapping
  /// Longer than a datagram can be, or pieces of impossible length.
  case malformed
  /// A piece was captured only in part.
  case cut
  /// Too many datagrams, octets or holes.
  case noRoom
}

public enum DNSOutcome: UInt8, CaseIterable, Sendable {
  case query
  case answer
  /// An answer whose query was not seen; not believed.
  case unsolicited
  case malformed
  /// An answer captured only in part, or a fragment.
  case truncated
  /// Queries forgotten without an answer.
  case unanswered
}

/// A count for every case of an enumeration.
public struct Tally<Key: CaseIterable & RawRepresentable<UInt8> & Sendable>: Equatable, Sendable {
  private var counts: ContiguousArray<UInt64>

  public init() {
    counts = ContiguousArray(repeating: 0, count: (Key.allCases.map { Int($0.rawValue) }.max() ?? 0) + 1)
  }

  public internal(set) subscript(key: Key) -> UInt64 {
    get { counts[Int(key.rawValue)] }
    set { counts[Int(key.rawValue)] = newValue }
  }

  public var total: UInt64 { counts.reduce(0, +) }

  /// Every case with its count, zeros included, for metrics.
  public var all: [(key: Key, count: UInt64)] { Key.allCases.map { ($0, self[$0]) } }
}
