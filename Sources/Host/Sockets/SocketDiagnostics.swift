public import EgressModel
internal import Glibc

/// Asks the kernel for sockets through NETLINK_SOCK_DIAG ([sock_diag(7)](https://man7.org/linux/man-pages/man7/sock_diag.7.html)).
///
/// Sees the network namespace that it was made in. Needs no privilege to list; one owner uses one object.
public final class SocketDiagnostics {
  private var netlink: NetlinkSocket

  public init() throws(HostError) {
    netlink = try NetlinkSocket(.socketDiagnostics, what: "sockets")
  }

  /// Every socket of one transport, IPv4 and IPv6; empty for a transport that the kernel does not list here.
  public func dump(_ transport: Transport) throws(HostError) -> [SocketEntry] {
    var entries: [SocketEntry] = []
    for family in [AF_INET, AF_INET6] {
      let request = Self.request(family: UInt8(family), transport: transport, pair: nil)
      _ = try netlink.ask(type: Self.byFamily, dump: true, payload: request, what: "\(transport) sockets") { message in
        if message.type == Self.byFamily, let entry = SocketEntry(diagnosticMessage: message.payload, transport: transport) {
          entries.append(entry)
        }
      }
    }
    return entries
  }

  /// The socket that the kernel would hand a packet of this conversation to; nil when there is none.
  ///
  /// Much cheaper than a listing. When several sockets share a port it names one of them: certain only for a connected socket.
  public func lookup(_ pair: SocketPair) throws(HostError) -> SocketEntry? {
    let family = UInt8(pair.local.ip.isV4 && pair.remote.ip.isV4 ? AF_INET : AF_INET6)
    let request = Self.request(family: family, transport: pair.transport, pair: pair)
    var entry: SocketEntry?
    _ = try netlink.ask(type: Self.byFamily, dump: false, payload: request, what: "the socket of \(pair.local)") { message in
      if message.type == Self.byFamily { entry = SocketEntry(diagnosticMessage: message.payload, transport: pair.transport) }
    }
    return entry
  }

  static let byFamily: UInt16 = 20

  /// `struct inet_diag_req_v2`, 56 octets.
  static func request(family: UInt8, transport: Transport, pair: SocketPair?) -> [UInt8] {
    // TIME_WAIT has no owner any more, so it is not asked for; the bits are those of TCP's states.
    let states: UInt32 = transport == .udp ? .max : .max & ~(1 << UInt32(SocketEntry.State.timeWait.rawValue))
    var request: [UInt8] = [family, transport.rawValue, 0, 0] + states.hostOctets
    if let pair {
      // For UDP the kernel takes the two ends the other way round, "for historical reasons" (net/ipv4/udp_diag.c).
      let (first, second) = transport == .udp ? (pair.remote, pair.local) : (pair.local, pair.remote)
      for port in [first.port ?? 0, second.port ?? 0] { request += [UInt8(port >> 8), UInt8(port & 255)] }
      for address in [first.ip, second.ip] { request += address.octets(in: family) }
    } else {
      request += [UInt8](repeating: 0, count: 36)
    }
    // Any interface; INET_DIAG_NOCOOKIE.
    return request + UInt32(0).hostOctets + UInt32.max.hostOctets + UInt32.max.hostOctets
  }
}

extension IPAddress {
  /// 16 octets as sock_diag has them: an IPv4 address in the first four, or all of an IPv6 one.
  func octets(in family: UInt8) -> [UInt8] {
    let all = [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    return family == UInt8(AF_INET) ? Array(all[12...]) + [UInt8](repeating: 0, count: 12) : all
  }
}

extension SocketEntry {
  /// Reads `struct inet_diag_msg`, 72 octets, and the attributes behind it; nil when it is too short or of another family.
  init?(diagnosticMessage payload: ArraySlice<UInt8>, transport: Transport) {
    guard payload.count >= 72, let family = payload.first, let state = payload.number(UInt8.self, at: 1),
      let uid = payload.number(UInt32.self, at: 64), let inode = payload.number(UInt32.self, at: 68),
      family == UInt8(AF_INET) || family == UInt8(AF_INET6)
    else { return nil }
    func bigEndian(_ offset: Int, _ count: Int) -> UInt64 {
      payload.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
    func address(_ offset: Int) -> IPAddress {
      family == UInt8(AF_INET)
        ? IPAddress(v4: UInt32(bigEndian(offset, 4))) : IPAddress(high: bigEndian(offset, 8), low: bigEndian(offset + 8, 8))
    }
    let attributes = NetlinkMessage.attributes(in: payload, from: 72)
    self.init(
      transport: transport, local: SocketAddress(ip: address(8), port: UInt16(bigEndian(4, 2))),
      remote: SocketAddress(ip: address(24), port: UInt16(bigEndian(6, 2))), state: State(rawValue: state), inode: UInt64(inode), uid: uid,
      cgroup: attributes[Self.cgroupAttribute]?.number(UInt64.self, at: 0), isV6: family == UInt8(AF_INET6),
      isV6Only: attributes[Self.v6OnlyAttribute]?.first == 1)
  }

  /// INET_DIAG_CGROUP_ID and INET_DIAG_SKV6ONLY of linux/inet_diag.h.
  private static let cgroupAttribute: UInt16 = 21
  private static let v6OnlyAttribute: UInt16 = 11
}
