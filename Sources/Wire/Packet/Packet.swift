public import EgressModel

/// What the headers of one captured frame say: plain numbers, nothing copied out of the frame.
///
/// A frame that ends early keeps what was decoded; `stop` says where and why decoding ended.
public struct Packet: Sendable {
  public var source = IPAddress(high: 0, low: 0)
  public var destination = IPAddress(high: 0, low: 0)
  /// Octets at the IP layer, header included, as the headers say. Where they say 0 (segmentation offload, jumbograms) it
  /// is what the frame held on the wire.
  public var ipLength = 0
  /// Where the transport's payload starts in the frame; `payloadOffset + capturedPayloadLength` is never beyond its end.
  public var payloadOffset = 0
  /// Payload octets that the headers claim.
  public var payloadLength = 0
  /// Payload octets from `payloadOffset` that were captured; never more than the frame holds.
  public var capturedPayloadLength = 0
  /// TCP only.
  public var sequence: UInt32 = 0
  /// TCP only.
  public var acknowledgment: UInt32 = 0
  /// Set when this is a piece of a datagram. It is decoded no further: its transport is what the datagram's data begins with.
  public var fragment: Fragment?
  public var sourcePort: UInt16 = 0
  public var destinationPort: UInt16 = 0
  public var transport = Transport(rawValue: 0)
  public var tcpFlags: TCPFlags = []
  /// ICMP and ICMPv6 only.
  public var icmpType: UInt8 = 0
  /// ICMP and ICMPv6 only.
  public var icmpCode: UInt8 = 0
  /// Of ICMP and ICMPv6 requests and their replies (echo, timestamp …): which of the sender's conversations it belongs to. Else 0.
  public var icmpIdentifier: UInt16 = 0
  public var stop = DecodingStop.complete
  /// What this packet was found in; the fields above are of the innermost IP packet that was read.
  public var encapsulation = Encapsulation()
  /// Whether addresses, `transport` and `ipLength` were decoded.
  public var hasInternetHeader = false
  /// Whether both ports were decoded: not for transports without ports and not for later fragments.
  public var hasPorts = false
  /// Whether a VLAN tag was seen.
  public var isTagged = false
  /// Whether it may carry another packet that was not looked for.
  public var mayHoldPacket = false

  @inlinable init() {}

  /// What a fragment says of its place in the datagram. The piece itself is the packet's payload.
  public struct Fragment: Equatable, Sendable {
    /// The Identification field, the same in every piece.
    public var identification: UInt32
    /// Where the piece belongs in the datagram's data, in octets.
    public var offset: UInt16
    public var hasMore: Bool
  }

  @inlinable public var isFragment: Bool { fragment != nil }

  /// A piece of a datagram that does not hold the transport header.
  @inlinable public var isLaterFragment: Bool { fragment.map { $0.offset > 0 } ?? false }

  /// Whether less of the payload was captured than was sent.
  @inlinable public var isPayloadCut: Bool { capturedPayloadLength < payloadLength }

  /// An ICMP error: its payload begins with the header of the packet that caused it.
  @inlinable public var isICMPError: Bool {
    guard stop == .complete, !isLaterFragment else { return false }
    switch transport {
    // RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem.
    case .icmp: return icmpType == 3 || icmpType == 4 || icmpType == 5 || icmpType == 11 || icmpType == 12
    // RFC 4443 2.1: error messages have the high bit clear.
    case .icmpv6: return icmpType < 128
    default: return false
    }
  }

  /// Neighbour discovery ([RFC 4861](https://www.rfc-editor.org/rfc/rfc4861)) or multicast listener discovery
  /// ([RFC 3810](https://www.rfc-editor.org/rfc/rfc3810)): a link's own upkeep, as ARP is for IPv4.
  @inlinable public var isLinkUpkeep: Bool {
    transport == .icmpv6 && !source.isV4 && !isLaterFragment && ((130...137).contains(icmpType) || icmpType == 143)
  }

  /// An ICMP error that says that the quoted packet cannot arrive at all: destination unreachable, but not "fragmentation needed".
  @inlinable public var isUnreachable: Bool {
    isICMPError && (transport == .icmp ? icmpType == 3 && icmpCode != 4 : icmpType == 1)
  }
}

/// The control bits of a TCP header ([RFC 9293 §3.1](https://www.rfc-editor.org/rfc/rfc9293#section-3.1)).
public struct TCPFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 0x01) }
  @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 0x02) }
  @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 0x04) }
  @inlinable public static var psh: TCPFlags { TCPFlags(rawValue: 0x08) }
  @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 0x10) }
  @inlinable public static var urg: TCPFlags { TCPFlags(rawValue: 0x20) }
}

/// Where decoding of a frame ended, and why.
public enum DecodingStop: UInt8, CaseIterable, Sendable {
  /// Down to the payload, or to a transport whose header is not read.
  case complete
  case unsupportedLinkType
  /// ARP, LLDP, spanning tree …: a frame without an IP packet.
  case notIP
  /// The capture ends inside the link header.
  case truncatedLink
  /// More than four VLAN tags.
  case tooManyTags
  /// The capture ends inside the IP header or an extension header.
  case truncatedInternet
  /// A version or a length that no IP header has.
  case malformedInternet
  /// More IPv6 extension headers than are followed.
  case tooManyExtensionHeaders
  /// The capture, or the datagram itself, ends inside the transport header.
  case truncatedTransport
  /// A length field that contradicts the datagram.
  case malformedTransport
}
