import EgressModel
import Wire

/// What the first octets of a stream are, whatever its port.
enum NameSniffer {
  /// What was said.
  enum Speech {
    case tls(ClientHello)
    case quic(ClientHello)
    case dtls(ClientHello)
    case http(HTTPRequestHead)
    /// An SSH identification ([RFC 4253 §4.2](https://www.rfc-editor.org/rfc/rfc4253#section-4.2)); both sides send one.
    case ssh
    /// Another protocol, or the way into a tunnel.
    case opening(StreamOpening)

    /// Octets after which the same side may begin anew: inside a tunnel, or after an upgrade to TLS.
    var byteCount: Int? {
      switch self {
      case .tls, .quic, .dtls, .ssh: nil
      // What goes to a target that cannot be read would name the proxy.
      case .http(let head): head.isConnect && head.proxyTarget != nil ? head.byteCount : nil
      case .opening(let opening): opening.byteCount
      }
    }
  }

  /// Judges all that one side said so far.
  ///
  /// - Parameters:
  ///   - progress: kept with the stream.
  ///   - isMidway: the octets may be from the middle of something. Few octets of a binary protocol are then not waited upon.
  ///   - isComplete: nothing more will come, so what can be told from a part is told.
  static func judge(
    _ prefix: Span<UInt8>, resuming progress: inout HTTPRequest.Progress, isMidway: Bool = false, isComplete: Bool = false
  ) -> StreamResult<Speech> {
    guard prefix.count > 0 else { return .needMore(atLeast: 1) }
    let first = prefix[0]
    // A handshake record, or the two-octet header of SSL 2.
    if first == 22 || first & 0x80 != 0 {
      switch TLSStream.clientHello(in: prefix) {
      case .found(let hello): return .found(.tls(hello))
      case .needMore(let count): return .needMore(atLeast: count)
      case .other(let reason): return opening(prefix, isMidway, isComplete, else: reason)
      }
    }
    if first == UInt8(ascii: "S"), isSSH(prefix) {
      return prefix.count < 4 ? .needMore(atLeast: 4) : .found(.ssh)
    }
    switch HTTPRequest.head(in: prefix, resuming: &progress, isComplete: isComplete) {
    case .found(let head): return .found(.http(head))
    case .needMore(let count): return .needMore(atLeast: count)
    case .other(.http2Preface):
      switch HTTP2Request.head(in: prefix) {
      case .found(let head): return .found(.http(head))
      case .needMore(let count): return .needMore(atLeast: count)
      case .other(let reason): return .other(reason)
      }
    case .other(let reason): return opening(prefix, isMidway, isComplete, else: reason)
    }
  }

  @inline(never)
  private static func opening(
    _ prefix: Span<UInt8>, _ isMidway: Bool, _ isComplete: Bool, else reason: WireError.Reason
  ) -> StreamResult<Speech> {
    switch StreamOpening.first(in: prefix, isComplete: isComplete) {
    case .found(let opening): .found(.opening(opening))
    case .needMore(let count): isMidway ? .other(reason) : .needMore(atLeast: count)
    case .other: .other(reason)
    }
  }

  private static func isSSH(_ prefix: Span<UInt8>) -> Bool {
    guard prefix.count > 1 else { return false }
    return prefix[1] == UInt8(ascii: "S") && (prefix.count < 3 || prefix[2] == UInt8(ascii: "H"))
      && (prefix.count < 4 || prefix[3] == UInt8(ascii: "-"))
  }
}
