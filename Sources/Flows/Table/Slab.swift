/// Values of the few flows that have them, by an index that stays valid until the value is removed.
struct Slab<Value: Sendable>: Sendable {
  private var values: ContiguousArray<Value?> = []
  private var free: ContiguousArray<Int32> = []

  var count: Int { values.count - free.count }

  subscript(index: Int32) -> Value? {
    _read { yield values[Int(index)] }
    _modify { yield &values[Int(index)] }
  }

  mutating func insert(_ value: Value) -> Int32 {
    if let index = free.popLast() {
      values[Int(index)] = value
      return index
    }
    values.append(value)
    return Int32(truncatingIfNeeded: values.count - 1)
  }

  mutating func update(at index: Int32, _ change: (inout Value) -> Void) {
    guard values[Int(index)] != nil else { return }
    change(&values[Int(index)]!)
  }

  mutating func remove(at index: Int32) -> Value? {
    guard let value = values[Int(index)].take() else { return nil }
    free.append(index)
    return value
  }
}
