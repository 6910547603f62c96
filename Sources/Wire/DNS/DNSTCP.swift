/// DNS over a stream: each message follows its length in two octets ([RFC 1035 §4.2.2](https://www.rfc-editor.org/rfc/rfc1035#section-4.2.2)).
public enum DNSTCP {
  /// Where the message is whose length stands at `offset`; the next one's length is at the range's upper bound.
  ///
  /// A message smaller than a DNS header is `.other`: the stream carries something else, or its framing is lost.
  public static func message(in bytes: Span<UInt8>, at offset: Int = 0) -> StreamResult<Range<Int>> {
    guard offset >= 0, bytes.count - offset >= 2 else { return .needMore(atLeast: offset + 2) }
    let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    guard length >= 12 else { return .other(.shortMessage) }
    let end = offset + 2 + length
    guard end <= bytes.count else { return .needMore(atLeast: end) }
    return .found(offset + 2..<end)
  }
}

extension WireError.Reason {
  public static let shortMessage = Self(rawValue: "a message shorter than its header")
}
