/// The Huffman code of HPACK strings ([RFC 7541 Appendix B](https://www.rfc-editor.org/rfc/rfc7541#appendix-B)).
///
/// The code is canonical: among codes of one length the symbols stand in order, so the lengths say everything.
enum HPACKHuffman {
  /// Decodes what stands in `range`, up to `limit` octets; nil when it is no such string or a longer one.
  static func decode(_ bytes: Span<UInt8>, in range: Range<Int>, limit: Int) -> [UInt8]? {
    var text: [UInt8] = []
    text.reserveCapacity(min(limit, range.count * 8 / 5))
    var code: UInt32 = 0
    var length = 0
    for index in range {
      for bit in stride(from: 7, through: 0, by: -1) {
        code = code << 1 | UInt32(bytes[index] >> UInt8(bit) & 1)
        length += 1
        if let symbol = symbol(code, length) {
          guard text.count < limit else { return nil }
          text.append(symbol)
          code = 0
          length = 0
        } else if length >= 30 {
          // The end of string is no symbol of a string.
          return nil
        }
      }
    }
    // What is left over are the first bits of the end of string: ones, and fewer than eight.
    return length < 8 && code == (1 << UInt32(length)) - 1 ? text : nil
  }

  private static func symbol(_ code: UInt32, _ length: Int) -> UInt8? {
    let row = rows[length]
    guard code >= row.first, code - row.first < UInt32(row.count) else { return nil }
    return symbols[row.offset + Int(code - row.first)]
  }

  /// For each length: its first code, how many there are, and where their symbols begin.
  private static let rows: [(first: UInt32, count: Int, offset: Int)] = {
    var rows: [(first: UInt32, count: Int, offset: Int)] = [(0, 0, 0)]
    var next: UInt32 = 0
    var offset = 0
    for length in 1...30 {
      let count = lengths.count { Int($0) == length }
      next <<= 1
      rows.append((next, count, offset))
      next += UInt32(count)
      offset += count
    }
    return rows
  }()

  /// By length, and in order within one.
  private static let symbols: [UInt8] = (1...30).flatMap { length in (0...255).filter { Int(lengths[Int($0)]) == length } }

  /// Bits of the code of each octet.
  static let lengths: [UInt8] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  ]
}
