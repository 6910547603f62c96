import EgressModel

/// Beginnings of flows, by what source address translation leaves as it is.
///
/// A node shows a pod's flow twice: at the pod's side, and at its uplink with its own address. Translation changes the initiator's
/// address, and often its port, but neither the responder nor TCP's initial sequence number. Bounded: a later beginning takes the place
/// of an earlier one.
struct TranslationTable {
  /// What both copies of a flow have in common.
  struct Beginning: Equatable {
    var responder: SocketAddress
    var transport: Transport
    /// The initial sequence number of TCP; port and length of the first datagram of UDP.
    var proof: UInt64
  }

  struct Candidate {
    var beginning: Beginning
    /// Where the flow stands in the flow table, and which one stood there.
    var index: Int
    var id: UInt64
    /// Whether the initiator is this host.
    var isOwn: Bool
    var time: Timestamp
  }

  /// A power of two.
  private static let places = 1 << 11
  /// How far apart in time the two copies may be, in nanoseconds: each capture thread hands over batches of its own.
  static let limit: Int64 = FlowMeterConfiguration.second

  private var candidates: ContiguousArray<Candidate?> = []
  private let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// The other copy of a flow that begins; without one it waits for its other copy.
  mutating func match(_ candidate: Candidate) -> Candidate? {
    if candidates.isEmpty { candidates = ContiguousArray(repeating: nil, count: Self.places) }
    let address = candidate.beginning.responder.ip
    let hash = SeededHash.mixed(
      address.high ^ address.low ^ seed, candidate.beginning.proof ^ UInt64(candidate.beginning.responder.port ?? 0) << 48)
    let place = Int(SeededHash.folded(hash)) & (Self.places - 1)
    if let other = candidates[place], other.beginning == candidate.beginning, other.isOwn != candidate.isOwn,
      abs(candidate.time.since(other.time)) <= Self.limit
    {
      candidates[place] = nil
      return other
    }
    candidates[place] = candidate
    return nil
  }
}
