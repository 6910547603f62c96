internal import CPcap
public import EgressModel
internal import Glibc

/// An interface that can be captured on, as libpcap lists it.
public struct NetworkInterface: Hashable, Sendable {
  public var name: String
  public var addresses: [IPAddress]
  public var isUp: Bool
  public var isRunning: Bool
  public var isLoopback: Bool

  public init(name: String, addresses: [IPAddress] = [], isUp: Bool, isRunning: Bool, isLoopback: Bool) {
    self.name = name
    self.addresses = addresses
    self.isUp = isUp
    self.isRunning = isRunning
    self.isLoopback = isLoopback
  }

  /// Every network interface of this network namespace, by name; empty when they cannot be listed.
  ///
  /// Needs no privilege. Other devices that libpcap lists (`any`, `nflog`, USB, Bluetooth) are left out.
  public static func all() -> [NetworkInterface] {
    var first: UnsafeMutablePointer<pcap_if_t>?
    var reason: [CChar] = Array(repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard unsafe pcap_findalldevs(&first, &reason) == 0 else { return [] }
    defer { unsafe pcap_freealldevs(first) }
    var interfaces: [NetworkInterface] = []
    // The list is libpcap's until it is freed above; nothing of it leaves this function uncopied.
    var next = unsafe first
    while let device = unsafe next {
      unsafe next = device.pointee.next
      let name = unsafe String(cString: device.pointee.name)
      guard unsafe if_nametoindex(name) != 0 else { continue }
      var addresses: [IPAddress] = []
      var address = unsafe device.pointee.addresses
      while let entry = unsafe address {
        if let ip = unsafe IPAddress(entry.pointee.addr) { addresses.append(ip) }
        unsafe address = entry.pointee.next
      }
      let flags = unsafe device.pointee.flags
      interfaces.append(
        NetworkInterface(
          name: name, addresses: addresses, isUp: flags & UInt32(PCAP_IF_UP) != 0, isRunning: flags & UInt32(PCAP_IF_RUNNING) != 0,
          isLoopback: flags & UInt32(PCAP_IF_LOOPBACK) != 0))
    }
    return interfaces.sorted { $0.name < $1.name }
  }
}

extension IPAddress {
  /// The address of a `sockaddr_in` or `sockaddr_in6`; nil for any other family.
  init?(_ address: UnsafeMutablePointer<sockaddr>?) {
    guard let address = unsafe address else { return nil }
    // The family says which of the two structures the memory holds (socket(7)).
    switch unsafe Int32(address.pointee.sa_family) {
    case AF_INET:
      unsafe self.init(v4: UInt32(bigEndian: UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
    case AF_INET6:
      let octets = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr.__in6_u.__u6_addr32
      func word(_ high: UInt32, _ low: UInt32) -> UInt64 { UInt64(UInt32(bigEndian: high)) << 32 | UInt64(UInt32(bigEndian: low)) }
      self.init(high: word(octets.0, octets.1), low: word(octets.2, octets.3))
    default: return nil
    }
  }
}
