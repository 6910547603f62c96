/// A reading position that only moves forward and never past its end.
///
/// The octets are handed to every read instead of being kept, so no lifetime has to be tracked. All reads of one cursor must get
/// the span it was made for: `end` never exceeds that span's count, and that is what keeps the subscripts from trapping.
struct ByteCursor {
  /// What it means when a read goes past the end.
  enum Boundary {
    /// The octets are all that was captured: more may have existed.
    case capture
    /// The end was set by a length field, so a read past it contradicts the sender.
    case structure
  }

  let layer: WireError.Layer
  let boundary: Boundary
  private(set) var offset: Int
  let end: Int

  /// Reads all of `bytes`.
  init(_ bytes: Span<UInt8>, layer: WireError.Layer, boundary: Boundary = .capture) {
    self.init(layer: layer, boundary: boundary, offset: 0, end: bytes.count)
  }

  private init(layer: WireError.Layer, boundary: Boundary, offset: Int, end: Int) {
    self.layer = layer
    self.boundary = boundary
    self.offset = offset
    self.end = end
  }

  var remaining: Int { end - offset }
  var isAtEnd: Bool { offset == end }

  func require(_ count: Int) throws(WireError) {
    guard count <= remaining else {
      switch boundary {
      case .capture: throw .truncated(layer: layer, required: count, available: remaining, offset: offset)
      case .structure: throw .malformed(layer: layer, reason: .lengthOverrun, offset: offset)
      }
    }
  }

  mutating func skip(_ count: Int) throws(WireError) {
    try require(count)
    offset += count
  }

  mutating func uint8(_ bytes: Span<UInt8>) throws(WireError) -> UInt8 {
    try require(1)
    defer { offset += 1 }
    return bytes[offset]
  }

  mutating func uint16(_ bytes: Span<UInt8>) throws(WireError) -> UInt16 {
    try require(2)
    defer { offset += 2 }
    return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  mutating func uint24(_ bytes: Span<UInt8>) throws(WireError) -> Int {
    try require(3)
    defer { offset += 3 }
    return Int(bytes[offset]) << 16 | Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
  }

  mutating func uint32(_ bytes: Span<UInt8>) throws(WireError) -> UInt32 {
    let high = UInt32(try uint16(bytes))
    return high << 16 | UInt32(try uint16(bytes))
  }

  mutating func uint64(_ bytes: Span<UInt8>) throws(WireError) -> UInt64 {
    let high = UInt64(try uint32(bytes))
    return high << 32 | UInt64(try uint32(bytes))
  }

  /// Takes the next `count` octets as a structure of its own: reads past its end are malformed.
  mutating func structure(_ count: Int) throws(WireError) -> ByteCursor {
    try require(count)
    defer { offset += count }
    return ByteCursor(layer: layer, boundary: .structure, offset: offset, end: offset + count)
  }

  /// Takes a structure whose length stands in one octet before it.
  mutating func structure8(_ bytes: Span<UInt8>) throws(WireError) -> ByteCursor {
    try structure(Int(try uint8(bytes)))
  }

  /// Takes a structure whose length stands in two octets before it.
  mutating func structure16(_ bytes: Span<UInt8>) throws(WireError) -> ByteCursor {
    try structure(Int(try uint16(bytes)))
  }

  func requireEnd() throws(WireError) {
    guard isAtEnd else { throw malformed(.trailingOctets) }
  }

  /// The rest, copied out.
  func rest(_ bytes: Span<UInt8>) -> [UInt8] {
    [UInt8](copying: bytes, in: offset..<end)
  }

  /// Numbers of two octets up to the end; a single octet left over is malformed.
  mutating func uint16s(_ bytes: Span<UInt8>) throws(WireError) -> [UInt16] {
    var values: [UInt16] = []
    values.reserveCapacity(remaining / 2)
    while !isAtEnd { values.append(try uint16(bytes)) }
    return values
  }

  func malformed(_ reason: WireError.Reason) -> WireError {
    .malformed(layer: layer, reason: reason, offset: offset)
  }
}

extension [UInt8] {
  init(copying bytes: Span<UInt8>, in range: Range<Int>) {
    let octets = bytes.extracting(range)
    // Into memory that is there, unlike `append` to an array, this becomes one copy.
    self.init(capacity: octets.count) { output in
      for index in octets.indices { output.append(octets[index]) }
    }
  }
}
