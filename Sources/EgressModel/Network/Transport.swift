/// A transport protocol, by its [IANA protocol number](https://www.iana.org/assignments/protocol-numbers).
public struct Transport: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var icmp: Transport { Transport(rawValue: 1) }
  @inlinable public static var tcp: Transport { Transport(rawValue: 6) }
  @inlinable public static var udp: Transport { Transport(rawValue: 17) }
  @inlinable public static var icmpv6: Transport { Transport(rawValue: 58) }
  @inlinable public static var sctp: Transport { Transport(rawValue: 132) }

  /// Whether the protocol has ports that we read.
  @inlinable public var hasPorts: Bool { self == .tcp || self == .udp || self == .sctp }
}

extension Transport: LosslessStringConvertible {
  /// `tcp`, `udp`, `sctp`, `icmp`, `icmpv6`, or the protocol number.
  public var description: String {
    switch self {
    case .icmp: "icmp"
    case .tcp: "tcp"
    case .udp: "udp"
    case .icmpv6: "icmpv6"
    case .sctp: "sctp"
    default: String(rawValue)
    }
  }

  /// Reads what `description` writes, in any case.
  public init?(_ text: String) {
    switch text.lowercased() {
    case "icmp": self = .icmp
    case "tcp": self = .tcp
    case "udp": self = .udp
    case "icmpv6": self = .icmpv6
    case "sctp": self = .sctp
    default:
      guard let number = UInt8(text) else { return nil }
      self.init(rawValue: number)
    }
  }
}

/// What the first octets of a captured frame are, by libpcap's [DLT value](https://www.tcpdump.org/linktypes.html)
/// (what `pcap_datalink` returns, which for raw IP differs from the LINKTYPE value in a file).
public struct LinkType: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable public static var null: LinkType { LinkType(rawValue: 0) }
  @inlinable public static var ethernet: LinkType { LinkType(rawValue: 1) }
  @inlinable public static var ppp: LinkType { LinkType(rawValue: 9) }
  @inlinable public static var fddi: LinkType { LinkType(rawValue: 10) }
  @inlinable public static var raw: LinkType { LinkType(rawValue: 12) }
  /// PPP in HDLC-like framing, or Cisco's HDLC.
  @inlinable public static var pppSerial: LinkType { LinkType(rawValue: 50) }
  /// PPPoE without the Ethernet header.
  @inlinable public static var pppEthernet: LinkType { LinkType(rawValue: 51) }
  @inlinable public static var ciscoHDLC: LinkType { LinkType(rawValue: 104) }
  /// IEEE 802.11.
  @inlinable public static var wifi: LinkType { LinkType(rawValue: 105) }
  @inlinable public static var loop: LinkType { LinkType(rawValue: 108) }
  @inlinable public static var linuxSLL: LinkType { LinkType(rawValue: 113) }
  @inlinable public static var radiotap: LinkType { LinkType(rawValue: 127) }
  @inlinable public static var mpls: LinkType { LinkType(rawValue: 219) }
  @inlinable public static var ipv4: LinkType { LinkType(rawValue: 228) }
  @inlinable public static var ipv6: LinkType { LinkType(rawValue: 229) }
  @inlinable public static var nflog: LinkType { LinkType(rawValue: 239) }
  @inlinable public static var linuxSLL2: LinkType { LinkType(rawValue: 276) }
}
