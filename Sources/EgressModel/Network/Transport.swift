/// A transport protocol, by its [IANA protocol number](https://www.iana.org/assignments/protocol-numbers).
public struct Transport: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let icmp = Transport(rawValue: 1)
  public static let tcp = Transport(rawValue: 6)
  public static let udp = Transport(rawValue: 17)
  public static let icmpv6 = Transport(rawValue: 58)
  public static let sctp = Transport(rawValue: 132)

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

  public static let null = LinkType(rawValue: 0)
  public static let ethernet = LinkType(rawValue: 1)
  public static let ppp = LinkType(rawValue: 9)
  public static let fddi = LinkType(rawValue: 10)
  public static let raw = LinkType(rawValue: 12)
  /// PPP in HDLC-like framing, or Cisco's HDLC.
  public static let pppSerial = LinkType(rawValue: 50)
  /// PPPoE without the Ethernet header.
  public static let pppEthernet = LinkType(rawValue: 51)
  public static let ciscoHDLC = LinkType(rawValue: 104)
  /// IEEE 802.11.
  public static let wifi = LinkType(rawValue: 105)
  public static let loop = LinkType(rawValue: 108)
  public static let linuxSLL = LinkType(rawValue: 113)
  public static let radiotap = LinkType(rawValue: 127)
  public static let mpls = LinkType(rawValue: 219)
  public static let ipv4 = LinkType(rawValue: 228)
  public static let ipv6 = LinkType(rawValue: 229)
  public static let nflog = LinkType(rawValue: 239)
  public static let linuxSLL2 = LinkType(rawValue: 276)
}
