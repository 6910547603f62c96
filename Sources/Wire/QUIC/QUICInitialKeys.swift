import Crypto
import CryptoExtras
import FoundationEssentials

/// The keys that protect what a client says in Initial packets. They follow from what the first one shows in the clear, so anyone on
/// the path can open it ([RFC 9001 §5.2](https://www.rfc-editor.org/rfc/rfc9001#section-5.2)).
struct QUICInitialKeys: Sendable {
  let version: QUICVersion
  /// What the keys were made from: the destination connection ID of the client's first Initial, or of its first after a Retry.
  let connectionID: [UInt8]
  private let key: SymmetricKey
  private let headerKey: SymmetricKey
  private let iv: [UInt8]
  /// The largest packet number opened.
  private var largestPacketNumber: UInt64?

  /// Nil for a version whose Initial packets cannot be opened.
  init?(version: QUICVersion, connectionID: [UInt8]) {
    guard let salt = version.initialSalt else { return nil }
    self.version = version
    self.connectionID = connectionID
    // HKDF-Extract is an HMAC under the salt (RFC 5869 2.2).
    let extract = version == .v1 ? Self.extractionOfV1 : KeyedSHA256(key: salt)
    let client = KeyedSHA256(key: Self.expand(KeyedSHA256(key: extract.code(of: connectionID)), label: "client in", byteCount: 32))
    key = SymmetricKey(data: Self.expand(client, label: version.labelPrefix + "key", byteCount: 16))
    headerKey = SymmetricKey(data: Self.expand(client, label: version.labelPrefix + "hp", byteCount: 16))
    iv = Self.expand(client, label: version.labelPrefix + "iv", byteCount: 12)
  }

  /// Nearly every connection is of version 1, and an HMAC takes as long to key as to compute.
  private static let extractionOfV1 = KeyedSHA256(key: QUICVersion.v1.initialSalt ?? [])

  /// HKDF-Expand-Label with an empty context ([RFC 8446 §7.1](https://www.rfc-editor.org/rfc/rfc8446#section-7.1)), for up to 32 octets.
  private static func expand(_ secret: KeyedSHA256, label: String, byteCount: Int) -> [UInt8] {
    let label = "tls13 " + label
    // So few octets are the start of the first block of RFC 5869 2.3.
    var code = secret.code(of: [UInt8(byteCount >> 8), UInt8(byteCount & 0xff), UInt8(label.utf8.count)] + Array(label.utf8) + [0, 1])
    code.removeLast(code.count - byteCount)
    return code
  }

  /// The frames of an Initial packet whose header starts at `start`; nil when it was not protected with these keys.
  ///
  /// A packet of which the capture holds only the beginning cannot be authenticated. It is opened unverified: its hello must
  /// still decode as a whole, which chance does not give.
  mutating func open(_ datagram: Span<UInt8>, start: Int, header: QUICLongHeader) -> [UInt8]? {
    let numberOffset = header.protected.lowerBound
    // RFC 9001 5.4.2: the sample is taken as if the packet number had four octets.
    let sample = numberOffset + 4..<numberOffset + 20
    guard sample.upperBound <= header.protected.upperBound else { return nil }
    guard let mask = block([UInt8](copying: datagram, in: sample), with: headerKey) else { return nil }

    let first = datagram[start] ^ mask[0] & 0x0f
    let numberLength = Int(first & 3) + 1
    var associated = [UInt8](copying: datagram, in: start..<numberOffset + numberLength)
    associated[0] = first
    var number: UInt64 = 0
    for index in 0..<numberLength {
      let place = numberOffset - start + index
      associated[place] ^= mask[index + 1]
      number = number << 8 | UInt64(associated[place])
    }
    number = Self.packetNumber(truncated: number, octets: numberLength, largest: largestPacketNumber)
    var nonce = iv
    for index in 0..<8 { nonce[11 - index] ^= UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }

    let payload = numberOffset + numberLength..<header.protected.upperBound
    let frames: [UInt8]? =
      header.isCut
      ? keyStream([UInt8](copying: datagram, in: payload), nonce: nonce)
      : authenticated([UInt8](copying: datagram, in: payload), nonce: nonce, associated: associated)
    if frames != nil, !header.isCut { largestPacketNumber = max(number, largestPacketNumber ?? 0) }
    return frames
  }

  private func authenticated(_ sealed: [UInt8], nonce: [UInt8], associated: [UInt8]) -> [UInt8]? {
    guard sealed.count >= 16 else { return nil }
    do {
      let box = try AES.GCM.SealedBox(
        nonce: AES.GCM.Nonce(data: nonce), ciphertext: sealed.dropLast(16), tag: sealed.suffix(16))
      return [UInt8](try AES.GCM.open(box, using: key, authenticating: associated))
    } catch {
      return nil
    }
  }

  /// Counter mode as GCM runs it: the first block of text is under counter 2 ([SP 800-38D §7.1](https://doi.org/10.6028/NIST.SP.800-38D)).
  private func keyStream(_ sealed: [UInt8], nonce: [UInt8]) -> [UInt8]? {
    var text = sealed
    for (index, start) in stride(from: 0, to: sealed.count, by: 16).enumerated() {
      let counter = UInt32(truncatingIfNeeded: index + 2)
      let input = nonce + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: counter >> UInt32($0)) }
      guard let stream = block(input, with: key) else { return nil }
      for place in start..<min(start + 16, text.count) { text[place] ^= stream[place - start] }
    }
    return text
  }

  private func block(_ input: [UInt8], with key: SymmetricKey) -> [UInt8]? {
    var block = input
    do {
      try AES.permute(&block, key: key)
      return block
    } catch {
      return nil
    }
  }

  /// The number nearest to the one expected next that ends in the octets sent ([RFC 9000 §A.3](https://www.rfc-editor.org/rfc/rfc9000#section-a.3)).
  static func packetNumber(truncated: UInt64, octets: Int, largest: UInt64?) -> UInt64 {
    let expected = largest.map { $0 + 1 } ?? 0
    let window = UInt64(1) << UInt64(8 * octets)
    let candidate = expected & ~(window - 1) | truncated
    if candidate + window / 2 <= expected, candidate < 1 << 62 - window { return candidate + window }
    if candidate > expected + window / 2, candidate >= window { return candidate - window }
    return candidate
  }
}
