/// What ciphertext looks like, without the cost of drawing every octet: windows at random places of one random mebibyte.
struct Noise {
  private let pool: [UInt8]
  private var random: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    pool = random.bytes(1 << 20)
  }

  mutating func slice(_ count: Int) -> ArraySlice<UInt8> {
    let start = random.below(pool.count - count)
    return pool[start..<start + count]
  }
}
