public import EgressModel

/// What a TLS server of a version before 1.3 says in the clear: its ServerHello and its certificate
/// ([RFC 5246 §7.4.2](https://www.rfc-editor.org/rfc/rfc5246#section-7.4.2)).
public enum ServerCertificate {
  /// The longest prefix looked at, in octets. The server's own certificate comes first; chains go on for longer.
  public static let maximumPrefixLength = 32_768

  /// The names in the first certificate of the server's first flight. In 1.3, and where a session is resumed, there is none to see.
  public static func names(in bytes: Span<UInt8>) -> StreamResult<[DomainName]> {
    // The handshake messages out of their records: both cut the other as they like.
    var messages: [UInt8] = []
    var offset = 0
    // Another kind of record: what came before it is all there is.
    var isOver = false
    while bytes.count - offset >= 5 {
      let end = offset + 5 + Int(bytes.uint16(at: offset + 3))
      guard bytes[offset] == 22, bytes[offset + 1] == 3, end > offset + 5 else {
        isOver = true
        break
      }
      messages += [UInt8](copying: bytes, in: offset + 5..<min(end, bytes.count))
      if end > bytes.count { break }
      offset = end
    }
    var cursor = ByteCursor(messages.span, layer: .tls)
    do throws(WireError) {
      guard try cursor.uint8(messages.span) == 2 else { return .other(.noCertificate) }
      var hello = try cursor.structure(try cursor.uint24(messages.span))
      guard try !Self.is13(messages.span, &hello) else { return .other(.noCertificate) }
      guard try cursor.uint8(messages.span) == 11 else { return .other(.noCertificate) }
      // Its length, and that of the list.
      try cursor.skip(6)
      let certificate = try cursor.structure(try cursor.uint24(messages.span))
      return .found(try CertificateNames.hosts(in: messages.span.extracting(certificate.offset..<certificate.end)))
    } catch {
      guard !isOver, case .truncated(.tls, let required, let available, _) = error else { return .other(.noCertificate) }
      let needed = bytes.count + max(1, required - available)
      return needed <= maximumPrefixLength ? .needMore(atLeast: needed) : .other(.overLimit)
    }
  }

  /// Whether the server chose 1.3 (RFC 8446 §4.2.1), after which all is encrypted.
  private static func is13(_ bytes: Span<UInt8>, _ hello: inout ByteCursor) throws(WireError) -> Bool {
    try hello.skip(34)
    _ = try hello.structure8(bytes)
    try hello.skip(3)
    guard !hello.isAtEnd else { return false }
    var extensions = try hello.structure16(bytes)
    while !extensions.isAtEnd {
      let type = try extensions.uint16(bytes)
      var data = try extensions.structure16(bytes)
      if type == 43 { return TLSVersion(rawValue: try data.uint16(bytes)).is13 }
    }
    return false
  }
}

extension WireError.Reason {
  public static let noCertificate = Self(rawValue: "no certificate in the clear")
}
