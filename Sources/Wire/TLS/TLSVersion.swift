/// A protocol version as TLS and DTLS write it.
public struct TLSVersion: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let ssl2 = Self(rawValue: 0x0002)
  public static let ssl3 = Self(rawValue: 0x0300)
  public static let tls10 = Self(rawValue: 0x0301)
  public static let tls11 = Self(rawValue: 0x0302)
  public static let tls12 = Self(rawValue: 0x0303)
  public static let tls13 = Self(rawValue: 0x0304)
  public static let dtls10 = Self(rawValue: 0xfeff)
  public static let dtls12 = Self(rawValue: 0xfefd)
  public static let dtls13 = Self(rawValue: 0xfefc)

  /// Whether this is TLS 1.3, or one of its drafts, or DTLS 1.3.
  public var is13: Bool { self == .tls13 || self == .dtls13 || rawValue >> 8 == 0x7f }

  /// Which of two versions is newer; DTLS counts downwards. Nil for values that are no version.
  var rank: Int? {
    if is13 { return 5 }
    switch self {
    case .ssl2: return 0
    case .ssl3: return 1
    case .tls10: return 2
    case .tls11, .dtls10: return 3
    case .tls12, .dtls12: return 4
    default: return nil
    }
  }
}

extension TLSVersion: CustomStringConvertible {
  /// `1.3` (drafts too), `1.2`, `1.1`, `1.0`, `ssl3`, `ssl2`; DTLS 1.0 was made from TLS 1.1 and shows its own number;
  /// an unknown value in hexadecimal.
  public var description: String {
    if is13 { return "1.3" }
    switch self {
    case .tls12, .dtls12: return "1.2"
    case .tls11: return "1.1"
    case .tls10, .dtls10: return "1.0"
    case .ssl3: return "ssl3"
    case .ssl2: return "ssl2"
    default: return "0x" + String(rawValue, radix: 16)
    }
  }
}
