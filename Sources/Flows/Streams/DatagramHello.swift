import Wire

/// A hello over UDP, as far as one side of a flow said it.
enum DatagramHello: Sendable {
  case quic(QUICClientInitials)
  case dtls(DTLSClientHello)

  /// Nil when no hello begins with this datagram.
  init?(beginning datagram: Span<UInt8>) {
    if QUICClientInitials.mayBegin(datagram) {
      self = .quic(QUICClientInitials())
    } else if DTLSClientHello.mayBegin(datagram) {
      self = .dtls(DTLSClientHello())
    } else {
      return nil
    }
  }

  /// Octets of the hello that are held.
  var byteCount: Int {
    switch self {
    case .quic(let initials): initials.byteCount
    case .dtls(let hello): hello.byteCount
    }
  }

  /// Whether something of it could be read, so that it certainly is a client's.
  var isOpened: Bool {
    switch self {
    case .quic(let initials): initials.version != nil
    case .dtls(let hello): hello.byteCount > 0
    }
  }

  /// Takes the next datagram. `needMore` counts octets of the hello.
  mutating func feed(_ datagram: Span<UInt8>, isCut: Bool) -> StreamResult<NameSniffer.Speech> {
    switch self {
    case .quic(var initials):
      defer { self = .quic(initials) }
      switch initials.feed(datagram: datagram, isCut: isCut) {
      case .found(let hello): return .found(.quic(hello))
      case .needMore(let count): return .needMore(atLeast: count)
      case .other(let reason): return .other(reason)
      }
    case .dtls(var handshake):
      defer { self = .dtls(handshake) }
      switch handshake.feed(datagram: datagram) {
      case .found(let hello): return .found(.dtls(hello))
      case .needMore(let count): return .needMore(atLeast: count)
      case .other(let reason): return .other(reason)
      }
    }
  }
}
