public import EgressModel

/// The header with which a proxy tells a server who its client is
/// ([PROXY protocol, versions 1 and 2](https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt)).
///
/// ```
/// 1   PROXY TCP4 192.0.2.1 203.0.113.10 50000 443 CR LF
/// 2   0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a | 2, command | family, transport | length (2) | addresses | TLVs
/// ```
public struct ProxyHeader: Hashable, Sendable {
  /// Where the proxy's client came from and wanted to go; nil when the proxy speaks for itself or does not say.
  public var source: SocketAddress?
  public var destination: SocketAddress?
  /// Octets up to and with the header; what the client says begins there.
  public var byteCount: Int

  /// The longest header of version 1, in octets, with its line end.
  public static let maximumLineLength = 107
  /// The longest header of version 2 that is read, in octets: addresses, and TLVs with a client's certificate.
  public static let maximumByteCount = 16 + 16_384

  private static let signature = "\r\n\r\n\0\r\nQUIT\n"

  /// The header at the start of a stream.
  public static func header(in bytes: Span<UInt8>) -> StreamResult<ProxyHeader> {
    guard bytes.count > 0 else { return .needMore(atLeast: 1) }
    if bytes.mayBegin(with: signature) { return version2(bytes) }
    return bytes.mayBegin(with: "PROXY ") ? version1(bytes) : .other(.notProxyHeader)
  }

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    switch header(in: bytes) {
    case .found(let header):
      let target: ProxyTarget? = header.destination.flatMap { destination in
        destination.ip.isUnspecified
          ? nil : ProxyTarget(kind: .proxyProtocol, target: DomainName(presentation: destination.ip.description), port: destination.port)
      }
      return .found(StreamOpening(proxy: target, byteCount: header.byteCount))
    case .needMore(let count): return .needMore(atLeast: count)
    case .other(let reason): return .other(reason)
    }
  }

  private static func version1(_ bytes: Span<UInt8>) -> StreamResult<ProxyHeader> {
    for index in 0..<min(bytes.count, maximumLineLength) {
      switch bytes[index] {
      case UInt8(ascii: "\n"):
        guard bytes[index - 1] == UInt8(ascii: "\r") else { return .other(.notProxyHeader) }
        return line(bytes, in: 6..<index - 1).map { .found($0) } ?? .other(.notProxyHeader)
      case UInt8(ascii: "\r"), 0x20...0x7e: break
      default: return .other(.notProxyHeader)
      }
    }
    return bytes.count < maximumLineLength ? .needMore(atLeast: bytes.count + 1) : .other(.notProxyHeader)
  }

  /// What stands between `PROXY ` and the line end.
  private static func line(_ bytes: Span<UInt8>, in range: Range<Int>) -> ProxyHeader? {
    guard range.lowerBound < range.upperBound else { return nil }
    let fields = String(decoding: [UInt8](copying: bytes, in: range), as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    let byteCount = range.upperBound + 2
    if fields[0] == "UNKNOWN" { return ProxyHeader(byteCount: byteCount) }
    guard fields.count == 5, fields[0] == "TCP4" || fields[0] == "TCP6", let source = IPAddress(String(fields[1])),
      let destination = IPAddress(String(fields[2])), source.isV4 == (fields[0] == "TCP4"), destination.isV4 == source.isV4,
      let sourcePort = UInt16(fields[3]), let destinationPort = UInt16(fields[4])
    else { return nil }
    return ProxyHeader(
      source: SocketAddress(ip: source, port: sourcePort), destination: SocketAddress(ip: destination, port: destinationPort),
      byteCount: byteCount)
  }

  private static func version2(_ bytes: Span<UInt8>) -> StreamResult<ProxyHeader> {
    if bytes.count > 12, bytes[12] != 0x20, bytes[12] != 0x21 { return .other(.notProxyHeader) }
    guard bytes.count >= 16 else { return .needMore(atLeast: 16) }
    let byteCount = 16 + Int(bytes.uint16(at: 14))
    guard byteCount <= maximumByteCount else { return .other(.overLimit) }
    guard bytes.count >= byteCount else { return .needMore(atLeast: byteCount) }
    // Command 0 is the proxy itself, checking on the server.
    guard bytes[12] == 0x21 else { return .found(ProxyHeader(byteCount: byteCount)) }
    switch bytes[13] {
    case 0x11, 0x12:
      guard byteCount >= 28 else { return .other(.lengthOverrun) }
      return .found(
        ProxyHeader(
          source: SocketAddress(ip: IPAddress(v4: bytes.uint32(at: 16)), port: bytes.uint16(at: 24)),
          destination: SocketAddress(ip: IPAddress(v4: bytes.uint32(at: 20)), port: bytes.uint16(at: 26)), byteCount: byteCount))
    case 0x21, 0x22:
      guard byteCount >= 52 else { return .other(.lengthOverrun) }
      return .found(
        ProxyHeader(
          source: SocketAddress(ip: IPAddress(bytes, v6At: 16), port: bytes.uint16(at: 48)),
          destination: SocketAddress(ip: IPAddress(bytes, v6At: 32), port: bytes.uint16(at: 50)), byteCount: byteCount))
    default:
      return .found(ProxyHeader(byteCount: byteCount))
    }
  }
}

extension WireError.Reason {
  public static let notProxyHeader = Self(rawValue: "not a PROXY protocol header")
}
