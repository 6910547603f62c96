/// What the contiguous prefix of one side of a stream turned out to be.
///
/// A stream decoder is a pure function of that prefix. The caller reassembles, keeps its own cap on memory, and asks again once
/// `atLeast` octets are there; asking earlier is allowed and gives the same answer.
public enum StreamResult<Value> {
  /// Nothing can be found before the prefix is `atLeast` octets long in all; always more than was given. That it is something else may show earlier.
  case needMore(atLeast: Int)
  case found(Value)
  /// This stream is certainly not what was looked for, or beyond the decoder's limit: more octets will not change that.
  case other(WireError.Reason)
}

extension StreamResult: Sendable where Value: Sendable {}
extension StreamResult: Equatable where Value: Equatable {}

extension StreamResult {
  /// The value, if it was found.
  public var value: Value? {
    if case .found(let value) = self { value } else { nil }
  }
}
