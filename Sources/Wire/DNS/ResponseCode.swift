/// A DNS response code, with the upper eight bits of EDNS when the message had them
/// ([RFC 6895 §2.3](https://www.rfc-editor.org/rfc/rfc6895#section-2.3)).
public struct ResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let noError = Self(rawValue: 0)
  public static let serverFailure = Self(rawValue: 2)
  /// NXDOMAIN: the name does not exist.
  public static let nameError = Self(rawValue: 3)
  public static let refused = Self(rawValue: 5)

  /// `NOERROR`, `NXDOMAIN` …, or `RCODE` and the number.
  public var description: String {
    switch rawValue {
    case 0: "NOERROR"
    case 1: "FORMERR"
    case 2: "SERVFAIL"
    case 3: "NXDOMAIN"
    case 4: "NOTIMP"
    case 5: "REFUSED"
    case 6: "YXDOMAIN"
    case 7: "YXRRSET"
    case 8: "NXRRSET"
    case 9: "NOTAUTH"
    case 10: "NOTZONE"
    case 11: "DSOTYPENI"
    case 16: "BADVERS"
    case 17: "BADKEY"
    case 18: "BADTIME"
    case 19: "BADMODE"
    case 20: "BADNAME"
    case 21: "BADALG"
    case 22: "BADTRUNC"
    case 23: "BADCOOKIE"
    default: "RCODE\(rawValue)"
    }
  }
}
