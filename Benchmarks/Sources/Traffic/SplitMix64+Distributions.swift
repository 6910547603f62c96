// Only the four basic operations, which IEEE 754 defines to the bit: a C library's log and pow may differ in the last place, and with
// them the whole capture.
extension SplitMix64 {
  /// Exponential with this mean, never above 36 times it.
  mutating func exponential(mean: Double) -> Double {
    // -ln(m · 2⁻ᵉ) with 1 < m ≤ 2: e is geometric, and ln(2/m) a short series of 2 atanh.
    let halvings = Double(next().leadingZeroBitCount.clamped(to: 0...50))
    let z = (1 - unit()) / 2
    let ratio = z / (2 - z)
    let square = ratio * ratio
    let logarithm = 2 * ratio * (1 + square * (1 / 3.0 + square * (1 / 5.0 + square / 7)))
    return (halvings * 0.693_147_180_559_945_3 + logarithm) * mean
  }

  /// Pareto of shape 1 with a cap: sizes of what is fetched are heavy-tailed, most small, a few carrying most of the bytes.
  mutating func pareto(minimum: Double, maximum: Double) -> Double { min(minimum / (1 - unit()), maximum) }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int { Swift.min(Swift.max(self, range.lowerBound), range.upperBound) }
}
