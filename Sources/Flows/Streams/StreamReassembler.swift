/// One direction of a TCP connection from a known sequence number on, put in order.
///
/// Segments may come in any order, twice, or overlapping; where two disagree the first copy wins. Sequence numbers wrap
/// ([RFC 9293 §3.4](https://www.rfc-editor.org/rfc/rfc9293#section-3.4)), so a segment's place is its signed distance from the start.
struct StreamReassembler {
  enum Insertion {
    /// The contiguous prefix grew.
    case advanced
    /// Nothing new, something that cannot be joined to the prefix yet, or a segment beyond the limit, which may be stale or made to hide a name.
    case waiting
    /// The prefix would reach beyond the limit, much was beyond it, or the holes are too many.
    case overLimit
  }

  /// Pieces that wait for a hole to be filled.
  static let maximumPieces = 512
  /// Segments beyond the limit that are passed over: after more, the stream has gone on without the prefix.
  static let maximumBeyond = 16

  private struct Piece {
    var offset: Int
    var bytes: [UInt8]
    var end: Int { offset + bytes.count }
  }

  /// Sequence number of the prefix's first octet.
  private(set) var start: UInt32
  /// Octets without a hole from `start` on.
  private(set) var prefix: [UInt8] = []
  /// Beyond the prefix, in order, never overlapping. Those that touch are joined when there is no more room.
  private var pieces: [Piece] = []
  /// Octets held.
  private(set) var byteCount = 0
  /// What a piece that waits takes besides its octets.
  private static let pieceOverhead = 64
  /// Octets of memory held, with what they take to keep.
  var heldByteCount: Int { byteCount + pieces.count * Self.pieceOverhead }
  /// Segments beyond the limit so far.
  private var beyond = 0
  /// The prefix is worth another look from this length on.
  var needed = 1

  init(start: UInt32) { self.start = start }

  /// Where a segment belongs, in octets from the start of the prefix; negative for what was there before.
  static func offset(of sequence: UInt32, from start: UInt32) -> Int {
    Int(Int32(truncatingIfNeeded: sequence &- start))
  }

  /// Takes in a segment. The prefix and everything waiting never reach beyond `limit` octets from the start.
  mutating func insert(_ payload: Span<UInt8>, sequence: UInt32, limit: Int) -> Insertion {
    let origin = Self.offset(of: sequence, from: start)
    let end = origin + payload.count
    var next = max(origin, prefix.count)
    guard next < end else { return .waiting }
    guard end <= limit else {
      beyond += 1
      return next == prefix.count || beyond > Self.maximumBeyond ? .overLimit : .waiting
    }
    let before = prefix.count
    // What is new lies in the gaps between the pieces that came first.
    var index = pieces.firstIndex { $0.end > next } ?? pieces.count
    while next < end {
      let gapEnd = index < pieces.count ? min(end, pieces[index].offset) : end
      if next < gapEnd {
        let gap = payload.extracting(next - origin..<gapEnd - origin)
        if next == prefix.count {
          Self.append(gap, to: &prefix)
        } else if index > 0, pieces[index - 1].end == next {
          Self.append(gap, to: &pieces[index - 1].bytes)
        } else {
          if pieces.count == Self.maximumPieces {
            joinPieces()
            guard pieces.count < Self.maximumPieces else { return .overLimit }
            index = pieces.firstIndex { $0.offset > next } ?? pieces.count
          }
          var bytes: [UInt8] = []
          Self.append(gap, to: &bytes)
          pieces.insert(Piece(offset: next, bytes: bytes), at: index)
          index += 1
        }
        byteCount += gap.count
      }
      guard index < pieces.count else { break }
      next = max(next, pieces[index].end)
      index += 1
    }
    join()
    return prefix.count > before ? .advanced : .waiting
  }

  /// Lets go of the first `count` octets of the prefix.
  mutating func consume(_ count: Int) {
    let count = min(count, prefix.count)
    prefix.removeFirst(count)
    byteCount -= count
    start &+= UInt32(truncatingIfNeeded: count)
    for index in pieces.indices { pieces[index].offset -= count }
    needed = 1
  }

  /// Makes one of all that touch, in one pass: joining each as it comes would copy a long one again and again.
  private mutating func joinPieces() {
    var joined: [Piece] = []
    for piece in pieces {
      if let last = joined.last, last.end == piece.offset {
        joined[joined.count - 1].bytes += piece.bytes
      } else {
        joined.append(piece)
      }
    }
    pieces = joined
  }

  private mutating func join() {
    var joined = 0
    while joined < pieces.count, pieces[joined].offset == prefix.count {
      prefix += pieces[joined].bytes
      joined += 1
    }
    if joined > 0 { pieces.removeFirst(joined) }
  }

  private static func append(_ octets: Span<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: octets.count) { output in
      for index in octets.indices { output.append(octets[index]) }
    }
  }
}
