/// An NTP message ([RFC 5905 §7.3](https://www.rfc-editor.org/rfc/rfc5905#section-7.3)).
public enum NTPMessage {
  /// Whether a datagram can be one: version 1 to 4, a mode between peers, a header of 48 octets, and then fields or a digest in words.
  public static func isOne(_ datagram: Span<UInt8>) -> Bool {
    guard datagram.count >= 48, datagram.count % 4 == 0, datagram.count <= 48 + 1_024 else { return false }
    // A stratum above 16 is reserved.
    return (1...4).contains(datagram[0] >> 3 & 7) && (1...5).contains(datagram[0] & 7) && datagram[1] <= 16
  }
}
