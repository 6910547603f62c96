/// A QUIC version ([IANA registry](https://www.iana.org/assignments/quic)).
public struct QUICVersion: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// RFC 9000.
  public static let v1 = Self(rawValue: 1)
  /// RFC 9369.
  public static let v2 = Self(rawValue: 0x6b33_43cf)

  /// The IETF draft whose Initial packets these are: versions of drafts, and Meta's mvfst, which was built on some of them.
  private var draft: UInt32? {
    switch rawValue {
    case 0xff00_0000...0xff00_00ff: rawValue & 0xff
    case 0xface_b001: 22
    case 0xface_b002, 0xface_b00e, 0xface_b010, 0xface_b011, 0xface_b013: 27
    // An alias of version 1, whose Initial packets are those of draft 33.
    case 0xface_b003: 33
    default: nil
    }
  }

  /// What the secrets of Initial packets are extracted with; nil for a version whose Initial packets cannot be opened.
  ///
  /// RFC 9001 §5.2 and RFC 9369 §3.3.1; for the drafts, the same section of each.
  var initialSalt: [UInt8]? {
    switch self {
    case .v1: Self.saltOfV1
    case .v2:
      [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
      ]
    default:
      switch draft {
      case .some(21...22):
        [
          0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a,
        ]
      case .some(23...28):
        [
          0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02,
        ]
      case .some(29...32):
        [
          0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99,
        ]
      case .some(33...34): Self.saltOfV1
      default: nil
      }
    }
  }

  private static let saltOfV1: [UInt8] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
  ]

  /// What the labels of key derivation begin with (RFC 9369 §3.3.2).
  var labelPrefix: String { self == .v2 ? "quicv2 " : "quic " }

  /// The packet type that the two bits in a long header mean (RFC 9000 §17.2, turned by one in RFC 9369 §3.2).
  func packetType(bits: UInt8) -> QUICLongHeader.PacketType {
    switch self == .v2 ? (bits &+ 3) & 3 : bits & 3 {
    case 0: .initial
    case 1: .zeroRTT
    case 2: .handshake
    default: .retry
    }
  }
}

extension QUICVersion: CustomStringConvertible {
  /// `1`, `2`, `draft-29`, or the number in hexadecimal.
  public var description: String {
    switch rawValue {
    case Self.v1.rawValue: "1"
    case Self.v2.rawValue: "2"
    case 0xff00_0000...0xff00_00ff: "draft-\(rawValue & 0xff)"
    default: "0x" + String(rawValue, radix: 16)
    }
  }
}
