/// Why some octets could not be decoded. Holds no text from the wire and needs no allocation, so it can be counted per packet.
public enum WireError: Error, Hashable, Sendable {
  /// The octets end before the structure does: a snapshot length, a lost segment, or a sender that lied in a length field.
  ///
  /// `required` and `available` count octets from `offset`, which counts from the first octet given to the decoder.
  case truncated(layer: Layer, required: Int, available: Int, offset: Int)
  /// The octets contradict the protocol, or a bound of ours. `offset` counts from the first octet given to the decoder.
  case malformed(layer: Layer, reason: Reason, offset: Int)

  /// The protocol whose decoder gave up.
  public enum Layer: String, CaseIterable, Sendable {
    case ethernet, vlan, linuxCooked, loopback, ppp, pppoe, mpls, nflog
    case ipv4, ipv6, ipv6Extension, gre, vxlan, geneve, gtpu, arp
    case tcp, udp, sctp, icmp, icmpv6
    case dns, tls, dtls, quic, http, socks, proxyProtocol, ldap, x509
  }

  /// What was wrong, in a few constant words. Each decoder declares its own beside its code.
  public struct Reason: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
  }

  public var layer: Layer {
    switch self {
    case .truncated(let layer, _, _, _), .malformed(let layer, _, _): layer
    }
  }

  public var isTruncation: Bool {
    if case .truncated = self { true } else { false }
  }
}

extension WireError.Reason: CustomStringConvertible {
  /// A length field claims more than the structure around it holds.
  public static let lengthOverrun = Self(rawValue: "a length exceeds what encloses it")
  /// Octets are left over where a structure must end.
  public static let trailingOctets = Self(rawValue: "octets after the end of a structure")
  /// Larger than this decoder is willing to follow; each says its own limit.
  public static let overLimit = Self(rawValue: "larger than the decoder's limit")

  public var description: String { rawValue }
}

extension WireError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let layer, let required, let available, let offset):
      "\(layer.rawValue): \(required) octets needed at offset \(offset), \(available) there"
    case .malformed(let layer, let reason, let offset):
      "\(layer.rawValue): \(reason) at offset \(offset)"
    }
  }
}
