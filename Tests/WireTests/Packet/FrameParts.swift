import EgressModel
import Wire

/// Headers as octets, each with its own length field right unless told otherwise.
enum FrameParts {
  static func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
  static func bigEndian(_ value: UInt32) -> [UInt8] { bigEndian(UInt16(value >> 16)) + bigEndian(UInt16(value & 0xffff)) }

  static func tcp(flags: TCPFlags = .ack, options: [UInt8] = [], payload: [UInt8] = [1, 2, 3, 4, 5]) -> [UInt8] {
    bigEndian(50_000 as UInt16) + bigEndian(443 as UInt16) + bigEndian(0x1122_3344 as UInt32) + bigEndian(0x5566_7788 as UInt32)
      + [UInt8((20 + options.count) / 4) << 4, flags.rawValue, 1, 0, 0, 0, 0, 0] + options + payload
  }

  static func udp(length: UInt16? = nil, payload: [UInt8] = [1, 2, 3, 4, 5]) -> [UInt8] {
    bigEndian(50_000 as UInt16) + bigEndian(443 as UInt16) + bigEndian(length ?? UInt16(8 + payload.count)) + [0, 0] + payload
  }

  static func sctp(payload: [UInt8] = [1, 2, 3, 4, 5]) -> [UInt8] {
    bigEndian(50_000 as UInt16) + bigEndian(443 as UInt16) + [UInt8](repeating: 0, count: 8) + payload
  }

  static func icmp(type: UInt8 = 8, code: UInt8 = 0, payload: [UInt8] = [1, 2, 3, 4, 5]) -> [UInt8] {
    [type, code, 0, 0, 0, 0, 0, 0] + payload
  }

  static func ipv4(
    _ payload: [UInt8], protocol number: UInt8 = 6, totalLength: UInt16? = nil, options: [UInt8] = [], fragment: UInt16 = 0,
    identification: UInt16 = 0
  ) -> [UInt8] {
    let headerLength = 20 + options.count
    return [0x40 | UInt8(headerLength / 4), 0] + bigEndian(totalLength ?? UInt16(headerLength + payload.count)) + bigEndian(identification)
      + bigEndian(fragment) + [64, number, 0, 0, 10, 0, 0, 1, 203, 0, 113, 10] + options + payload
  }

  static func ipv6(_ payload: [UInt8], next: UInt8 = 6, payloadLength: UInt16? = nil) -> [UInt8] {
    var header: [UInt8] = [0x60, 0, 0, 0] + bigEndian(payloadLength ?? UInt16(payload.count)) + [next, 64]
    header += [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
    header += [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [2]
    return header + payload
  }

  /// Hop-by-hop, routing or destination options: `units` of eight octets beyond the first.
  static func options(next: UInt8, units: UInt8 = 0) -> [UInt8] {
    [next, units] + [UInt8](repeating: 0, count: 6 + Int(units) * 8)
  }

  static func fragment(next: UInt8, offset: UInt16, more: Bool, identification: UInt32 = 7) -> [UInt8] {
    [next, 0] + bigEndian(offset | (more ? 1 : 0)) + bigEndian(identification)
  }

  static func ethernet(_ payload: [UInt8], type: UInt16, tags: [UInt16] = []) -> [UInt8] {
    var frame = [UInt8](repeating: 2, count: 12)
    for tag in tags { frame += bigEndian(tag) + [0, 5] }
    return frame + bigEndian(type) + payload
  }

  static func snap(_ payload: [UInt8], type: UInt16) -> [UInt8] {
    [UInt8](repeating: 2, count: 12) + bigEndian(UInt16(8 + payload.count)) + [0xaa, 0xaa, 3, 0, 0, 0] + bigEndian(type) + payload
  }

  static func pppoe(_ packet: [UInt8], isV4: Bool) -> [UInt8] {
    [0x11, 0, 0, 1] + bigEndian(UInt16(2 + packet.count)) + [0, isV4 ? 0x21 : 0x57] + packet
  }

  /// The bottom of the stack comes last.
  static func labels(_ count: Int) -> [UInt8] {
    (0..<count).flatMap { [0, 1, $0 == count - 1 ? 1 : 0, 64] }
  }

  static func llc(_ payload: [UInt8], type: UInt16) -> [UInt8] { [0xaa, 0xaa, 3, 0, 0, 0] + bigEndian(type) + payload }

  static func fddi(_ payload: [UInt8], type: UInt16) -> [UInt8] { [0x50] + [UInt8](repeating: 2, count: 12) + llc(payload, type: type) }

  static func wifi(_ payload: [UInt8], type: UInt16, subtype: UInt8 = 0, flags: UInt8 = 1) -> [UInt8] {
    var header: [UInt8] = [subtype << 4 | 8, flags] + [UInt8](repeating: 2, count: 20) + [0, 0]
    if flags & 3 == 3 { header += [UInt8](repeating: 3, count: 6) }
    if subtype & 8 != 0 { header += [0, 0] + (flags & 0x80 != 0 ? [0, 0, 0, 0] : []) }
    return header + llc(payload, type: type)
  }

  /// The packet behind an attribute of five octets, padded to eight.
  static func nflog(_ packet: [UInt8], isV4: Bool) -> [UInt8] {
    let length = UInt16(4 + packet.count)
    return [isV4 ? 2 : 10, 0, 0, 1, 9, 0, 10, 0, 0x61, 0x62, 0x63, 0x64, 0, 0, 0, 0] + [UInt8(length & 255), UInt8(length >> 8), 9, 0] + packet
  }

  static func cooked(_ payload: [UInt8], type: UInt16) -> [UInt8] { [UInt8](repeating: 0, count: 14) + bigEndian(type) + payload }

  static func cooked2(_ payload: [UInt8], type: UInt16) -> [UInt8] { bigEndian(type) + [UInt8](repeating: 0, count: 18) + payload }
}

/// A link layer around an IP packet.
struct Link: CustomStringConvertible, Sendable {
  let description: String
  let type: LinkType
  let headerLength: Int
  let isTagged: Bool
  let wrap: @Sendable (_ packet: [UInt8], _ isV4: Bool) -> [UInt8]

  init(
    _ name: String, _ type: LinkType, _ headerLength: Int, isTagged: Bool = false, _ wrap: @escaping @Sendable ([UInt8], Bool) -> [UInt8]
  ) {
    description = name
    self.type = type
    self.headerLength = headerLength
    self.isTagged = isTagged
    self.wrap = wrap
  }

  static func etherType(_ isV4: Bool) -> UInt16 { isV4 ? 0x0800 : 0x86dd }

  static let all: [Link] = [
    Link("Ethernet", .ethernet, 14) { FrameParts.ethernet($0, type: etherType($1)) },
    Link("802.1Q", .ethernet, 18, isTagged: true) { FrameParts.ethernet($0, type: etherType($1), tags: [0x8100]) },
    Link("QinQ", .ethernet, 22, isTagged: true) { FrameParts.ethernet($0, type: etherType($1), tags: [0x88a8, 0x8100]) },
    Link("four tags", .ethernet, 30, isTagged: true) { FrameParts.ethernet($0, type: etherType($1), tags: [0x9100, 0x88a8, 0x8100, 0x8100]) },
    Link("802.3 SNAP", .ethernet, 22) { FrameParts.snap($0, type: etherType($1)) },
    Link("SLL", .linuxSLL, 16) { FrameParts.cooked($0, type: etherType($1)) },
    Link("SLL2", .linuxSLL2, 20) { FrameParts.cooked2($0, type: etherType($1)) },
    Link("raw", .raw, 0) { packet, _ in packet },
    Link("raw, OpenBSD", LinkType(rawValue: 14), 0) { packet, _ in packet },
    Link("NULL, little-endian", .null, 4) { [$1 ? 2 : 30, 0, 0, 0] + $0 },
    Link("NULL, big-endian", .null, 4) { [0, 0, 0, $1 ? 2 : 24] + $0 },
    Link("LOOP", .loop, 4) { [0, 0, 0, $1 ? 2 : 28] + $0 },
    Link("NULL, Linux", .null, 4) { [$1 ? 2 : 10, 0, 0, 0] + $0 },
    Link("PPP", .ppp, 2) { [0, $1 ? 0x21 : 0x57] + $0 },
    Link("PPP, protocol in one octet", .ppp, 1) { [$1 ? 0x21 : 0x57] + $0 },
    Link("PPP in HDLC framing", .pppSerial, 4) { [0xff, 3, 0, $1 ? 0x21 : 0x57] + $0 },
    Link("PPP with a label", .ppp, 6) { packet, _ in [2, 0x81, 0, 1, 1, 64] + packet },
    Link("Cisco HDLC in PPP", .ppp, 4) { [0x0f, 0] + FrameParts.bigEndian(etherType($1)) + $0 },
    Link("Cisco HDLC", .ciscoHDLC, 4) { [0x8f, 0] + FrameParts.bigEndian(etherType($1)) + $0 },
    Link("PPPoE", .pppEthernet, 8) { FrameParts.pppoe($0, isV4: $1) },
    Link("PPPoE on Ethernet", .ethernet, 22) { FrameParts.ethernet(FrameParts.pppoe($0, isV4: $1), type: 0x8864) },
    Link("a label", .mpls, 4) { packet, _ in FrameParts.labels(1) + packet },
    Link("sixteen labels", .ethernet, 78) { packet, _ in FrameParts.ethernet(FrameParts.labels(16) + packet, type: 0x8847) },
    Link("provider backbone", .ethernet, 32) {
      FrameParts.ethernet([0, 0, 1, 2] + FrameParts.ethernet($0, type: etherType($1)), type: 0x88e7)
    },
    Link("FDDI", .fddi, 21) { FrameParts.fddi($0, type: etherType($1)) },
    Link("802.11", .wifi, 32) { FrameParts.wifi($0, type: etherType($1)) },
    Link("802.11 with QoS and HT control", .wifi, 38) { FrameParts.wifi($0, type: etherType($1), subtype: 8, flags: 0x81) },
    Link("802.11 between access points", .wifi, 40) { FrameParts.wifi($0, type: etherType($1), subtype: 8, flags: 0x03) },
    Link("radiotap", .radiotap, 44) { [0, 0, 12, 0, 0, 0, 0, 0, 9, 9, 9, 9] + FrameParts.wifi($0, type: etherType($1)) },
    Link("NFLOG", .nflog, 20) { FrameParts.nflog($0, isV4: $1) },
  ]
}
