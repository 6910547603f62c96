/// [SipHash-1-3](https://www.aumasson.jp/siphash/siphash.pdf): the same in every process that knows the key, which Swift's own hashes are not, and
/// not to be predicted by anybody who does not.
struct KeyedHash {
  private let key: (UInt64, UInt64)

  init(key first: UInt64, _ second: UInt64) { key = (first, second) }

  /// The hash of texts in this order. Each is followed by an octet that UTF-8 does not have, so that `a`, `bc` is not `ab`, `c`.
  func of(_ texts: String...) -> Int64 {
    var state = State(key.0, key.1)
    for text in texts {
      for octet in text.utf8 { state.take(octet) }
      state.take(0xff)
    }
    return Int64(bitPattern: state.end())
  }

  private struct State {
    private var v: (UInt64, UInt64, UInt64, UInt64)
    private var word: UInt64 = 0
    private var count: UInt64 = 0

    init(_ first: UInt64, _ second: UInt64) {
      v = (first ^ 0x736f_6d65_7073_6575, second ^ 0x646f_7261_6e64_6f6d, first ^ 0x6c79_6765_6e65_7261, second ^ 0x7465_6462_7974_6573)
    }

    mutating func take(_ octet: UInt8) {
      word |= UInt64(octet) << (8 * (count & 7))
      count &+= 1
      if count & 7 == 0 { absorb() }
    }

    mutating func end() -> UInt64 {
      word |= count << 56
      absorb()
      v.2 ^= 0xff
      for _ in 0..<3 { mix() }
      return v.0 ^ v.1 ^ v.2 ^ v.3
    }

    private mutating func absorb() {
      v.3 ^= word
      mix()
      v.0 ^= word
      word = 0
    }

    private mutating func mix() {
      func rotate(_ bits: UInt64, _ count: UInt64) -> UInt64 { bits << count | bits >> (64 - count) }
      v.0 &+= v.1
      v.1 = rotate(v.1, 13) ^ v.0
      v.0 = rotate(v.0, 32)
      v.2 &+= v.3
      v.3 = rotate(v.3, 16) ^ v.2
      v.0 &+= v.3
      v.3 = rotate(v.3, 21) ^ v.0
      v.2 &+= v.1
      v.1 = rotate(v.1, 17) ^ v.2
      v.2 = rotate(v.2, 32)
    }
  }
}
