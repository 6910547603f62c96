public import EgressModel

/// A route of the main table of the calling thread's network namespace, from `net/route` and `net/ipv6_route` in `/proc/thread-self` ([proc_pid_net(5)](https://man7.org/linux/man-pages/man5/proc_pid_net.5.html)).
public struct Route: Hashable, Sendable {
  public var interface: String
  public var destination: IPPrefix
  /// Whether another router is next.
  public var hasGateway: Bool

  public init(interface: String, destination: IPPrefix, hasGateway: Bool) {
    self.interface = interface
    self.destination = destination
    self.hasGateway = hasGateway
  }

  public var isDefault: Bool { destination.length == 0 }

  /// A router of the internet has a million; nothing is looked for among so many.
  private static let limit = 1 << 20

  /// Those that lead out of this host or to what is behind it.
  public static func all() -> [Route] {
    func lines(_ path: String) -> [Substring] { (try? TextFile.read(path, limit: limit))?.split(separator: "\n") ?? [] }
    return lines("/proc/thread-self/net/route").compactMap(Route.init(v4:)) + lines("/proc/thread-self/net/ipv6_route").compactMap(Route.init(v6:)).filter { $0.interface != "lo" }
  }

  /// Interface, destination, gateway, flags, three counts, mask …: numbers of 32 bits as the processor has them, in hexadecimal.
  init?(v4 line: Substring) {
    let fields = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
    guard fields.count > 7, let destination = UInt32(fields[1], radix: 16), let gateway = UInt32(fields[2], radix: 16), let mask = UInt32(fields[7], radix: 16),
      let prefix = IPPrefix(IPAddress(v4: UInt32(bigEndian: destination)), length: mask.nonzeroBitCount)
    else { return nil }
    self.init(interface: String(fields[0]), destination: prefix, hasGateway: gateway != 0)
  }

  /// Destination, its length, source, its length, gateway, four numbers, interface: addresses as 32 digits, numbers in hexadecimal.
  init?(v6 line: Substring) {
    func half(_ text: Substring) -> UInt64? { UInt64(text, radix: 16) }
    let fields = line.split(separator: " ")
    guard fields.count > 9, fields[0].utf8.count == 32, let high = half(fields[0].prefix(16)), let low = half(fields[0].suffix(16)),
      let length = Int(fields[1], radix: 16), let prefix = IPPrefix(IPAddress(high: high, low: low), length: length)
    else { return nil }
    self.init(interface: String(fields[9]), destination: prefix, hasGateway: fields[4].contains { $0 != "0" })
  }
}
