public import EgressModel

/// The names in an X.509 certificate ([RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
///
/// ```
/// SEQUENCE { SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, key, …, [3] SEQUENCE OF extension }, … }
/// ```
/// Read by a cursor that only moves forward, element by element, without recursion. Nothing is verified: whoever sends a certificate may
/// have made it.
public enum CertificateNames {
  /// Names kept of one certificate; some have hundreds.
  public static let maximumCount = 16

  /// The dNSNames of the subjectAltName; without any, the subject's common name when it is a host name of several labels (RFC 6125 §6.4.4).
  public static func hosts(in certificate: Span<UInt8>) throws(WireError) -> [DomainName] {
    var outer = ByteCursor(certificate, layer: .x509)
    var whole = try outer.element(certificate, tag: 0x30)
    var body = try whole.element(certificate, tag: 0x30)
    try body.skipElement(certificate, tag: 0xa0)
    // Serial number, algorithm, issuer, validity.
    for tag in [0x02, 0x30, 0x30, 0x30] as [UInt8] { _ = try body.element(certificate, tag: tag) }
    let subject = try body.element(certificate, tag: 0x30)
    _ = try body.element(certificate, tag: 0x30)
    try body.skipElement(certificate, tag: 0x81)
    try body.skipElement(certificate, tag: 0x82)
    if !body.isAtEnd {
      var extensions = try body.element(certificate, tag: 0xa3)
      if let names = try alternativeNames(certificate, &extensions), !names.isEmpty { return names }
    }
    return try commonName(certificate, subject).map { [$0] } ?? []
  }

  private static func alternativeNames(_ bytes: Span<UInt8>, _ extensions: inout ByteCursor) throws(WireError) -> [DomainName]? {
    var list = try extensions.element(bytes, tag: 0x30)
    while !list.isAtEnd {
      var item = try list.element(bytes, tag: 0x30)
      let type = try item.element(bytes, tag: 0x06)
      try item.skipElement(bytes, tag: 0x01)
      var value = try item.element(bytes, tag: 0x04)
      guard isIdentifier(bytes, type, [0x55, 0x1d, 0x11]) else { continue }
      var names = try value.element(bytes, tag: 0x30)
      var hosts: [DomainName] = []
      while !names.isAtEnd, hosts.count < maximumCount {
        let (tag, name) = try names.anyElement(bytes)
        if tag == 0x82, let host = ClaimedHost(bytes, in: name.offset..<name.end).name, !hosts.contains(host) { hosts.append(host) }
      }
      return hosts
    }
    return nil
  }

  private static func commonName(_ bytes: Span<UInt8>, _ subject: ByteCursor) throws(WireError) -> DomainName? {
    var subject = subject
    while !subject.isAtEnd {
      var set = try subject.element(bytes, tag: 0x31)
      while !set.isAtEnd {
        var pair = try set.element(bytes, tag: 0x30)
        let type = try pair.element(bytes, tag: 0x06)
        let (tag, value) = try pair.anyElement(bytes)
        // UTF8String, PrintableString, TeletexString, IA5String.
        guard isIdentifier(bytes, type, [0x55, 0x04, 0x03]), [0x0c, 0x13, 0x14, 0x16].contains(tag) else { continue }
        if let host = ClaimedHost(bytes, in: value.offset..<value.end).name, host.labels.count > 1 { return host }
      }
    }
    return nil
  }

  private static func isIdentifier(_ bytes: Span<UInt8>, _ element: ByteCursor, _ identifier: [UInt8]) -> Bool {
    element.remaining == identifier.count && identifier.indices.allSatisfy { bytes[element.offset + $0] == identifier[$0] }
  }
}

extension ByteCursor {
  /// The content of the next element, which must have this tag.
  fileprivate mutating func element(_ bytes: Span<UInt8>, tag: UInt8) throws(WireError) -> ByteCursor {
    let (found, content) = try anyElement(bytes)
    guard found == tag else { throw malformed(.unexpectedElement) }
    return content
  }

  /// Steps over the next element if it has this tag.
  fileprivate mutating func skipElement(_ bytes: Span<UInt8>, tag: UInt8) throws(WireError) {
    if !isAtEnd, bytes[offset] == tag { _ = try anyElement(bytes) }
  }

  fileprivate mutating func anyElement(_ bytes: Span<UInt8>) throws(WireError) -> (tag: UInt8, content: ByteCursor) {
    let tag = try uint8(bytes)
    let length = try berLength(bytes)
    return (tag, try structure(length))
  }
}

extension WireError.Reason {
  public static let unexpectedElement = Self(rawValue: "another element than the certificate must have here")
}
