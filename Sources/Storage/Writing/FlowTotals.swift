import EgressModel

/// What a flow adds to its endpoint; also the difference of two such sums. Counters beyond 2⁶³ saturate.
struct FlowTotals: Equatable {
  var answered: Int64 = 0
  var packetsOut: Int64 = 0
  var bytesOut: Int64 = 0
  var packetsIn: Int64 = 0
  var bytesIn: Int64 = 0

  init() {}

  init(out: FlowCounters, in: FlowCounters, isAnswered: Bool) {
    answered = isAnswered ? 1 : 0
    packetsOut = Int64(clamping: out.packets)
    bytesOut = Int64(clamping: out.bytes)
    packetsIn = Int64(clamping: `in`.packets)
    bytesIn = Int64(clamping: `in`.bytes)
  }

  init(_ flow: FlowRecord) {
    self.init(out: flow.out, in: flow.in, isAnswered: flow.state.isAnswered)
  }

  mutating func add(_ more: FlowTotals, minus less: FlowTotals) {
    answered += more.answered - less.answered
    packetsOut = packetsOut.adding(more.packetsOut, minus: less.packetsOut)
    bytesOut = bytesOut.adding(more.bytesOut, minus: less.bytesOut)
    packetsIn = packetsIn.adding(more.packetsIn, minus: less.packetsIn)
    bytesIn = bytesIn.adding(more.bytesIn, minus: less.bytesIn)
  }
}

extension Int64 {
  // Both operands are counters, so neither is negative and their difference cannot overflow.
  fileprivate func adding(_ more: Int64, minus less: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(more - less)
    return overflow ? (more > less ? .max : .min + 1) : sum
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
