/// A name as it was said on the wire or written in a policy: lower case, no trailing dot, safe to show.
///
/// Names come from strangers. Octets outside letters, digits, `-`, `_`, `.` and `*` are kept as the decimal escapes of
/// master files (`\032`, [RFC 1035 §5.1](https://www.rfc-editor.org/rfc/rfc1035#section-5.1)), so the text is always printable ASCII and
/// two different names never look alike. A dot *inside* a label of a DNS message is `\046`, so every `.` here separates labels.
public struct DomainName: Hashable, Sendable, CustomStringConvertible {
  /// The presentation form; never empty: the root is `.`.
  public let text: String

  /// Takes text that is already in presentation form (our database, a policy), lower-cases it and drops one trailing dot.
  public init(presentation text: String) {
    let lowered = text.lowercased()
    self.text = lowered.count > 1 && lowered.hasSuffix(".") ? String(lowered.dropLast()) : lowered
  }

  /// Takes octets that a TLS, QUIC, HTTP or proxy client sent as one string; nil when there are none.
  public init?(octets: some Sequence<UInt8>) {
    var bytes: [UInt8] = []
    for octet in octets { Self.append(octet, to: &bytes) }
    if bytes.count > 1, bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
    guard !bytes.isEmpty else { return nil }
    text = String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the presentation form of one octet, lower-cased; for decoders that build a name label by label.
  @inlinable public static func append(_ octet: UInt8, to text: inout [UInt8]) {
    switch octet {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): text.append(octet | 0x20)
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."), UInt8(ascii: "*"), UInt8(ascii: ":"):
      text.append(octet)
    default:
      text.append(UInt8(ascii: "\\"))
      text.append(octet / 100 + 0x30)
      text.append(octet / 10 % 10 + 0x30)
      text.append(octet % 10 + 0x30)
    }
  }

  public var description: String { text }

  /// The labels, left to right, split at unescaped dots.
  public var labels: [Substring] {
    text.split(separator: ".", omittingEmptySubsequences: false)
  }

  /// Whether this name is `suffix` or below it: `api.example.com` is under `example.com`, `badexample.com` is not.
  public func isSameOrUnder(_ suffix: DomainName) -> Bool {
    guard text.hasSuffix(suffix.text) else { return false }
    return text.utf8.count == suffix.text.utf8.count || text.utf8.dropLast(suffix.text.utf8.count).last == UInt8(ascii: ".")
  }
}

extension DomainName: Comparable {
  public static func < (a: DomainName, b: DomainName) -> Bool { a.text < b.text }
}
