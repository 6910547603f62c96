public import EgressModel

/// What a client wrote where a host name belongs (SNI, `Host`, CONNECT): a stranger's text, judged in one place.
public enum ClaimedHost: Hashable, Sendable {
  /// A host name: letters, digits, `-`, `_` and `*` in labels of 1 to 63 octets.
  case name(DomainName)
  /// An address literal, in brackets or not: no name.
  case address(IPAddress)
  /// Neither; never to be shown or matched as a name.
  case invalid(Defect)

  public enum Defect: String, CaseIterable, Sendable {
    case empty
    /// More than 255 octets.
    case tooLong
    /// An empty label or one of more than 63 octets.
    case badLabel
    /// An octet that no host name has: controls, blanks, `:`, `/`, quotes, anything above ASCII.
    case badOctet
    /// Dotted, and its last label all digits: half of an address, or an address in a spelling that software reads differently.
    case numericTopLabel
    /// Said several times, differently or not, where the protocol allows it once.
    case repeated
  }

  /// The longest text looked at, in octets.
  public static let maximumByteCount = 255

  public var name: DomainName? {
    if case .name(let name) = self { name } else { nil }
  }

  public var isAddress: Bool {
    if case .address = self { true } else { false }
  }

  /// Judges `range` of `bytes`; one trailing dot belongs to the spelling, not to the name.
  public init(_ bytes: Span<UInt8>, in range: Range<Int>) {
    guard !range.isEmpty else {
      self = .invalid(.empty)
      return
    }
    guard range.count <= Self.maximumByteCount else {
      self = .invalid(.tooLong)
      return
    }
    if let address = Self.addressLiteral(bytes, in: range) {
      self = .address(address)
      return
    }
    var text: [UInt8] = []
    text.reserveCapacity(range.count)
    var labelLength = 0
    var labelIsNumeric = true
    var isDotted = false
    let end = bytes[range.upperBound - 1] == UInt8(ascii: ".") ? range.upperBound - 1 : range.upperBound
    for index in range.lowerBound..<end {
      let octet = bytes[index]
      switch octet {
      case UInt8(ascii: "."):
        guard (1...63).contains(labelLength) else {
          self = .invalid(.badLabel)
          return
        }
        labelLength = 0
        labelIsNumeric = true
        isDotted = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        labelLength += 1
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "*"):
        labelLength += 1
        labelIsNumeric = false
      default:
        self = .invalid(.badOctet)
        return
      }
      DomainName.append(octet, to: &text)
    }
    guard (1...63).contains(labelLength) else {
      self = .invalid(.badLabel)
      return
    }
    guard !(isDotted && labelIsNumeric) else {
      self = .invalid(.numericTopLabel)
      return
    }
    self = .name(DomainName(appended: text))
  }

  private static func addressLiteral(_ bytes: Span<UInt8>, in range: Range<Int>) -> IPAddress? {
    var range = range
    let isBracketed = range.count > 2 && bytes[range.lowerBound] == UInt8(ascii: "[") && bytes[range.upperBound - 1] == UInt8(ascii: "]")
    if isBracketed { range = range.lowerBound + 1..<range.upperBound - 1 }
    // The longest literal is an IPv6 address with a dotted tail, and the last octet of each is a digit or a colon.
    guard range.count <= 45 else { return nil }
    var hasColon = false
    for index in range {
      switch bytes[index] {
      case UInt8(ascii: ":"): hasColon = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
        UInt8(ascii: "."):
        break
      default: return nil
      }
    }
    guard hasColon || !isBracketed else { return nil }
    return IPAddress(String(decoding: [UInt8](copying: bytes, in: range), as: UTF8.self))
  }
}
