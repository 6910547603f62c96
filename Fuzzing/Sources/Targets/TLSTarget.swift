import EgressModel
import Wire

/// What a client says over a stream, what a server says over a stream, a handshake message and a datagram, all by the same octets.
enum TLSTarget {
  static func run(_ bytes: Span<UInt8>) {
    if case .found(let hello) = Prefixes.check(bytes, { TLSStream.clientHello(in: $0) }) { check(hello) }
    if case .found(let names) = Prefixes.check(bytes, { ServerCertificate.names(in: $0) }) { check(names) }
    if let names = try? CertificateNames.hosts(in: bytes) { check(names) }
    handshake(bytes)

    var dtls = DTLSClientHello()
    _ = DTLSClientHello.mayBegin(bytes)
    // The same datagram again says nothing new.
    let first = dtls.feed(datagram: bytes)
    if case .found(let hello) = first {
      check(hello)
      demand(dtls.feed(datagram: bytes) == first, "a datagram that comes twice says the same")
    }
    // A cut anywhere, as records and fragments allow it.
    for length in Prefixes.lengths(bytes) {
      var parts = DTLSClientHello()
      _ = parts.feed(datagram: bytes.extracting(0..<length))
      _ = parts.feed(datagram: bytes.extracting(length...))
      demand(parts.byteCount <= ClientHello.maximumByteCount * 2, "what is held is bounded: \(parts.byteCount)")
    }
  }

  /// A message decodes the same however it is cut into records.
  private static func handshake(_ bytes: Span<UInt8>) {
    guard let hello = try? ClientHello(decodingHandshake: bytes) else { return }
    check(hello)
    let length = 4 + Int(bytes[1]) << 16 + Int(bytes[2]) << 8 + Int(bytes[3])
    demand(length <= bytes.count, "a message that was decoded is there")
    guard length <= 16_384 else { return }
    let message = (0..<length).map { bytes[$0] }
    for sizes in [[16_384], [1 + length / 3], [1, 2, 3, 50]] {
      let stream = HelloFixtures.records(message, sizes: sizes)
      demand(TLSStream.clientHello(in: stream.span) == .found(hello), "records of \(sizes) octets say the same")
    }
  }

  static func check(_ hello: ClientHello) {
    hello.serverName?.check()
    let facts = hello.facts
    demand(facts.alpn.allSatisfy { $0.utf8.allSatisfy { (0x21...0x7e).contains($0) } }, "protocol names are printable")
    for carrier in [ClientHello.Carrier.tcp, .quic] {
      // https://github.com/FoxIO-LLC/ja4: ten characters, and two hashes of twelve.
      let parts = hello.ja4(over: carrier).split(separator: "_", omittingEmptySubsequences: false).map(\.utf8.count)
      demand(parts == [10, 12, 12], "JA4 has its shape: \(hello.ja4(over: carrier))")
    }
  }

  private static func check(_ names: [DomainName]) {
    demand(names.count <= CertificateNames.maximumCount, "names are bounded")
    for name in names { name.check() }
  }
}
