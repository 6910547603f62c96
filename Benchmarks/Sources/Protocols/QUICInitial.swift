import Crypto
import CryptoExtras
import Foundation

/// Protected Initial packets of QUIC version 1 ([RFC 9001 §5](https://www.rfc-editor.org/rfc/rfc9001#section-5)).
struct QUICInitial {
  enum Sender: String { case client = "client in", server = "server in" }

  private let key: SymmetricKey
  private let initializationVector: [UInt8]
  private let headerProtection: SymmetricKey

  /// The keys that both sides derive from the first destination connection ID.
  init(sender: Sender, originalDestination: [UInt8]) {
    let initial = HKDF<SHA256>.extract(inputKeyMaterial: SymmetricKey(data: originalDestination), salt: Self.salt)
    let secret = SymmetricKey(data: Self.expand(SymmetricKey(data: initial), sender.rawValue, 32))
    key = SymmetricKey(data: Self.expand(secret, "quic key", 16))
    initializationVector = Self.expand(secret, "quic iv", 12)
    headerProtection = SymmetricKey(data: Self.expand(secret, "quic hp", 16))
  }

  /// A packet of `size` octets: `frames` padded, sealed, and its header masked. The packet number takes one octet.
  func packet(destination: [UInt8], source: [UInt8], number: UInt8, frames: [UInt8], size: Int) throws -> [UInt8] {
    var packet: [UInt8] = [0xc0, 0, 0, 0, 1]
    packet.appendVector(octets: 1) { $0.append(contentsOf: destination) }
    packet.appendVector(octets: 1) { $0.append(contentsOf: source) }
    packet.append(quicInteger: 0)
    let payload = size - packet.count - 2 - 1 - Self.tagSize
    precondition(frames.count <= payload, "the frames do not fit a packet of \(size) octets")
    packet.append(bigEndian: UInt16(1 + payload + Self.tagSize) | 0x4000)
    let numberOffset = packet.count
    packet.append(number)

    var nonce = initializationVector
    nonce[11] ^= number
    let sealed = try AES.GCM.seal(
      frames + repeatElement(0, count: payload - frames.count), using: key, nonce: AES.GCM.Nonce(data: nonce), authenticating: packet)
    packet.append(contentsOf: sealed.ciphertext)
    packet.append(contentsOf: sealed.tag)

    var mask = Array(packet[numberOffset + 4..<numberOffset + 20])
    try AES.permute(&mask, key: headerProtection)
    packet[0] ^= mask[0] & 0x0f
    packet[numberOffset] ^= mask[1]
    return packet
  }

  static func cryptoFrame(offset: Int, _ data: ArraySlice<UInt8>) -> [UInt8] {
    var frame: [UInt8] = [6]
    frame.append(quicInteger: offset)
    frame.append(quicInteger: data.count)
    frame.append(contentsOf: data)
    return frame
  }

  private static let tagSize = 16
  private static let salt: [UInt8] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
  ]

  /// HKDF-Expand-Label ([RFC 8446 §7.1](https://www.rfc-editor.org/rfc/rfc8446#section-7.1)) for at most one block of SHA-256, which is a single HMAC.
  private static func expand(_ secret: SymmetricKey, _ label: String, _ count: Int) -> [UInt8] {
    var info: [UInt8] = []
    info.append(bigEndian: UInt16(count))
    info.appendVector(octets: 1) { $0.append(contentsOf: "tls13 \(label)".utf8) }
    info.append(0)
    info.append(1)
    return Array(HMAC<SHA256>.authenticationCode(for: info, using: secret).prefix(count))
  }
}
