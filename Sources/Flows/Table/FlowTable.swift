/// Flows by key: open addressing over a dense array.
///
/// `slots` holds, for every flow, its 32-bit hash and its index in `flows`, so that a look-up compares numbers that lie side by
/// side before it touches a flow. Collisions go to the next slot; removal shifts the run back, so there are no tombstones.
/// Indices stay valid until their flow is removed. Grows by doubling up to `capacity` flows.
struct FlowTable {
  let capacity: Int
  let seed: UInt64
  /// Live flows and, among them, free places (`isLive` is false).
  private(set) var flows: ContiguousArray<Flow> = []
  private(set) var count = 0
  /// Hash in the upper half, index in the lower; `Self.empty` where there is none.
  private var slots: ContiguousArray<UInt64>
  private var free: ContiguousArray<UInt32> = []

  private static let empty = UInt64.max
  private static let minimumSlots = 64

  /// - Parameter capacity: 1 or more, below 2³¹.
  init(capacity: Int, seed: UInt64) {
    self.capacity = min(max(1, capacity), Int(Int32.max))
    self.seed = seed
    slots = ContiguousArray(repeating: Self.empty, count: Self.minimumSlots)
  }

  var isFull: Bool { count >= capacity }

  /// Places in `flows`, free ones included; a sweep goes over `0..<places`.
  var places: Int { flows.count }

  subscript(index: Int) -> Flow {
    @inline(__always) _read { yield flows[index] }
    @inline(__always) _modify { yield &flows[index] }
  }

  @inline(__always) func hash(_ key: FlowKey) -> UInt32 { key.hash(seed: seed) }

  @inline(__always) func index(of key: FlowKey, hash: UInt32) -> Int? {
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    // At least a third of the slots is empty, so this ends.
    while true {
      let content = slots[slot]
      if content == Self.empty { return nil }
      if UInt32(truncatingIfNeeded: content >> 32) == hash {
        let index = Int(truncatingIfNeeded: content & 0xffff_ffff)
        if flows[index].key == key { return index }
      }
      slot = (slot + 1) & mask
    }
  }

  /// Adds a flow whose key is not there yet; nil when the table is full.
  mutating func insert(_ flow: Flow, hash: UInt32) -> Int? {
    guard !isFull else { return nil }
    if (count + 1) * 3 > slots.count * 2 { grow() }
    let index: Int
    if let place = free.popLast() {
      index = Int(place)
      flows[index] = flow
    } else {
      index = flows.count
      flows.append(flow)
    }
    place(hash: hash, index: index)
    count += 1
    return index
  }

  /// Takes a live flow out.
  mutating func remove(at index: Int) {
    let mask = slots.count - 1
    var hole = Int(hash(flows[index].key)) & mask
    while Int(truncatingIfNeeded: slots[hole] & 0xffff_ffff) != index || slots[hole] == Self.empty {
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
    flows[index].isLive = false
    free.append(UInt32(truncatingIfNeeded: index))
    count -= 1
  }

  private mutating func place(hash: UInt32, index: Int) {
    let mask = slots.count - 1
    var slot = Int(hash) & mask
    while slots[slot] != Self.empty { slot = (slot + 1) & mask }
    slots[slot] = UInt64(hash) << 32 | UInt64(index)
  }

  private mutating func grow() {
    let old = slots
    slots = ContiguousArray(repeating: Self.empty, count: old.count * 2)
    for content in old where content != Self.empty {
      place(hash: UInt32(truncatingIfNeeded: content >> 32), index: Int(truncatingIfNeeded: content & 0xffff_ffff))
    }
  }
}
