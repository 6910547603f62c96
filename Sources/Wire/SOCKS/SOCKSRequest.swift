public import EgressModel

/// What a SOCKS client asks for, versions 4, 4a ([SOCKS 4](https://www.openssh.org/txt/socks4.protocol)) and 5
/// ([RFC 1928](https://www.rfc-editor.org/rfc/rfc1928)).
///
/// ```
/// 4   | 4 | command | port (2) | IPv4 (4) | user … 0 |          4a: an address of 0.0.0.x, and then | name … 0 |
/// 5   | 5 | n | methods (n) |                                   greeting
///     | 1 | n | user (n) | m | password (m) |                   with RFC 1929, when the server chose it
///     | 5 | command | 0 | type | address | port (2) |           request
/// ```
/// Everything is in what the client says: whether it authenticated stands in its next octet. User names and passwords are passed over.
public struct SOCKSRequest: Hashable, Sendable {
  public enum Command: UInt8, Sendable {
    case connect = 1
    case bind = 2
    case associate = 3
  }

  public var kind: ProxyTarget.Kind
  public var command: Command
  public var host: ClaimedHost
  public var port: UInt16
  /// Octets up to and with the request; what is said to the target begins there.
  public var byteCount: Int

  /// A user name of version 4 that is believed, in octets.
  public static let maximumUserLength = 255

  /// Where the client wants to go; nil when that is no host, or the client wants to be connected to.
  public var proxyTarget: ProxyTarget? {
    guard command == .connect else { return nil }
    switch host {
    case .name(let name): return ProxyTarget(kind: kind, target: name, port: port)
    case .address(let address): return ProxyTarget(kind: kind, target: DomainName(presentation: address.description), port: port)
    case .invalid: return nil
    }
  }

  /// The request in what the client said from the start of its stream.
  public static func request(in bytes: Span<UInt8>) -> StreamResult<SOCKSRequest> {
    guard bytes.count > 0 else { return .needMore(atLeast: 1) }
    switch bytes[0] {
    case 4: return version4(bytes)
    case 5: return version5(bytes)
    default: return .other(.notSOCKS)
    }
  }

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    switch request(in: bytes) {
    case .found(let request):
      // What follows a BIND or an ASSOCIATE does not go where the request says; what goes to a target that cannot be read would name the proxy.
      .found(StreamOpening(.socks, proxy: request.proxyTarget, byteCount: request.proxyTarget == nil ? nil : request.byteCount))
    case .needMore(let count): .needMore(atLeast: count)
    case .other(let reason): .other(reason)
    }
  }

  private static func version4(_ bytes: Span<UInt8>) -> StreamResult<SOCKSRequest> {
    if bytes.count > 1, bytes[1] != 1, bytes[1] != 2 { return .other(.notSOCKS) }
    guard bytes.count > 8 else { return .needMore(atLeast: 9) }
    guard let command = Command(rawValue: bytes[1]) else { return .other(.notSOCKS) }
    let port = bytes.uint16(at: 2)
    let address = bytes.uint32(at: 4)
    // Every other protocol whose first octets are 4 and 1 is told apart by these, or by the user's name.
    guard port > 0, address > 0 else { return .other(.notSOCKS) }
    switch text(bytes, from: 8, limit: maximumUserLength) {
    case .needMore(let count): return .needMore(atLeast: count)
    case .other(let reason): return .other(reason)
    case .found(let userEnd):
      guard address < 0x100 else {
        return .found(
          SOCKSRequest(kind: .socks4, command: command, host: .address(IPAddress(v4: address)), port: port, byteCount: userEnd + 1))
      }
      switch text(bytes, from: userEnd + 1, limit: ClaimedHost.maximumByteCount) {
      case .needMore(let count): return .needMore(atLeast: count)
      case .other(let reason): return .other(reason)
      case .found(let end):
        let host = ClaimedHost(bytes, in: userEnd + 1..<end)
        return .found(SOCKSRequest(kind: .socks4a, command: command, host: host, port: port, byteCount: end + 1))
      }
    }
  }

  /// Where the text that begins at `start` ends in 0.
  private static func text(_ bytes: Span<UInt8>, from start: Int, limit: Int) -> StreamResult<Int> {
    for index in start..<max(start, bytes.count) {
      if bytes[index] == 0 { return .found(index) }
      guard index - start < limit, (0x20...0x7e).contains(bytes[index]) else { return .other(.notSOCKS) }
    }
    return .needMore(atLeast: max(start, bytes.count) + 1)
  }

  private static func version5(_ bytes: Span<UInt8>) -> StreamResult<SOCKSRequest> {
    guard bytes.count > 1 else { return .needMore(atLeast: 2) }
    let methodsEnd = 2 + Int(bytes[1])
    // 0xff is how a server says that none will do.
    for index in 2..<max(2, min(methodsEnd, bytes.count)) where bytes[index] == 0xff { return .other(.notSOCKS) }
    guard methodsEnd > 2 else { return .other(.notSOCKS) }
    var start = methodsEnd
    guard bytes.count > start else { return .needMore(atLeast: start + 1) }
    if bytes[start] == 1 {
      guard bytes.count > start + 1 else { return .needMore(atLeast: start + 2) }
      let userEnd = start + 2 + Int(bytes[start + 1])
      guard bytes.count > userEnd else { return .needMore(atLeast: userEnd + 1) }
      start = userEnd + 1 + Int(bytes[userEnd])
      guard bytes.count > start else { return .needMore(atLeast: start + 1) }
    }
    guard bytes[start] == 5 else { return .other(.notSOCKS) }
    if bytes.count > start + 1, Command(rawValue: bytes[start + 1]) == nil { return .other(.notSOCKS) }
    if bytes.count > start + 2, bytes[start + 2] != 0 { return .other(.notSOCKS) }
    // The shortest address is a name of one octet.
    guard bytes.count > start + 4 else { return .needMore(atLeast: start + 5) }
    guard let command = Command(rawValue: bytes[start + 1]) else { return .other(.notSOCKS) }
    let address: Range<Int>
    switch bytes[start + 3] {
    case 1: address = start + 4..<start + 8
    case 3: address = start + 5..<start + 5 + Int(bytes[start + 4])
    case 4: address = start + 4..<start + 20
    default: return .other(.notSOCKS)
    }
    guard bytes.count >= address.upperBound + 2 else { return .needMore(atLeast: address.upperBound + 2) }
    let host: ClaimedHost =
      switch bytes[start + 3] {
      case 1: .address(IPAddress(v4: bytes.uint32(at: address.lowerBound)))
      case 4: .address(IPAddress(bytes, v6At: address.lowerBound))
      default: ClaimedHost(bytes, in: address)
      }
    return .found(
      SOCKSRequest(
        kind: .socks5, command: command, host: host, port: bytes.uint16(at: address.upperBound), byteCount: address.upperBound + 2))
  }
}

extension IPAddress {
  /// The sixteen octets at `offset`; they must be there.
  init(_ bytes: Span<UInt8>, v6At offset: Int) {
    self.init(
      high: UInt64(bytes.uint32(at: offset)) << 32 | UInt64(bytes.uint32(at: offset + 4)),
      low: UInt64(bytes.uint32(at: offset + 8)) << 32 | UInt64(bytes.uint32(at: offset + 12)))
  }
}

extension WireError.Reason {
  public static let notSOCKS = Self(rawValue: "not a SOCKS request")
}
