/// Flows by key, in a dense array of at most `capacity`.
///
/// Indices stay valid until their flow is removed, and are used again after that.
struct FlowTable {
  let capacity: Int
  let seed: UInt64
  /// Live flows and, among them, free places (`isLive` is false).
  private var flows: ContiguousArray<Flow> = []
  private var slots = SlotIndex()
  private var free: ContiguousArray<UInt32> = []

  /// - Parameter capacity: 1 or more, below 2³¹.
  init(capacity: Int, seed: UInt64) {
    self.capacity = min(max(1, capacity), Int(Int32.max))
    self.seed = seed
  }

  var count: Int { slots.count }

  var isFull: Bool { count >= capacity }

  /// Places for flows, free ones included; a sweep goes over `0..<places`.
  var places: Int { flows.count }

  subscript(index: Int) -> Flow {
    @inline(__always) _read { yield flows[index] }
    @inline(__always) _modify { yield &flows[index] }
  }

  @inline(__always) func hash(_ key: FlowKey) -> UInt32 { key.hash(seed: seed) }

  @inline(__always) func index(of key: FlowKey, hash: UInt32) -> Int? {
    slots.find(hash) { flows[$0].key == key }
  }

  /// Adds a flow whose key is not there yet; nil when the table is full.
  mutating func insert(_ flow: Flow, hash: UInt32) -> Int? {
    guard !isFull else { return nil }
    let index: Int
    if let place = free.popLast() {
      index = Int(place)
      flows[index] = flow
    } else {
      index = flows.count
      flows.append(flow)
    }
    slots.insert(hash, index)
    return index
  }

  /// Takes a live flow out.
  mutating func remove(at index: Int) {
    slots.remove(hash(flows[index].key), index)
    flows[index].isLive = false
    free.append(UInt32(truncatingIfNeeded: index))
  }
}
