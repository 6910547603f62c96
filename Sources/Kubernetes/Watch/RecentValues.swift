/// Lets equal values share their memory, as far as one of them was seen lately.
struct RecentValues<Value: Hashable> {
  /// By hash; who comes last has the place.
  private var values: [Value?] = Array(repeating: nil, count: 4096)

  /// The equal value that was seen before, or else this one.
  mutating func shared(_ value: Value) -> Value {
    let place = Int(UInt(bitPattern: value.hashValue) % UInt(values.count))
    if let known = values[place], known == value { return known }
    values[place] = value
    return value
  }
}
