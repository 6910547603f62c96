extension IPAddress: LosslessStringConvertible {
  /// The canonical text: dotted decimal, or [RFC 5952](https://www.rfc-editor.org/rfc/rfc5952) for IPv6.
  public var description: String {
    withText { characters in
      // Digits and separators are ASCII.
      guard let characters = try? UTF8Span(validating: characters) else { return "" }
      return String(copying: characters)
    }
  }

  /// Lends the canonical text as ASCII, without making a string.
  public func withText<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    var text = InlineArray<39, UInt8>(repeating: 0)
    let count = v4.map { Self.write($0, to: &text) } ?? writeGroups(to: &text)
    return body(text.span.extracting(..<count))
  }

  private static func write(_ bits: UInt32, to text: inout InlineArray<39, UInt8>) -> Int {
    var count = 0
    for shift: UInt32 in [24, 16, 8, 0] {
      let octet = UInt8(truncatingIfNeeded: bits >> shift)
      if octet >= 100 { append(octet / 100 + 0x30, to: &text, &count) }
      if octet >= 10 { append(octet / 10 % 10 + 0x30, to: &text, &count) }
      append(octet % 10 + 0x30, to: &text, &count)
      if shift > 0 { append(UInt8(ascii: "."), to: &text, &count) }
    }
    return count
  }

  private func writeGroups(to text: inout InlineArray<39, UInt8>) -> Int {
    func group(_ index: Int) -> UInt16 { UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index & 3))) }
    // RFC 5952 4.2: the longest run of two or more zero groups is shortened, the first one on a tie.
    var shortened = 8..<8
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, group(end) == 0 { end += 1 }
      if end - start > max(1, shortened.count) { shortened = start..<end }
      start = max(end, start + 1)
    }
    var count = 0
    var index = 0
    while index < 8 {
      if index == shortened.lowerBound {
        Self.append(UInt8(ascii: ":"), to: &text, &count)
        Self.append(UInt8(ascii: ":"), to: &text, &count)
        index = shortened.upperBound
        continue
      }
      if index > 0, index != shortened.upperBound { Self.append(UInt8(ascii: ":"), to: &text, &count) }
      let bits = group(index)
      for shift: UInt16 in [12, 8, 4, 0] where shift == 0 || bits >> shift != 0 {
        let digit = UInt8(truncatingIfNeeded: bits >> shift & 15)
        Self.append(digit < 10 ? digit + 0x30 : digit - 10 + UInt8(ascii: "a"), to: &text, &count)
      }
      index += 1
    }
    return count
  }

  private static func append(_ character: UInt8, to text: inout InlineArray<39, UInt8>, _ count: inout Int) {
    text[count] = character
    count += 1
  }

  /// Reads dotted decimal or any RFC 4291 spelling of IPv6; nil for anything else, a zone (`%eth0`) and a prefix included.
  ///
  /// Octets with a leading zero are refused: half the world reads them as octal.
  public init?(_ text: String) {
    self.init(utf8: text.utf8[...])
  }

  init?(utf8 text: Substring.UTF8View) {
    guard text.count <= 45 else { return nil }
    guard text.contains(UInt8(ascii: ":")) else {
      guard let bits = Self.v4Bits(text) else { return nil }
      self.init(v4: bits)
      return
    }
    var head: [UInt16] = []
    var tail: [UInt16] = []
    var sawGap = false
    var rest = text
    if rest.starts(with: "::".utf8) {
      sawGap = true
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let group = rest.prefix { $0 != UInt8(ascii: ":") }
      if group.contains(UInt8(ascii: ".")) {
        guard group.endIndex == rest.endIndex, let bits = Self.v4Bits(group) else { return nil }
        let pair = [UInt16(bits >> 16), UInt16(bits & 0xffff)]
        if sawGap { tail += pair } else { head += pair }
        break
      }
      guard (1...4).contains(group.count), group.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
        let value = UInt16(String(Substring(group)), radix: 16)
      else { return nil }
      if sawGap { tail.append(value) } else { head.append(value) }
      rest = rest[group.endIndex...]
      if rest.isEmpty { break }
      rest = rest.dropFirst()
      if rest.isEmpty { return nil }
      if rest.first == UInt8(ascii: ":") {
        guard !sawGap else { return nil }
        sawGap = true
        rest = rest.dropFirst()
      }
    }
    let count = head.count + tail.count
    guard sawGap ? count <= 7 : count == 8 else { return nil }
    let groups = head + Array(repeating: 0, count: 8 - count) + tail
    self.init(
      high: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) },
      low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
  }

  private static func v4Bits(_ text: Substring.UTF8View) -> UInt32? {
    var bits: UInt32 = 0
    var octet: UInt32?
    var dots = 0
    for character in text {
      if character == UInt8(ascii: ".") {
        guard let value = octet, dots < 3 else { return nil }
        bits = bits << 8 | value
        octet = nil
        dots += 1
        continue
      }
      guard (0x30...0x39).contains(character), octet != 0 else { return nil }
      let value = (octet ?? 0) * 10 + UInt32(character - 0x30)
      guard value <= 255 else { return nil }
      octet = value
    }
    guard let octet, dots == 3 else { return nil }
    return bits << 8 | octet
  }
}
