import EgressModel
import Wire

/// Every other protocol by how its client begins.
enum OpeningsTarget {
  static func run(_ bytes: Span<UInt8>) {
    // Octets that several protocols may begin with are taken for the one that is sure first; the answer to more of them may be another's.
    Prefixes.check(bytes) { StreamOpening.first(in: $0).isFound }
    let whole = StreamOpening.first(in: bytes)
    for result in [whole, StreamOpening.first(in: bytes, isComplete: true)] {
      guard case .found(let opening) = result else { continue }
      opening.proxy?.target.check()
      if let count = opening.byteCount { demand((1...bytes.count).contains(count), "an opening is in its stream: \(count) of \(bytes.count)") }
    }
    _ = NTPMessage.isOne(bytes)
  }
}

extension StreamResult {
  /// The same answer without what was found.
  fileprivate var isFound: StreamResult<Bool> {
    switch self {
    case .found: .found(true)
    case .needMore(let count): .needMore(atLeast: count)
    case .other(let reason): .other(reason)
    }
  }
}
