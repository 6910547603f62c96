/// An address block (`203.0.113.0/24`), as CIDR fields of policies and `--local` name it.
public struct IPPrefix: Hashable, Sendable {
  /// The first address of the block: bits beyond the length are cleared.
  public let address: IPAddress
  /// How many leading bits are fixed, counted in the address's own family: 0…32 or 0…128.
  public let length: Int

  /// Masks the host bits of `address`; nil when the length does not fit the family.
  public init?(_ address: IPAddress, length: Int) {
    guard (0...(address.isV4 ? 32 : 128)).contains(length) else { return nil }
    let (high, low) = Self.mask(address.isV4 ? length + 96 : length)
    // A mapped address keeps its mark whatever the length, so 0.0.0.0/0 stays IPv4.
    self.address =
      address.isV4
      ? IPAddress(v4: UInt32(truncatingIfNeeded: address.low & low)) : IPAddress(high: address.high & high, low: address.low & low)
    self.length = length
  }

  /// One address as a block of its own.
  public init(_ address: IPAddress) {
    self.address = address
    length = address.isV4 ? 32 : 128
  }

  public var isV4: Bool { address.isV4 }

  /// Whether this block is one whole address.
  public var isHost: Bool { length == (isV4 ? 32 : 128) }

  /// Blocks never match across families: `::/0` holds no IPv4 address, `0.0.0.0/0` no IPv6 one.
  public func contains(_ other: IPAddress) -> Bool {
    guard other.isV4 == isV4 else { return false }
    let (high, low) = Self.mask(isV4 ? length + 96 : length)
    return other.high & high == address.high & high && other.low & low == address.low & low
  }

  /// Whether every address of `other` is in this block.
  public func contains(_ other: IPPrefix) -> Bool {
    other.length >= length && contains(other.address)
  }

  private static func mask(_ length: Int) -> (high: UInt64, low: UInt64) {
    // Swift's smart shift gives 0 for a shift of 64 or more.
    (length == 0 ? 0 : UInt64.max << UInt64(max(0, 64 - length)), length <= 64 ? 0 : UInt64.max << UInt64(128 - length))
  }
}

extension IPPrefix: LosslessStringConvertible {
  public var description: String { "\(address)/\(length)" }

  /// Reads `address/length`. A bare address is nil: whether it may stand for a /32 is the caller's (dialect's) matter.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...3).contains(parts[1].count), parts[1].allSatisfy({ (0x30...0x39).contains($0) }),
      let address = IPAddress(utf8: parts[0]), let length = Int(String(Substring(parts[1])))
    else { return nil }
    self.init(address, length: length)
  }
}
