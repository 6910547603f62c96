/// An IPv4 or IPv6 address.
///
/// Kept as 128 bits, IPv4 in its IPv4-mapped form (`::ffff:a.b.c.d`, [RFC 4291 §2.5.5.2](https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2)),
/// so that an address and its mapped spelling are one value, and comparing or hashing it never branches on the family.
public struct IPAddress: Hashable, Sendable {
  /// The first eight octets, in network order.
  public var high: UInt64
  /// The last eight octets, in network order.
  public var low: UInt64

  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An IPv4 address from its 32 bits in network order: `0x7f00_0001` is 127.0.0.1.
  @inlinable public init(v4 bits: UInt32) {
    self.init(high: 0, low: 0x0000_ffff_0000_0000 | UInt64(bits))
  }

  @inlinable public var isV4: Bool { high == 0 && low >> 32 == 0x0000_ffff }

  /// The 32 bits of an IPv4 address, nil for IPv6.
  @inlinable public var v4: UInt32? { isV4 ? UInt32(truncatingIfNeeded: low) : nil }

  @inlinable public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0x0000_ffff_0000_0000) }

  /// 127.0.0.0/8 and ::1.
  @inlinable public var isLoopback: Bool {
    if let v4 { return v4 >> 24 == 127 }
    return high == 0 && low == 1
  }

  /// 169.254.0.0/16 and fe80::/10.
  @inlinable public var isLinkLocal: Bool {
    if let v4 { return v4 >> 16 == 0xa9fe }
    return high >> 54 == 0xfe80 >> 6
  }

  /// 224.0.0.0/4 and ff00::/8.
  @inlinable public var isMulticast: Bool {
    if let v4 { return v4 >> 28 == 0xe }
    return high >> 56 == 0xff
  }

  /// 255.255.255.255; a subnet's own broadcast address cannot be told without its prefix.
  @inlinable public var isBroadcast: Bool { v4 == .max }

  /// Addresses that no third party on the internet has: RFC 1918, RFC 6598 (carrier NAT) and RFC 4193 (unique local).
  @inlinable public var isPrivate: Bool {
    if let v4 {
      return v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 || v4 >> 22 == 0x6440 >> 6
    }
    return high >> 57 == 0xfc >> 1
  }
}

extension IPAddress: Comparable {
  /// Numerical; every IPv4 address stands together inside `::ffff:0:0/96`.
  @inlinable public static func < (a: IPAddress, b: IPAddress) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }
}
