import EgressModel

/// Beginnings of flows, by what address translation leaves as it is.
///
/// A node shows a pod's flow twice: at the pod's side, and at its uplink with the node's own address; and what goes to a Service's address
/// once more with that of a backend. Translation changes addresses and often ports, but neither TCP's initial sequence number nor what a first
/// datagram holds. Bounded: a later beginning takes the place of an earlier one.
struct TranslationTable {
  struct Candidate {
    var transport: Transport
    /// What both copies of a flow have in common.
    var proof: UInt64
    var initiator: SocketAddress
    var responder: SocketAddress
    /// Where the flow stands in the flow table, and which one stood there.
    var index: Int
    var id: UInt64
    /// Whether the initiator is this host.
    var isOwn: Bool
    /// Whether the responder is a Service's address.
    var isService: Bool
    /// Whether the responder may be behind a Service: an address of a cluster, not of the internet.
    var mayBeBackend: Bool
    var time: Timestamp
  }

  struct Match {
    /// The flow as its initiator began it.
    var original: Candidate
    /// The same flow with other addresses.
    var copy: Candidate
  }

  /// A power of two.
  private static let places = 1 << 11
  /// How far apart in time the two copies may be, in nanoseconds: each capture thread hands over batches of its own.
  static let limit: Int64 = FlowMeterConfiguration.second

  private var candidates: ContiguousArray<Candidate?> = []
  private let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// The other copy of a flow that begins; without one it waits for its other copy.
  mutating func match(_ candidate: Candidate) -> Match? {
    if candidates.isEmpty { candidates = ContiguousArray(repeating: nil, count: Self.places) }
    let hash = SeededHash.mixed(candidate.proof ^ seed, UInt64(candidate.transport.rawValue) ^ 0x9e37_79b9_7f4a_7c15)
    let place = Int(SeededHash.folded(hash)) & (Self.places - 1)
    if let other = candidates[place], let match = Self.match(candidate, other) {
      // What became of a Service's address may be translated once more on its way out.
      candidates[place] = match.original
      return match
    }
    candidates[place] = candidate
    return nil
  }

  /// A pod could begin two connections with one sequence number to hide one behind the other. So a copy must have an address of this host, which no
  /// pod can send from, or go from a Service's address to one that is not the internet's.
  private static func match(_ a: Candidate, _ b: Candidate) -> Match? {
    guard a.proof == b.proof, a.transport == b.transport, a.id != b.id, abs(a.time.since(b.time)) <= limit else { return nil }
    func isCopy(_ copy: Candidate, of original: Candidate) -> Bool {
      let isSourceTranslated = copy.isOwn && !original.isOwn
      let isDestinationTranslated = original.isService && !copy.isService && copy.mayBeBackend
      guard isSourceTranslated || copy.initiator == original.initiator else { return false }
      return isDestinationTranslated || isSourceTranslated && copy.responder == original.responder
    }
    if isCopy(a, of: b) { return Match(original: b, copy: a) }
    return isCopy(b, of: a) ? Match(original: a, copy: b) : nil
  }
}
