public import EgressModel

extension DNSMessage {
  /// A query for the names of `address`, recursion desired, ready to be sent over UDP.
  public static func encodePTRQuery(id: UInt16, address: IPAddress) -> [UInt8] {
    var message: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xff), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]
    for label in address.reverseName.labels {
      message.append(UInt8(label.utf8.count))
      message.append(contentsOf: label.utf8)
    }
    message.append(0)
    message.append(contentsOf: [0, UInt8(RecordType.ptr.rawValue), 0, UInt8(RecordClass.internet.rawValue)])
    return message
  }
}

extension IPAddress {
  /// Where the names of this address are looked up: `4.3.2.1.in-addr.arpa`
  /// ([RFC 1035 §3.5](https://www.rfc-editor.org/rfc/rfc1035#section-3.5)) or 32 nibbles under `ip6.arpa`
  /// ([RFC 3596 §2.5](https://www.rfc-editor.org/rfc/rfc3596#section-2.5)).
  public var reverseName: DomainName {
    if let v4 {
      return DomainName(presentation: "\(v4 & 255).\(v4 >> 8 & 255).\(v4 >> 16 & 255).\(v4 >> 24).in-addr.arpa")
    }
    let nibbles = [low, high].flatMap { half in
      stride(from: 0, to: 64, by: 4).map { String(half >> UInt64($0) & 0xf, radix: 16) }
    }
    return DomainName(presentation: nibbles.joined(separator: ".") + ".ip6.arpa")
  }

  /// The address whose `reverseName` this is; nil for any other name, a part of an address included.
  public init?(reverseName: DomainName) {
    let labels = reverseName.labels
    guard let last = labels.last, last == "arpa", labels.count >= 2 else { return nil }
    let digits = labels.dropLast(2)
    switch labels[labels.count - 2] {
    case "in-addr":
      guard digits.count == 4 else { return nil }
      self.init(digits.reversed().joined(separator: "."))
      guard isV4 else { return nil }
    case "ip6":
      guard digits.count == 32 else { return nil }
      var halves: [UInt64] = [0, 0]
      for (index, digit) in digits.reversed().enumerated() {
        guard digit.utf8.count == 1, let nibble = digit.first?.hexDigitValue else { return nil }
        halves[index / 16] = halves[index / 16] << 4 | UInt64(nibble)
      }
      self.init(high: halves[0], low: halves[1])
    default:
      return nil
    }
  }
}
