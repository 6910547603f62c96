internal import EgressModel

extension ClientHello {
  /// Decodes one handshake message, header included; octets after it are left alone. TLS only: DTLS frames its messages differently.
  ///
  /// Truncated when the message goes on past the end of `bytes`; a length inside the message that exceeds it is malformed.
  public init(decodingHandshake bytes: Span<UInt8>) throws(WireError) {
    var message = ByteCursor(bytes, layer: .tls)
    guard try message.uint8(bytes) == 1 else { throw .malformed(layer: .tls, reason: .notClientHello, offset: 0) }
    let length = try message.uint24(bytes)
    guard length + 4 <= Self.maximumByteCount else { throw .malformed(layer: .tls, reason: .overLimit, offset: 1) }
    var body = try message.structure(length)
    try self.init(bytes, body: &body)
  }

  /// Decodes the body of a ClientHello, which `body` spans exactly.
  init(_ bytes: Span<UInt8>, body: inout ByteCursor) throws(WireError) {
    self.init(legacyVersion: TLSVersion(rawValue: try body.uint16(bytes)))
    try body.skip(32)
    _ = try body.structure8(bytes)
    if legacyVersion.rawValue >> 8 == 0xfe {
      // DTLS has a cookie here (RFC 6347 4.2.1).
      _ = try body.structure8(bytes)
    }
    var suites = try body.structure16(bytes)
    cipherSuites = try suites.uint16s(bytes)
    _ = try body.structure8(bytes)
    // Before RFC 3546 there was no block of extensions.
    guard !body.isAtEnd else { return }
    var list = try body.structure16(bytes)
    try body.requireEnd()
    extensions.reserveCapacity(min(24, list.remaining / 4))
    while !list.isAtEnd {
      let type = try list.uint16(bytes)
      var data = try list.structure16(bytes)
      let isRepeated = extensions.contains(type)
      extensions.append(type)
      guard extensions.count <= Self.maximumExtensionCount else { throw list.malformed(.overLimit) }
      if isRepeated {
        if type == 0 { repeatsServerName = true }
      } else {
        try decodeExtension(type, bytes, &data)
      }
    }
    if ech == .outer, !version.is13 {
      // RFC 9849 6.1: who offers ECH offers TLS 1.3.
      ech = .grease
    }
  }

  /// Extensions followed in one hello. About 60 types are registered; each may stand there once.
  public static let maximumExtensionCount = 256

  private mutating func decodeExtension(_ type: UInt16, _ bytes: Span<UInt8>, _ data: inout ByteCursor) throws(WireError) {
    switch type {
    case 0: claimedServerName = try Self.serverName(bytes, &data)
    case 13:
      var list = try data.structure16(bytes)
      signatureAlgorithms = try list.uint16s(bytes)
    case 16:
      var list = try data.structure16(bytes)
      while !list.isAtEnd {
        let item = try list.structure8(bytes)
        alpn.append(item.rest(bytes))
      }
    case 43:
      var list = try data.structure8(bytes)
      supportedVersions = try list.uint16s(bytes).map(TLSVersion.init(rawValue:))
    case 0xfe0d: ech = Self.ech(bytes, data)
    default: break
    }
  }

  private static func serverName(_ bytes: Span<UInt8>, _ data: inout ByteCursor) throws(WireError) -> ClaimedHost? {
    // Some clients send the empty extension that only servers should.
    guard !data.isAtEnd else { return .invalid(.empty) }
    var list = try data.structure16(bytes)
    while !list.isAtEnd {
      let kind = try list.uint8(bytes)
      // RFC 6066 3 gives a length to host_name only; every other kind is undefined, and in practice has the same shape.
      let name = try list.structure16(bytes)
      if kind == 0 { return ClaimedHost(bytes, in: name.offset..<name.end) }
    }
    return nil
  }

  /// Whether an encrypted_client_hello extension can be a real one ([RFC 9849 §5](https://www.rfc-editor.org/rfc/rfc9849#section-5)).
  ///
  /// A good GREASE extension is made to look real, and nobody but the two ends can tell (§6.2). So it is `grease` only where a
  /// server could not decrypt it whatever keys it has: it does not parse, is not of type outer, names the reserved KDF 0, the
  /// reserved AEAD 0 or the export-only AEAD 0xffff, or its payload has no room for a tag of 16 octets and something under it.
  /// Else it is `outer`, so a name is rather called a cover than trusted in error.
  static func ech(_ bytes: Span<UInt8>, _ data: ByteCursor) -> TLSFacts.ECH {
    var data = data
    do throws(WireError) {
      let isOuter = try data.uint8(bytes) == 0
      let kdf = try data.uint16(bytes)
      let aead = try data.uint16(bytes)
      try data.skip(1)
      _ = try data.structure16(bytes)
      let payload = try data.structure16(bytes)
      try data.requireEnd()
      return isOuter && kdf != 0 && aead != 0 && aead != 0xffff && payload.remaining > 16 ? .outer : .grease
    } catch {
      return .grease
    }
  }
}

extension WireError.Reason {
  public static let notClientHello = Self(rawValue: "a handshake message that is no ClientHello")
}
