import EgressModel
import Wire

private typealias Parts = FrameParts

/// What an IP packet is wrapped in: the outer packet starts with IPv4 from 10.0.0.1 to 203.0.113.10, or the same in IPv6.
struct Tunnel: CustomStringConvertible, Sendable {
  let description: String
  let names: [String]
  let wrap: @Sendable (_ packet: [UInt8], _ isV4: Bool) -> [UInt8]
  /// Which inner packets it can carry.
  var carriesV4 = true
  var carriesV6 = true
  /// The outer packet, as it is where the tunnel holds nothing that is read.
  let outer: Transport

  init(
    _ description: String, _ names: String, outer: Transport = .udp, v4: Bool = true, v6: Bool = true,
    _ wrap: @escaping @Sendable ([UInt8], Bool) -> [UInt8]
  ) {
    self.description = description
    self.names = names.split(separator: " ").map(String.init)
    self.outer = outer
    (carriesV4, carriesV6) = (v4, v6)
    self.wrap = wrap
  }

  static func udp(_ port: UInt16, _ payload: [UInt8], from source: UInt16 = 51_000) -> [UInt8] {
    Parts.ipv4(
      Parts.bigEndian(source) + Parts.bigEndian(port) + Parts.bigEndian(UInt16(8 + payload.count)) + [0, 0] + payload, protocol: 17)
  }

  static func gre(_ flags: [UInt8], _ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
    Parts.ipv4(flags + Parts.bigEndian(type) + payload, protocol: 47)
  }

  static func frame(_ packet: [UInt8], _ isV4: Bool) -> [UInt8] { Parts.ethernet(packet, type: Link.etherType(isV4)) }

  static let gre = Transport(rawValue: 47)

  static let all: [Tunnel] = [
    Tunnel("IPv4 in IPv4", "ipip", outer: Transport(rawValue: 4), v6: false) { packet, _ in Parts.ipv4(packet, protocol: 4) },
    Tunnel("IPv6 in IPv4", "6in4", outer: Transport(rawValue: 41), v4: false) { packet, _ in Parts.ipv4(packet, protocol: 41) },
    Tunnel("IPv4 in IPv6", "4in6", outer: Transport(rawValue: 4), v6: false) { packet, _ in Parts.ipv6(packet, next: 4) },
    Tunnel("IPv6 in IPv6", "6in6", outer: Transport(rawValue: 41), v4: false) { packet, _ in Parts.ipv6(packet, next: 41) },
    Tunnel("IPv6 in IPv6 behind options", "6in6", outer: Transport(rawValue: 41), v4: false) { packet, _ in
      Parts.ipv6(Parts.options(next: 41) + packet, next: 60)
    },
    Tunnel("GRE", "gre", outer: gre) { gre([0, 0], Link.etherType($1), $0) },
    Tunnel("GRE with checksum, key and sequence", "gre", outer: gre) {
      gre([0xb0, 0], Link.etherType($1), [UInt8](repeating: 5, count: 12) + $0)
    },
    Tunnel("GRE with Ethernet", "gre", outer: gre) { gre([0x20, 0], 0x6558, [0, 0, 0, 7] + frame($0, $1)) },
    Tunnel("GRE with a label", "gre mpls", outer: gre) { packet, _ in gre([0, 0], 0x8847, Parts.labels(1) + packet) },
    Tunnel("PPTP", "gre", outer: gre) { gre([0x30, 0x81], 0x880b, [UInt8](repeating: 5, count: 12) + [0xff, 3, 0, $1 ? 0x21 : 0x57] + $0) },
    Tunnel("PPTP without acknowledgment", "gre", outer: gre) {
      gre([0x30, 0x01], 0x880b, [UInt8](repeating: 5, count: 8) + [$1 ? 0x21 : 0x57] + $0)
    },
    Tunnel("ERSPAN I", "gre erspan", outer: gre) { gre([0, 0], 0x88be, frame($0, $1)) },
    Tunnel("ERSPAN II", "gre erspan", outer: gre) { gre([0x10, 0], 0x88be, [UInt8](repeating: 5, count: 12) + frame($0, $1)) },
    Tunnel("ERSPAN III", "gre erspan", outer: gre) {
      gre([0x10, 0], 0x22eb, [UInt8](repeating: 5, count: 15) + [4] + frame($0, $1))
    },
    Tunnel("ERSPAN III with a subheader", "gre erspan", outer: gre) {
      gre([0x10, 0], 0x22eb, [UInt8](repeating: 5, count: 24) + frame($0, $1))
    },
    Tunnel("WCCP", "gre", outer: gre, v6: false) { packet, _ in gre([0, 0], 0x883e, packet) },
    Tunnel("WCCP 2", "gre", outer: gre, v6: false) { packet, _ in gre([0, 0], 0x883e, [1, 2, 3, 4] + packet) },
    Tunnel("an access point's GRE", "gre 802.11", outer: gre) { gre([0, 0], 0x8240, Parts.wifi($0, type: Link.etherType($1))) },
    Tunnel("an access point's GRE with an aggregate", "gre 802.11", outer: gre) {
      let header: [UInt8] = [0x88, 1] + [UInt8](repeating: 2, count: 20) + [0, 0, 0x80, 0] + [UInt8](repeating: 2, count: 12) + [0, 80]
      return gre([0, 0], 0x8200, header + Parts.llc($0, type: Link.etherType($1)))
    },
    Tunnel("MPLS in IP", "mpls", outer: Transport(rawValue: 137)) { packet, _ in Parts.ipv4(Parts.labels(2) + packet, protocol: 137) },
    Tunnel("MPLS in UDP", "mpls") { packet, _ in udp(6635, Parts.labels(2) + packet) },
    Tunnel("Ethernet over MPLS", "mpls") { udp(6635, Parts.labels(1) + frame($0, $1)) },
    Tunnel("Ethernet over MPLS with a control word", "mpls") { udp(6635, Parts.labels(1) + [0, 0, 0, 0] + frame($0, $1)) },
    Tunnel("GRE in UDP", "gre") { udp(4754, [0, 0] + Parts.bigEndian(Link.etherType($1)) + $0) },
    Tunnel("VXLAN", "vxlan") { udp(4789, [8, 0, 0, 0, 0, 0, 9, 0] + frame($0, $1)) },
    Tunnel("VXLAN on Linux's port, with a policy group", "vxlan") { udp(8472, [0x88, 0, 0, 7, 0, 0, 9, 0] + frame($0, $1)) },
    Tunnel("VXLAN-GPE", "vxlan") { udp(4790, [0x0c, 0, 0, $1 ? 1 : 2, 0, 0, 9, 0] + $0) },
    Tunnel("VXLAN-GPE with Ethernet", "vxlan") { udp(4789, [0x0c, 0, 0, 3, 0, 0, 9, 0] + frame($0, $1)) },
    Tunnel("Geneve", "geneve") { udp(6081, [0, 0, 0x65, 0x58, 0, 0, 9, 0] + frame($0, $1)) },
    Tunnel("Geneve with options, of IP", "geneve") {
      udp(6081, [2, 0x40] + Parts.bigEndian(Link.etherType($1)) + [0, 0, 9, 0, 1, 2, 3, 1, 5, 5, 5, 5] + $0)
    },
    Tunnel("GTP-U", "gtp-u") { packet, _ in udp(2152, [0x30, 255] + Parts.bigEndian(UInt16(packet.count)) + [0, 0, 0, 1] + packet) },
    Tunnel("GTP-U with sequence and extensions", "gtp-u") { packet, _ in
      udp(2152, [0x36, 255] + Parts.bigEndian(UInt16(packet.count + 12)) + [0, 0, 0, 1, 0, 1, 0, 0x85, 1, 0, 0, 0x40, 1, 0, 0, 0] + packet)
    },
    Tunnel("Teredo", "teredo", v4: false) { packet, _ in udp(3544, packet) },
    Tunnel("Teredo from its server, with authentication and origin", "teredo", v4: false) { packet, _ in
      udp(51_000, [0, 1, 2, 3] + [UInt8](repeating: 5, count: 14) + [0, 0, 1, 2, 3, 4, 5, 6] + packet, from: 3544)
    },
    Tunnel("L2TP", "l2tp") { udp(1701, [0, 2, 0, 1, 0, 2, 0xff, 3, 0, $1 ? 0x21 : 0x57] + $0) },
    Tunnel("L2TP with length, sequence and offset, from its server", "l2tp") {
      udp(51_000, [0x4a, 2, 0, 99, 0, 1, 0, 2, 0, 1, 0, 2, 0, 2, 9, 9, 0, $1 ? 0x21 : 0x57] + $0, from: 1701)
    },
    Tunnel("VXLAN in GRE", "gre vxlan", outer: gre) { gre([0, 0], 0x0800, udp(4789, [8, 0, 0, 0, 0, 0, 9, 0] + frame($0, $1))) },
  ]
}
