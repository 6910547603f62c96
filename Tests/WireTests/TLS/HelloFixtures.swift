import Wire

/// ClientHellos that tests write extension by extension.
enum HelloFixtures {
  static func ext(_ type: Int, _ data: [UInt8]) -> [UInt8] { Octets.u16(type) + Octets.block16(data) }

  static func serverName(_ name: [UInt8], kind: Int = 0) -> [UInt8] {
    ext(0, Octets.block16(Octets.u8(kind) + Octets.block16(name)))
  }
  static func serverName(_ name: String) -> [UInt8] { serverName([UInt8](name.utf8)) }

  static func alpn(_ names: [String]) -> [UInt8] { ext(16, Octets.block16(names.flatMap { Octets.block8([UInt8]($0.utf8)) })) }
  static func supportedVersions(_ versions: [Int]) -> [UInt8] { ext(43, Octets.block8(versions.flatMap(Octets.u16))) }
  static func signatureAlgorithms(_ schemes: [Int]) -> [UInt8] { ext(13, Octets.block16(schemes.flatMap(Octets.u16))) }

  /// An encrypted_client_hello extension of the given parts.
  static func ech(type: Int = 0, kdf: Int = 1, aead: Int = 1, key: Int = 32, payload: Int = 144) -> [UInt8] {
    ext(
      0xfe0d,
      Octets.u8(type) + Octets.u16(kdf) + Octets.u16(aead) + [7] + Octets.block16([UInt8](repeating: 1, count: key))
        + Octets.block16([UInt8](repeating: 2, count: payload)))
  }

  /// A handshake message; no block of extensions at all when `extensions` is nil.
  static func handshake(version: Int = 0x0303, suites: [Int] = [0x1301, 0xc02f], extensions: [[UInt8]]?) -> [UInt8] {
    let body =
      Octets.u16(version) + [UInt8](repeating: 0x55, count: 32) + Octets.block8([UInt8](repeating: 9, count: 32))
      + Octets.block16(suites.flatMap(Octets.u16)) + Octets.block8([0]) + (extensions.map { Octets.block16($0.flatMap { $0 }) } ?? [])
    return [1] + Octets.u24(body.count) + body
  }

  static func record(_ fragment: [UInt8], type: UInt8 = 22, version: Int = 0x0301) -> [UInt8] {
    [type] + Octets.u16(version) + Octets.block16(fragment)
  }

  /// The message cut into records of these sizes, the last size again and again.
  static func records(_ message: [UInt8], sizes: [Int]) -> [UInt8] {
    var stream: [UInt8] = []
    var rest = message[...]
    var sizes = sizes[...]
    while !rest.isEmpty {
      let size = sizes.count > 1 ? sizes.removeFirst() : sizes[sizes.startIndex]
      stream += record([UInt8](rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return stream
  }

  /// As a browser of today says it: GREASE in every list, a post-quantum key share, ECH.
  static let modern = handshake(
    suites: [0x2a2a, 0x1301, 0x1302, 0xc02b],
    extensions: [
      ext(0x4a4a, []), ext(51, Octets.block16(Octets.u16(0x11ec) + Octets.block16([UInt8](repeating: 3, count: 1_216)))),
      signatureAlgorithms([0x0403, 0x0804]), supportedVersions([0x8a8a, 0x0304, 0x0303]), alpn(["h2", "http/1.1"]), ech(),
      serverName("Shop.example.com"), ext(0x7a7a, [0]),
    ])

  static let plain = handshake(extensions: [serverName("shop.example.com")])

  static func decode(_ handshake: [UInt8]) throws(WireError) -> ClientHello { try ClientHello(decodingHandshake: handshake.span) }
}
