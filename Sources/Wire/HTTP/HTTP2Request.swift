import EgressModel

/// HTTP/2 as a client starts it in the clear, knowing that the server speaks it ([RFC 9113 §3.3](https://www.rfc-editor.org/rfc/rfc9113#section-3.3)).
///
/// ```
/// PRI * HTTP/2.0 CR LF CR LF SM CR LF CR LF
/// | length (3) | type | flags | stream (4) | payload |     SETTINGS, WINDOW_UPDATE …, and then HEADERS
/// ```
public enum HTTP2Request {
  /// Frames before the end of the first headers that are looked at.
  public static let maximumFrameCount = 32
  /// Octets from the start of the stream that are looked at.
  public static let maximumByteCount = 65_536

  static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  /// The head of the first request in what the client said.
  public static func head(in bytes: Span<UInt8>) -> StreamResult<HTTPRequestHead> {
    guard bytes.mayBegin(with: preface) else { return .other(.notHTTP2) }
    var offset = preface.utf8.count
    var block: [UInt8] = []
    var isInHeaders = false
    for _ in 0..<maximumFrameCount {
      guard bytes.count >= offset + 9 else { return .needMore(atLeast: offset + 9) }
      let length = Int(bytes[offset]) << 16 | Int(bytes.uint16(at: offset + 1))
      let type = bytes[offset + 3]
      let flags = bytes[offset + 4]
      let end = offset + 9 + length
      guard end <= maximumByteCount else { return .other(.overLimit) }
      // Headers go on in CONTINUATION frames, with nothing between them.
      let isHeaders = type == 1 && !isInHeaders
      guard isInHeaders ? type == 9 : type != 9 else { return .other(.notHTTP2) }
      guard bytes.count >= end else { return .needMore(atLeast: end) }
      if isHeaders || isInHeaders {
        guard let fragment = fragment(bytes, in: offset + 9..<end, flags: isHeaders ? flags : 0) else { return .other(.lengthOverrun) }
        block += [UInt8](copying: bytes, in: fragment)
        if flags & 0x4 != 0 { return decode(block) }
        isInHeaders = true
      }
      offset = end
    }
    return .other(.overLimit)
  }

  /// A HEADERS payload without its padding and priority.
  private static func fragment(_ bytes: Span<UInt8>, in payload: Range<Int>, flags: UInt8) -> Range<Int>? {
    var (start, end) = (payload.lowerBound, payload.upperBound)
    if flags & 0x8 != 0 {
      guard start < end else { return nil }
      end -= Int(bytes[start])
      start += 1
    }
    if flags & 0x20 != 0 { start += 5 }
    return start <= end ? start..<end : nil
  }

  private static func decode(_ block: [UInt8]) -> StreamResult<HTTPRequestHead> {
    var decoder = HPACKDecoder()
    guard let fields = decoder.fields(of: block.span), let method = fields.first(where: { $0.name.elementsEqual(":method".utf8) }),
      (1...HTTPRequest.maximumMethodLength).contains(method.value.count), method.value.allSatisfy({ (0x21...0x7e).contains($0) })
    else { return .other(.notHTTP2) }
    var head = HTTPRequestHead(method: String(decoding: method.value, as: UTF8.self))
    head.majorVersion = 2
    head.minorVersion = 0
    var protocolIsSet = false
    for field in fields {
      if field.name.elementsEqual(":authority".utf8) || field.name.elementsEqual("host".utf8) && head.hostField == nil {
        // RFC 9113 8.3.1 forbids a user in it; some clients write one all the same.
        let start = field.value.lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? 0
        head.hostField = HTTPAuthority(field.value.span, in: start..<field.value.count)
      } else if field.name.elementsEqual(":protocol".utf8) {
        protocolIsSet = true
        head.isWebSocketUpgrade = field.value.elementsEqual("websocket".utf8)
      } else if field.name.elementsEqual("content-type".utf8) {
        head.contentType = HTTPRequestHead.ContentType(field.value.span, in: 0..<field.value.count)
      }
    }
    // RFC 8441: with :protocol it is a stream to the authority itself.
    if head.method == "CONNECT", !protocolIsSet {
      head.form = .authority
      head.targetAuthority = head.hostField
    }
    return .found(head)
  }
}

extension WireError.Reason {
  public static let notHTTP2 = Self(rawValue: "not an HTTP/2 connection that begins with a request")
}
