import EgressModel

/// A command of a Redis client: an array of strings ([RESP](https://redis.io/docs/latest/develop/reference/protocol-spec/)), `*2 CR LF $4 CR LF AUTH …`.
enum RedisCommand {
  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    var offset = 0
    for mark in [UInt8(ascii: "*"), UInt8(ascii: "$")] {
      guard offset < bytes.count else { return .needMore(atLeast: bytes.count + 1) }
      guard bytes[offset] == mark else { return .other(.notRedis) }
      offset += 1
      let start = offset
      while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
      guard offset - start <= 4 else { return .other(.notRedis) }
      for octet in [UInt8(ascii: "\r"), UInt8(ascii: "\n")] {
        guard offset < bytes.count else { return .needMore(atLeast: bytes.count + 1) }
        guard bytes[offset] == octet, offset > start else { return .other(.notRedis) }
        offset += 1
      }
    }
    guard offset < bytes.count else { return .needMore(atLeast: bytes.count + 1) }
    switch bytes[offset] {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): return .found(StreamOpening(.redis))
    default: return .other(.notRedis)
    }
  }
}

extension WireError.Reason {
  static let notRedis = Self(rawValue: "not a command of a Redis client")
}
