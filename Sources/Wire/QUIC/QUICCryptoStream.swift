/// The stream that CRYPTO frames carry, put together from pieces in any order, up to a limit.
///
/// Keeps only octets that came, never room for those that may.
struct QUICCryptoStream: Sendable {
  /// In order of offset, never overlapping. Those that touch are joined when there is no more room.
  private var pieces: [(offset: Int, octets: [UInt8])] = []

  /// The stream is looked at up to here, in octets: the largest hello.
  static let maximumOffset = ClientHello.maximumByteCount
  /// Pieces that do not touch each other. Chrome cuts a hello into some tens and shuffles them.
  static let maximumPieceCount = 256

  /// Octets held.
  var byteCount: Int { pieces.reduce(0) { $0 + $1.octets.count } }

  /// Octets that are there without a gap from the start.
  var contiguousCount: Int {
    var end = 0
    for piece in pieces {
      guard piece.offset == end else { break }
      end += piece.octets.count
    }
    return end
  }

  /// The first `count` octets; they must be there.
  func prefix(_ count: Int) -> [UInt8] {
    var octets: [UInt8] = []
    octets.reserveCapacity(count)
    for piece in pieces where octets.count < count {
      octets += piece.octets.prefix(count - octets.count)
    }
    return octets
  }

  /// Makes one of all that touch, in one pass: joining each as it comes would copy a long one again and again.
  private mutating func join() {
    var joined: [(offset: Int, octets: [UInt8])] = []
    for piece in pieces {
      if let last = joined.last, last.offset + last.octets.count == piece.offset {
        joined[joined.count - 1].octets += piece.octets
      } else {
        joined.append(piece)
      }
    }
    pieces = joined
  }

  /// Adds a piece. What is already there stays: the first one to say an octet counts. What lies past the limits is left out.
  mutating func insert(_ octets: ArraySlice<UInt8>, at offset: UInt64) {
    guard offset < UInt64(Self.maximumOffset) else { return }
    var start = Int(offset)
    var rest = octets.prefix(Self.maximumOffset - start)
    var index = pieces.firstIndex { $0.offset + $0.octets.count > start } ?? pieces.endIndex
    while !rest.isEmpty {
      if index < pieces.endIndex, pieces[index].offset <= start {
        // This part is there already.
        let end = pieces[index].offset + pieces[index].octets.count
        rest = rest.dropFirst(end - start)
        start = max(start, end)
        index += 1
        continue
      }
      let gapEnd = index < pieces.endIndex ? pieces[index].offset : Int.max
      let new = rest.prefix(gapEnd - start)
      rest = rest.dropFirst(new.count)
      if index > 0, pieces[index - 1].offset + pieces[index - 1].octets.count == start {
        pieces[index - 1].octets += new
      } else {
        if pieces.count == Self.maximumPieceCount {
          join()
          guard pieces.count < Self.maximumPieceCount else { return }
          index = pieces.firstIndex { $0.offset > start } ?? pieces.endIndex
        }
        pieces.insert((start, [UInt8](new)), at: index)
        index += 1
      }
      start += new.count
    }
  }
}
