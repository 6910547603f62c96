import Crypto
import FoundationEssentials

/// HMAC-SHA-256 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)) under a key of at most 64 octets, keyed once and computed as often as needed.
///
/// The library's own is generic and keeps its keys as secrets. The keys here are made of what stands in the packet, and deriving them is
/// most of the cost of a QUIC Initial.
struct KeyedSHA256: Sendable {
  private var inner = SHA256()
  private var outer = SHA256()

  init(key: [UInt8]) {
    var block = [UInt8](repeating: 0x36, count: 64)
    for index in key.indices { block[index] ^= key[index] }
    inner.update(data: block)
    for index in block.indices { block[index] ^= 0x36 ^ 0x5c }
    outer.update(data: block)
  }

  /// 32 octets.
  func code(of message: [UInt8]) -> [UInt8] {
    var (inner, outer) = (inner, outer)
    inner.update(data: message)
    unsafe inner.finalize().withUnsafeBytes { unsafe outer.update(bufferPointer: $0) }
    return unsafe outer.finalize().withUnsafeBytes { unsafe [UInt8]($0) }
  }
}
