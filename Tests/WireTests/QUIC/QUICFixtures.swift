import Crypto
import CryptoExtras
import FoundationEssentials

/// Protects Initial packets as a client does, from the text of RFC 9001 §5; the standards' own samples check it.
struct InitialPacket {
  var version = 1
  var connectionID = Octets.hex("8394c8f03e515708")
  /// What the keys come from, if not `connectionID`.
  var keyedBy: [UInt8]?
  var sourceConnectionID: [UInt8] = []
  var token: [UInt8] = []
  var number = 0
  var numberLength = 4
  var frames: [UInt8]
  /// Frames are padded to this count.
  var paddedCount = 0

  private static let salts = [
    1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", 0x6b33_43cf: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    0xff00_0016: "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a", 0xff00_001b: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0xface_b002: "c3eef712c72ebb5a11a7d2432bb46365bef9f502", 0xff00_001d: "afbfec289993d24c9e9786f19c6111e04390a899",
    0xface_b003: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", 0xface_b010: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0xff00_0022: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
  ]

  static func variable(_ value: Int) -> [UInt8] {
    switch value {
    case ..<64: Octets.u8(value)
    case ..<16_384: Octets.u16(value | 0x4000)
    case ..<0x4000_0000: Octets.u32(value | 0x8000_0000)
    default: Octets.u32(value >> 32 | 0xc000_0000) + Octets.u32(value & 0xffff_ffff)
    }
  }

  static func crypto(_ octets: [UInt8], at offset: Int) -> [UInt8] { [6] + variable(offset) + variable(octets.count) + octets }

  private func expand(_ secret: [UInt8], _ label: String, _ count: Int) -> [UInt8] {
    let info = Octets.u16(count) + Octets.block8([UInt8]("tls13 \(label)".utf8)) + [0]
    return [UInt8](HMAC<SHA256>.authenticationCode(for: info + [1], using: SymmetricKey(data: secret)).prefix(count))
  }

  var octets: [UInt8] {
    get throws {
      let isV2 = version == 0x6b33_43cf
      let prefix = isV2 ? "quicv2" : "quic"
      let salt = SymmetricKey(data: Octets.hex(Self.salts[version] ?? ""))
      let initial = [UInt8](HMAC<SHA256>.authenticationCode(for: keyedBy ?? connectionID, using: salt))
      let client = expand(initial, "client in", 32)

      let text = frames + [UInt8](repeating: 0, count: max(0, max(paddedCount, 4) - frames.count))
      let first = 0xc0 | (isV2 ? 0x10 : 0) | UInt8(numberLength - 1)
      var header =
        [first] + Octets.u32(version) + Octets.block8(connectionID) + Octets.block8(sourceConnectionID) + Self.variable(token.count) + token
      let length = numberLength + text.count + 16
      header += Octets.u16(length | 0x4000)
      let numberOffset = header.count
      header += Octets.u32(number).suffix(numberLength)

      var nonce = expand(client, "\(prefix) iv", 12)
      for (index, octet) in Octets.u32(number).enumerated() { nonce[8 + index] ^= octet }
      let box = try AES.GCM.seal(
        text, using: SymmetricKey(data: expand(client, "\(prefix) key", 16)), nonce: AES.GCM.Nonce(data: nonce), authenticating: header)
      var packet = header + [UInt8](box.ciphertext) + [UInt8](box.tag)

      var mask = [UInt8](packet[numberOffset + 4..<numberOffset + 20])
      try AES.permute(&mask, key: SymmetricKey(data: expand(client, "\(prefix) hp", 16)))
      packet[0] ^= mask[0] & 0x0f
      for index in 0..<numberLength { packet[numberOffset + index] ^= mask[index + 1] }
      return packet
    }
  }

  /// The CRYPTO frame of RFC 9001 §A.2, which RFC 9369 §A.2 has too.
  static let sampleFrame = Octets.hex("""
    060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
    04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
    616d706c652e636f6dff01000100000a00080006001d00170018001000070005
    04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
    baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
    0d0010000e0403050306030203080408050806002d00020101001c0002400100
    3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
    75300901100f088394c8f03e51570806048000ffff
    """)

  /// The packet of RFC 9001 §A.2, or of RFC 9369 §A.2 as version 2.
  static func sample(version: Int) -> InitialPacket { InitialPacket(version: version, number: 2, frames: sampleFrame, paddedCount: 1_162) }
}
