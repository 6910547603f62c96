extension IPAddress: LosslessStringConvertible {
  /// The canonical text: dotted decimal, or [RFC 5952](https://www.rfc-editor.org/rfc/rfc5952) for IPv6.
  public var description: String {
    if let v4 {
      return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)"
    }
    let groups = (0..<8).map { index -> UInt64 in
      (index < 4 ? high : low) >> UInt64(48 - 16 * (index & 3)) & 0xffff
    }
    // RFC 5952 4.2: the longest run of two or more zero groups is shortened, the first one on a tie.
    var best = 0..<0
    var start = 0
    while start < 8 {
      guard groups[start] == 0 else {
        start += 1
        continue
      }
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(1, best.count) { best = start..<end }
      start = end
    }
    let text = { (range: Range<Int>) in groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
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
    let octets = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard octets.count == 4 else { return nil }
    for octet in octets {
      guard (1...3).contains(octet.count), octet.allSatisfy({ (0x30...0x39).contains($0) }),
        octet.count == 1 || octet.first != UInt8(ascii: "0"),
        let value = UInt8(String(Substring(octet)))
      else { return nil }
      bits = bits << 8 | UInt32(value)
    }
    return bits
  }
}
