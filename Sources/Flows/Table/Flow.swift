import EgressModel
import Wire

/// What is kept of a live flow: numbers only, so that a million of them are one allocation and a copy is a `memcpy`.
///
/// Names, TLS facts and reassembly buffers are few and live in slabs of the meter, by index.
struct Flow {
  /// What has been seen of a flow. A bit of the low side shifted left by one is the same bit of the high side.
  struct Marks: OptionSet {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    @inline(__always) init(_ lowMark: Marks, _ side: FlowKey.Side) { rawValue = lowMark.rawValue << UInt32(side.rawValue) }

    /// The initial sequence number of the side is known.
    static let synLow = Marks(rawValue: 1 << 0)
    static let synHigh = Marks(rawValue: 1 << 1)
    static let finLow = Marks(rawValue: 1 << 2)
    static let finHigh = Marks(rawValue: 1 << 3)
    /// The side sent something that is not a reset.
    static let spokeLow = Marks(rawValue: 1 << 4)
    static let spokeHigh = Marks(rawValue: 1 << 5)
    /// The side's byte stream is still looked at for a name.
    static let watchLow = Marks(rawValue: 1 << 6)
    static let watchHigh = Marks(rawValue: 1 << 7)
    /// TCP only.
    static let reset = Marks(rawValue: 1 << 8)
    /// ICMP unreachable quoted the initiator's packet before anything was answered, or a reset did answer it.
    static let refused = Marks(rawValue: 1 << 9)
    /// A DNS message was answered over UDP.
    static let dnsAnswered = Marks(rawValue: 1 << 10)
    /// DNS over TCP: both streams are read for as long as the flow lives.
    static let dnsStream = Marks(rawValue: 1 << 11)
    /// The responder's stream is read for its certificate.
    static let certificate = Marks(rawValue: 1 << 16)

    /// The copy of a flow behind this host, with this host's address.
    static let translated = Marks(rawValue: 1 << 20)

    static let spoke: Marks = [.spokeLow, .spokeHigh]
    static let fin: Marks = [.finLow, .finHigh]
    static let watch: Marks = [.watchLow, .watchHigh]
  }

  /// What says who began the flow; a later, stronger proof turns the flow round.
  enum DirectionProof: UInt8, Comparable {
    case firstPacket
    /// Who sent the ClientHello, the request, the query.
    case content
    /// Who is local.
    case local
    case syn

    static func < (a: DirectionProof, b: DirectionProof) -> Bool { a.rawValue < b.rawValue }
  }

  /// What was recognised in the payload, by the word of the record; one octet, because a flow holds no reference.
  enum ContentKind: String {
    case unknown
    case tls, quic, dtls, http, grpc, websocket, dns, dot, doh, doq, ssh, socks
    case smtp, imap, pop3, nntp, ftp, sieve, xmpp, ldap, rdp, ntp
    case postgres, mysql, mongodb, redis, kafka

    init?(_ application: Application) { self.init(rawValue: application.rawValue) }

    var application: Application? { self == .unknown ? nil : Application(rawValue: rawValue) }
  }

  static let none = Int32(-1)

  var key: FlowKey
  var last: Timestamp
  var low = FlowCounters()
  var high = FlowCounters()
  var marks: Marks = []
  var isLive = true
  var initiator: FlowKey.Side
  var proof = DirectionProof.firstPacket
  var content = ContentKind.unknown
  /// Segments that began with nothing we read, of streams whose beginning was not captured; of UDP, datagrams that led to no hello.
  var attempts: UInt8 = 0
  /// Initial sequence numbers, where `marks` says that they are known.
  var lowISN: UInt32 = 0
  var highISN: UInt32 = 0
  /// Index of the streams being read, or `none`.
  var streams = Flow.none
  /// Index of the names and TLS facts, or `none`.
  var details = Flow.none
  /// The link on which the side's packets count; 0 until it sent one, and where links have no numbers.
  var lowLink: UInt16 = 0
  var highLink: UInt16 = 0
  let id: UInt64
  let start: Timestamp
  var reportedAt: Timestamp
  var reportedLow = FlowCounters()
  var reportedHigh = FlowCounters()

  init(key: FlowKey, id: UInt64, initiator: FlowKey.Side, at time: Timestamp) {
    self.key = key
    self.id = id
    self.initiator = initiator
    start = time
    last = time
    reportedAt = time
  }

  var responder: FlowKey.Side { initiator.other }

  func isn(_ side: FlowKey.Side) -> UInt32? {
    guard marks.contains(Marks(.synLow, side)) else { return nil }
    return side == .low ? lowISN : highISN
  }

  mutating func setISN(_ value: UInt32, _ side: FlowKey.Side) {
    marks.insert(Marks(.synLow, side))
    if side == .low { lowISN = value } else { highISN = value }
  }

  func spoke(_ side: FlowKey.Side) -> Bool { marks.contains(Marks(.spokeLow, side)) }

  func isWatched(_ side: FlowKey.Side) -> Bool { marks.contains(Marks(.watchLow, side)) }

  func counters(_ side: FlowKey.Side) -> FlowCounters { side == .low ? low : high }

  func link(_ side: FlowKey.Side) -> UInt16 { side == .low ? lowLink : highLink }

  /// Whether anything came back from the responder other than a refusal.
  var isAnswered: Bool { spoke(responder) && spoke(initiator) }

  /// TCP: nothing more is expected but stragglers.
  var isFinished: Bool { marks.contains(.fin) || marks.contains(.reset) || marks.contains(.refused) }

  /// Whether a packet is seen once more: a side's packets count on the link that showed its first one, since a bridge, a tunnel and the
  /// uplink show it again. After a second of silence another link may take over, because the first may be gone.
  @inline(__always) mutating func isCopy(on link: UInt16, from sender: FlowKey.Side, at time: Timestamp) -> Bool {
    let home = self.link(sender)
    if home == link { return false }
    if home != 0, time.since(last) <= FlowMeterConfiguration.second { return true }
    if sender == .low { lowLink = link } else { highLink = link }
    return false
  }

  /// Counts a packet and notes what its flags say; everything of the state follows from what was noted.
  ///
  /// Returns whether the sender's stream is still watched.
  /// - Parameters:
  ///   - length: octets at the IP layer.
  ///   - flags: none for transports other than TCP.
  @inline(__always) mutating func take(_ length: Int, _ flags: TCPFlags, from sender: FlowKey.Side, at time: Timestamp) -> Bool {
    if sender == .low {
      low.packets &+= 1
      low.bytes &+= UInt64(truncatingIfNeeded: length)
    } else {
      high.packets &+= 1
      high.bytes &+= UInt64(truncatingIfNeeded: length)
    }
    // Several capture threads may deliver slightly out of order.
    if time > last { last = time }
    if flags.contains(.rst) {
      // RFC 9293 3.5.2: a reset is how a host that does not listen answers a SYN.
      if sender == responder, !spoke(responder) { marks.insert(.refused) }
      marks.insert(.reset)
      return false
    }
    if flags.contains(.fin) { marks.insert(Marks(.finLow, sender)) }
    marks.insert(Marks(.spokeLow, sender))
    return isWatched(sender)
  }

  /// The state to report; `isOver` when no packet will follow.
  func state(isOver: Bool) -> FlowState {
    if key.transport == .tcp {
      if marks.contains(.fin) { return .closed }
      if isAnswered { return marks.contains(.reset) ? .reset : .established }
    } else if isAnswered {
      return .answered
    }
    if marks.contains(.refused) { return .refused }
    return isOver ? .unanswered : .attempted
  }
}
