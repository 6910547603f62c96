import EgressModel

/// What a flow adds to its endpoint; also the difference of two such sums.
struct FlowTotals: Equatable {
  // A flow counts for at most 2⁵³, more than a century at 10 Tbit/s, so that sums of them cannot overflow.
  private static let limit: UInt64 = 1 << 53

  var answered: Int64 = 0
  var packetsOut: Int64 = 0
  var bytesOut: Int64 = 0
  var packetsIn: Int64 = 0
  var bytesIn: Int64 = 0

  init() {}

  init(out: FlowCounters, in: FlowCounters, isAnswered: Bool) {
    answered = isAnswered ? 1 : 0
    packetsOut = Int64(min(out.packets, Self.limit))
    bytesOut = Int64(min(out.bytes, Self.limit))
    packetsIn = Int64(min(`in`.packets, Self.limit))
    bytesIn = Int64(min(`in`.bytes, Self.limit))
  }

  init(_ flow: borrowing FlowRecord) {
    self.init(out: flow.out, in: flow.in, isAnswered: flow.state.isAnswered)
  }

  mutating func add(_ more: FlowTotals, minus less: FlowTotals) {
    // At most a thousand come together before they are written, so the sums stay below 2⁶³ but for rows edited by hand: those wrap.
    answered &+= more.answered &- less.answered
    packetsOut &+= more.packetsOut &- less.packetsOut
    bytesOut &+= more.bytesOut &- less.bytesOut
    packetsIn &+= more.packetsIn &- less.packetsIn
    bytesIn &+= more.bytesIn &- less.bytesIn
  }
}

extension FlowState {
  /// Whether the destination answered.
  var isAnswered: Bool {
    switch self {
    case .attempted, .unanswered, .refused: false
    case .established, .closed, .reset, .answered: true
    }
  }
}
