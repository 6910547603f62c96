public import EgressModel
internal import Glibc

/// An address that this host (this network namespace) has on one of its interfaces.
public struct LocalAddress: Hashable, Sendable {
  public var interface: String
  public var address: IPAddress
  /// The subnet the address lies in.
  public var prefix: IPPrefix

  public init(interface: String, address: IPAddress, prefix: IPPrefix) {
    self.interface = interface
    self.address = address
    self.prefix = prefix
  }

  /// All of them now, loopback included, in a stable order.
  public static func all() throws(HostError) -> [LocalAddress] {
    try InterfaceAddresses.list().compactMap { entry in
      guard let address = entry.address, let length = entry.prefixLength, let prefix = IPPrefix(address, length: length) else { return nil }
      return LocalAddress(interface: entry.name, address: address, prefix: prefix)
    }.sorted { ($0.interface, $0.address) < ($1.interface, $1.address) }
  }
}

/// This host's name, as `hostname` prints it.
public func hostname() -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  guard unsafe gethostname(&buffer, buffer.count) == 0 else { return "localhost" }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// What getifaddrs(3) lists: one entry for each link and one for each address.
enum InterfaceAddresses {
  struct Entry {
    var name: String
    var flags: UInt32
    var isLink: Bool
    var address: IPAddress?
    var prefixLength: Int?
  }

  static func list() throws(HostError) -> [Entry] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&first) == 0 else { throw .netlink(what: "interfaces", cause: lastSystemError) }
    defer { unsafe freeifaddrs(first) }
    var entries: [Entry] = []
    // The list is libc's until it is freed above; nothing of it leaves this function uncopied.
    var next = unsafe first
    while let entry = unsafe next {
      unsafe next = entry.pointee.ifa_next
      let octets = unsafe Self.octets(of: entry.pointee.ifa_addr)
      let mask = unsafe octets == nil ? nil : Self.octets(of: entry.pointee.ifa_netmask)
      entries.append(
        Entry(
          name: unsafe String(cString: entry.pointee.ifa_name), flags: unsafe entry.pointee.ifa_flags,
          isLink: unsafe entry.pointee.ifa_addr.map { unsafe Int32($0.pointee.sa_family) == AF_PACKET } ?? false,
          address: octets.map(IPAddress.init(networkOrder:)), prefixLength: mask.map { $0.reduce(0) { $0 + $1.nonzeroBitCount } }))
    }
    return entries
  }

  /// The address in a `sockaddr_in` or `sockaddr_in6`: 4 or 16 octets.
  private static func octets(of address: UnsafeMutablePointer<sockaddr>?) -> [UInt8]? {
    guard let address = unsafe address else { return nil }
    let raw = UnsafeRawPointer(address)
    // The family says which structure the memory holds: the address is behind family and port, in IPv6 behind the flow label too.
    switch unsafe Int32(address.pointee.sa_family) {
    case AF_INET: return (4..<8).map { unsafe raw.load(fromByteOffset: $0, as: UInt8.self) }
    case AF_INET6: return (8..<24).map { unsafe raw.load(fromByteOffset: $0, as: UInt8.self) }
    default: return nil
    }
  }
}

extension IPAddress {
  /// From 4 or 16 octets.
  init(networkOrder octets: [UInt8]) {
    func number(_ octets: ArraySlice<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }
    self = octets.count == 4 ? IPAddress(v4: UInt32(number(octets[...]))) : IPAddress(high: number(octets[..<8]), low: number(octets[8...]))
  }
}
