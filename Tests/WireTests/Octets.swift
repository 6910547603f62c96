/// Writes octets the way the standards draw them, for messages that tests make themselves.
enum Octets {
  static func u8(_ value: Int) -> [UInt8] { [UInt8(value)] }
  static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
  static func u24(_ value: Int) -> [UInt8] { [UInt8(value >> 16)] + u16(value & 0xffff) }
  static func u32(_ value: Int) -> [UInt8] { u16(value >> 16) + u16(value & 0xffff) }

  /// `content` behind its length in one octet.
  static func block8(_ content: [UInt8]) -> [UInt8] { u8(content.count) + content }
  /// `content` behind its length in two octets.
  static func block16(_ content: [UInt8]) -> [UInt8] { u16(content.count) + content }

  /// Octets written as hexadecimal digits; anything else is skipped.
  static func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text {
      guard let digit = character.hexDigitValue else { continue }
      if let first = high {
        bytes.append(first << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return bytes
  }
}

/// SplitMix64: small, and the same everywhere for one seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}
