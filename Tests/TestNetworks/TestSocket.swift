internal import Glibc

/// A UDP or TCP socket on IPv4 or IPv6, as plain as the system has it, for tests to make traffic and owners with.
public final class TestSocket: Sendable {
  public struct Failed: Error, CustomStringConvertible {
    public let description: String
  }
  public enum Kind: Sendable { case tcp, udp }

  public let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  public init(_ kind: Kind, v6: Bool = false, reusePort: Bool = false) throws {
    let type = Int32(kind == .tcp ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
    descriptor = socket(v6 ? AF_INET6 : AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Self.failure("socket") }
    var one: Int32 = 1
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    if reusePort { unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, 4) }
  }

  deinit { _ = Glibc.close(descriptor) }

  public func bind(_ address: String, _ port: UInt16) throws {
    try unsafe Self.with(address, port) { unsafe Glibc.bind(descriptor, $0, $1) } orThrow: { "bind \(address):\(port)" }
  }

  public func connect(_ address: String, _ port: UInt16) throws {
    try unsafe Self.with(address, port) { unsafe Glibc.connect(descriptor, $0, $1) } orThrow: { "connect \(address):\(port)" }
  }

  public func send(_ octets: [UInt8], to address: String, _ port: UInt16) throws {
    try unsafe Self.with(address, port) { target, length in
      unsafe octets.withUnsafeBytes { unsafe Int32(sendto(descriptor, $0.baseAddress, $0.count, 0, target, length)) }
    } orThrow: { "send to \(address):\(port)" }
  }

  public func listen() throws {
    guard Glibc.listen(descriptor, 16) == 0 else { throw Self.failure("listen") }
  }

  public func accept() throws -> TestSocket {
    let accepted = Glibc.accept(descriptor, nil, nil)
    guard accepted >= 0 else { throw Self.failure("accept") }
    return TestSocket(descriptor: accepted)
  }

  public var localPort: UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    _ = unsafe withUnsafeMutablePointer(to: &storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
    }
    // Both families have the port right after the family.
    return unsafe withUnsafeBytes(of: &storage) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
  }

  /// Sends one frame as it is, link header included.
  public static func sendFrame(_ octets: [UInt8], on interface: String) throws {
    let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0)
    defer { _ = Glibc.close(descriptor) }
    let index = unsafe if_nametoindex(interface)
    // struct sockaddr_ll: family, protocol, interface, hardware type, packet type, address.
    var address = [UInt8](repeating: 0, count: 20)
    address[0] = UInt8(AF_PACKET)
    for byte in 0..<4 { address[4 + byte] = UInt8(truncatingIfNeeded: index >> (8 * byte)) }
    let sent = unsafe address.withUnsafeBytes { address in
      let target = unsafe address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return unsafe octets.withUnsafeBytes { unsafe sendto(descriptor, $0.baseAddress, $0.count, 0, target, 20) }
    }
    guard sent == octets.count else { throw failure("send a frame on \(interface)") }
  }

  private static func failure(_ what: String) -> Failed { unsafe Failed(description: "\(what): \(String(cString: strerror(errno)))") }

  private static func with(
    _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32, orThrow what: () -> String
  ) throws {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(address, String(port), &hints, &list) == 0, let first = unsafe list else { throw failure("parse \(address)") }
    defer { unsafe freeaddrinfo(list) }
    guard unsafe body(first.pointee.ai_addr, first.pointee.ai_addrlen) >= 0 else { throw failure(what()) }
  }
}
