/// Decodes one HPACK header block, the first of a connection ([RFC 7541](https://www.rfc-editor.org/rfc/rfc7541)).
///
/// The dynamic table begins empty with a connection, so what the first block puts into it is all it can refer to.
struct HPACKDecoder {
  struct Field: Equatable {
    var name: [UInt8]
    var value: [UInt8]
  }

  /// Fields of a block that are read.
  static let maximumFieldCount = 256
  /// Octets of a name or a value that are read.
  static let maximumStringLength = 8_192
  /// The size that the table has before anything is negotiated (RFC 9113 §6.5.2), as HPACK counts it.
  static let tableSize = 4_096

  private var table: [Field] = []
  private var tableByteCount = 0
  private var limit = tableSize

  /// The fields of `block` in order; nil when it is malformed or beyond the bounds.
  mutating func fields(of block: Span<UInt8>) -> [Field]? {
    var fields: [Field] = []
    var offset = 0
    while offset < block.count {
      guard fields.count < Self.maximumFieldCount else { return nil }
      let first = block[offset]
      if first & 0x80 != 0 {
        guard let index = Self.integer(block, &offset, bits: 7), let field = field(index) else { return nil }
        fields.append(field)
      } else if first & 0xe0 == 0x20 {
        // An encoder may make its table smaller before it begins, never larger than what was agreed.
        guard let size = Self.integer(block, &offset, bits: 5), size <= Self.tableSize else { return nil }
        limit = size
        makeRoom(for: 0)
      } else {
        let isIndexed = first & 0x40 != 0
        guard let index = Self.integer(block, &offset, bits: isIndexed ? 6 : 4) else { return nil }
        var name: [UInt8]? = index == 0 ? nil : field(index)?.name
        if index == 0 { name = Self.string(block, &offset) }
        guard let name, let value = Self.string(block, &offset) else { return nil }
        let field = Field(name: name, value: value)
        fields.append(field)
        if isIndexed { insert(field) }
      }
    }
    return fields
  }

  private func field(_ index: Int) -> Field? {
    guard index > 0 else { return nil }
    if index <= Self.staticTable.count {
      let (name, value) = Self.staticTable[index - 1]
      return Field(name: [UInt8](name.utf8), value: [UInt8](value.utf8))
    }
    let place = index - Self.staticTable.count - 1
    return place < table.count ? table[table.count - 1 - place] : nil
  }

  private mutating func insert(_ field: Field) {
    let size = field.name.count + field.value.count + 32
    makeRoom(for: size)
    guard size <= limit else { return }
    table.append(field)
    tableByteCount += size
  }

  private mutating func makeRoom(for size: Int) {
    while tableByteCount + size > limit, let oldest = table.first {
      tableByteCount -= oldest.name.count + oldest.value.count + 32
      table.removeFirst()
    }
  }

  /// RFC 7541 §5.1, up to 2²¹.
  private static func integer(_ bytes: Span<UInt8>, _ offset: inout Int, bits: UInt8) -> Int? {
    guard offset < bytes.count else { return nil }
    let mask = (1 << Int(bits)) - 1
    var value = Int(bytes[offset]) & mask
    offset += 1
    guard value == mask else { return value }
    for shift in [0, 7, 14] {
      guard offset < bytes.count else { return nil }
      let octet = bytes[offset]
      offset += 1
      value += Int(octet & 0x7f) << shift
      if octet & 0x80 == 0 { return value }
    }
    return nil
  }

  private static func string(_ bytes: Span<UInt8>, _ offset: inout Int) -> [UInt8]? {
    guard offset < bytes.count else { return nil }
    let isHuffman = bytes[offset] & 0x80 != 0
    guard let length = integer(bytes, &offset, bits: 7), length <= maximumStringLength, length <= bytes.count - offset else { return nil }
    defer { offset += length }
    let range = offset..<offset + length
    return isHuffman ? HPACKHuffman.decode(bytes, in: range, limit: maximumStringLength) : [UInt8](copying: bytes, in: range)
  }

  /// RFC 7541 Appendix A.
  private static let staticTable: [(String, String)] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
    (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"), ("accept-language", ""),
    ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""),
    ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""),
    ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""),
    ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
  ]
}
