/// The hash part of a hash table: open addressing over places in somebody else's dense array.
///
/// A slot holds a 32-bit hash and a place, so that a look-up compares numbers that lie side by side before it touches an
/// element. Collisions go to the next slot; removal shifts the run back, so there are no tombstones. Grows by doubling.
struct SlotIndex {
  private(set) var count = 0
  /// Hash in the upper half, place in the lower; `Self.empty` where there is none.
  private var slots = ContiguousArray(repeating: Self.empty, count: 64)

  private static let empty = UInt64.max

  /// The place with this hash for which `isMatch` holds.
  @inline(__always) func find(_ hash: UInt32, _ isMatch: (Int) -> Bool) -> Int? {
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    // At least a third of the slots is empty, so this ends.
    while true {
      let content = slots[slot]
      if content == Self.empty { return nil }
      if UInt32(truncatingIfNeeded: content >> 32) == hash {
        let place = Int(truncatingIfNeeded: content & 0xffff_ffff)
        if isMatch(place) { return place }
      }
      slot = (slot + 1) & mask
    }
  }

  /// Adds a place, below 2³¹, that is not there yet.
  mutating func insert(_ hash: UInt32, _ place: Int) {
    if (count + 1) * 3 > slots.count * 2 { grow() }
    put(UInt64(hash) << 32 | UInt64(place))
    count += 1
  }

  /// Removes a place that was inserted with this hash.
  mutating func remove(_ hash: UInt32, _ place: Int) {
    let mask = slots.count - 1
    let content = UInt64(hash) << 32 | UInt64(place)
    var hole = Int(hash) & mask
    while slots[hole] != content {
      if slots[hole] == Self.empty { return }
      hole = (hole + 1) & mask
    }
    // Knuth 6.4 R: what follows in the run moves into the hole, unless its home slot lies behind the hole.
    var next = (hole + 1) & mask
    while slots[next] != Self.empty {
      let home = Int(truncatingIfNeeded: slots[next] >> 32) & mask
      if (next - home) & mask >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = Self.empty
    count -= 1
  }

  private mutating func put(_ content: UInt64) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: content >> 32) & mask
    while slots[slot] != Self.empty { slot = (slot + 1) & mask }
    slots[slot] = content
  }

  private mutating func grow() {
    let old = slots
    slots = ContiguousArray(repeating: Self.empty, count: old.count * 2)
    for content in old where content != Self.empty { put(content) }
  }
}

/// Hashes that cost one multiplication a pair of words, and that nobody without the seed can steer into one slot.
enum SeededHash {
  /// The two halves of a 128-bit product, folded: every bit that goes in reaches every bit that comes out.
  @inline(__always) static func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inline(__always) static func folded(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash ^ hash >> 32) }
}
