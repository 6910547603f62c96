extension [UInt8] {
  /// Appends in network order.
  mutating func append(bigEndian value: UInt16) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  mutating func append(bigEndian value: UInt32) {
    append(bigEndian: UInt16(truncatingIfNeeded: value >> 16))
    append(bigEndian: UInt16(truncatingIfNeeded: value))
  }

  mutating func append(bigEndian value: UInt64) {
    append(bigEndian: UInt32(truncatingIfNeeded: value >> 32))
    append(bigEndian: UInt32(truncatingIfNeeded: value))
  }

  mutating func append(littleEndian value: UInt32) { append(bigEndian: value.byteSwapped) }

  /// Appends a length of `octets` octets and then what `body` appends: a vector of [RFC 8446 §3.4](https://www.rfc-editor.org/rfc/rfc8446#section-3.4).
  mutating func appendVector(octets: Int, _ body: (inout [UInt8]) -> Void) {
    let start = count
    append(contentsOf: repeatElement(0, count: octets))
    body(&self)
    var length = count - start - octets
    for index in stride(from: start + octets - 1, through: start, by: -1) {
      self[index] = UInt8(truncatingIfNeeded: length)
      length >>= 8
    }
    precondition(length == 0, "a vector longer than its length field can say")
  }

  /// A variable-length integer of [RFC 9000 §16](https://www.rfc-editor.org/rfc/rfc9000#section-16), below 2³⁰.
  mutating func append(quicInteger value: Int) {
    switch value {
    case ..<64: append(UInt8(value))
    case ..<16_384: append(bigEndian: UInt16(value) | 0x4000)
    default: append(bigEndian: UInt32(value) | 0x8000_0000)
    }
  }
}
