/// HTTP/1 as a client starts it on a stream.
public enum HTTPRequest {
  /// How far earlier calls have looked at a stream, so that each octet is looked at once however small the segments are.
  public struct Progress: Hashable, Sendable {
    /// Octets that hold no end of the head.
    fileprivate var scanned = 0
    fileprivate var sawRequestLine = false
    public init() {}
  }

  /// The longest method, in octets. The registry's longest is 17.
  public static let maximumMethodLength = 32
  /// The longest request line, in octets: a target of 16 KiB and what stands around it.
  public static let maximumRequestLineLength = 16_384 + 64
  /// The longest head looked at, in octets; a longer one is judged by what stands before.
  public static let maximumHeadLength = 65_536

  /// The head of the first request in what the client said, for a caller that asks once.
  public static func head(in bytes: Span<UInt8>, isComplete: Bool = false) -> StreamResult<HTTPRequestHead> {
    var progress = Progress()
    return head(in: bytes, resuming: &progress, isComplete: isComplete)
  }

  /// The head of the first request in what the client said.
  ///
  /// Found at the empty line and not at the Host field, for a second Host after it takes its worth away. So that a very long cookie
  /// does not lose the name, a head that reaches `maximumHeadLength`, or whose rest is known never to come (`isComplete`: the
  /// caller's own cap, a gap, the end), is judged by its complete lines. Whatever cannot become a request line is `.other` at
  /// once; so is HTTP/2, whose preface looks like one.
  /// - Parameters:
  ///   - bytes: all the client said so far, each time longer.
  ///   - progress: kept by the caller with the stream.
  public static func head(
    in bytes: Span<UInt8>, resuming progress: inout Progress, isComplete: Bool = false
  ) -> StreamResult<HTTPRequestHead> {
    if !progress.sawRequestLine {
      if let reason = contradiction(in: bytes, from: progress.scanned) { return .other(reason) }
    }
    let limit = min(bytes.count, maximumHeadLength)
    var index = min(progress.scanned, limit)
    while index < limit {
      guard bytes[index] == UInt8(ascii: "\n") else {
        index += 1
        continue
      }
      if !progress.sawRequestLine {
        guard requestLine(bytes, end: index) != nil else { return .other(notRequestLine(bytes)) }
        progress.sawRequestLine = true
      }
      var next = index + 1
      if next < limit, bytes[next] == UInt8(ascii: "\r") { next += 1 }
      // The octets that decide are not there yet: this line end is looked at again.
      guard next < limit else { break }
      if bytes[next] == UInt8(ascii: "\n") { return decode(bytes, end: index + 1, byteCount: next + 1) }
      index += 1
    }
    progress.scanned = index
    if limit == maximumHeadLength || isComplete {
      return progress.sawRequestLine ? decode(bytes, end: limit, byteCount: nil) : .other(.notRequest)
    }
    return .needMore(atLeast: bytes.count + 1)
  }

  /// Why these octets cannot become a request line, if they cannot: up to its end, or from `start` if no line has ended yet.
  private static func contradiction(in bytes: Span<UInt8>, from start: Int) -> WireError.Reason? {
    // The method is short: looking at it again costs less than remembering how far it went.
    var index = 0
    while index < bytes.count, isToken(bytes[index]) {
      index += 1
      guard index <= maximumMethodLength else { return .notRequest }
    }
    if index < bytes.count {
      guard index > 0, bytes[index] == UInt8(ascii: " ") else { return .notRequest }
    }
    for index in max(index, start)..<max(index, start, bytes.count) {
      switch bytes[index] {
      case UInt8(ascii: "\n"): return nil
      case UInt8(ascii: "\r"), 0x20...0x7e, 0x80...0xff: guard index < maximumRequestLineLength else { return .overLimit }
      default: return .notRequest
      }
    }
    return nil
  }

  private static func isToken(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
      UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
      UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private static func notRequestLine(_ bytes: Span<UInt8>) -> WireError.Reason {
    bytes.matches("PRI * HTTP/2.0", at: 0) ? .http2Preface : .notRequest
  }

  /// The parts of the line that ends with the line feed at `end`: where the method ends, the target, and the minor version.
  private static func requestLine(_ bytes: Span<UInt8>, end: Int) -> (methodEnd: Int, target: Range<Int>, minorVersion: UInt8)? {
    var end = end
    if end > 0, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    let version = end - 8
    // Before it stand at least a method, a blank, a target and a blank, of an octet each.
    guard version >= 4, bytes.matches("HTTP/1.", at: version), case 0x30...0x39 = bytes[end - 1],
      bytes[version - 1] == UInt8(ascii: " ")
    else { return nil }
    var methodEnd = 0
    while methodEnd < version, bytes[methodEnd] != UInt8(ascii: " ") { methodEnd += 1 }
    guard methodEnd + 1 < version - 1 else { return nil }
    return (methodEnd, methodEnd + 1..<version - 1, bytes[end - 1] - 0x30)
  }
}

extension HTTPRequest {
  /// Decodes the lines before `end`; a line that is cut there is left out.
  private static func decode(_ bytes: Span<UInt8>, end: Int, byteCount: Int?) -> StreamResult<HTTPRequestHead> {
    guard let firstEnd = bytes.firstIndex(of: UInt8(ascii: "\n"), in: 0..<end), let line = requestLine(bytes, end: firstEnd) else {
      return .other(.notRequest)
    }
    var head = HTTPRequestHead(
      method: String(decoding: [UInt8](copying: bytes, in: 0..<line.methodEnd), as: UTF8.self), minorVersion: line.minorVersion,
      byteCount: byteCount)
    (head.form, head.targetAuthority) = target(bytes, in: line.target, isConnect: head.method == "CONNECT")

    var start = firstEnd + 1
    while var fieldEnd = bytes.firstIndex(of: UInt8(ascii: "\n"), in: start..<end) {
      // A line that begins with a blank goes on with the field before it (RFC 9112 5.2).
      while fieldEnd + 1 < end, isBlank(bytes[fieldEnd + 1]) {
        guard let next = bytes.firstIndex(of: UInt8(ascii: "\n"), in: fieldEnd + 1..<end) else { return .found(head) }
        fieldEnd = next
      }
      decodeField(bytes, in: start..<fieldEnd, into: &head)
      start = fieldEnd + 1
    }
    return .found(head)
  }

  private static func target(
    _ bytes: Span<UInt8>, in range: Range<Int>, isConnect: Bool
  ) -> (HTTPRequestHead.TargetForm, HTTPAuthority?) {
    if isConnect { return (.authority, HTTPAuthority(bytes, in: range)) }
    if range.count == 1, bytes[range.lowerBound] == UInt8(ascii: "*") { return (.asterisk, nil) }
    var index = range.lowerBound
    scheme: while index < range.upperBound {
      switch bytes[index] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
        index += 1
      default:
        break scheme
      }
    }
    guard index > range.lowerBound, index + 3 <= range.upperBound, bytes.matches("://", at: index) else { return (.origin, nil) }
    var start = index + 3
    var end = start
    authority: while end < range.upperBound {
      switch bytes[end] {
      case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"): break authority
      case UInt8(ascii: "@"): start = end + 1
      default: break
      }
      end += 1
    }
    return (.absolute, HTTPAuthority(bytes, in: start..<end))
  }

  private static func decodeField(_ bytes: Span<UInt8>, in range: Range<Int>, into head: inout HTTPRequestHead) {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":"), in: range) else { return }
    let name = trimmed(bytes, range.lowerBound..<colon)
    let value = trimmed(bytes, colon + 1..<range.upperBound)
    if name.count == 4, bytes.matchesIgnoringCase("host", at: name.lowerBound) {
      if head.hostField != nil {
        head.hostField = HTTPAuthority(host: .invalid(.repeated))
      } else if name != range.lowerBound..<colon {
        // RFC 9112 5.1: a blank before the colon makes the request invalid, since some would read it as Host and some not.
        head.hostField = HTTPAuthority(host: .invalid(.badOctet))
      } else {
        head.hostField = HTTPAuthority(bytes, in: value)
      }
    } else if name.count == 7, bytes.matchesIgnoringCase("upgrade", at: name.lowerBound) {
      head.isWebSocketUpgrade = head.isWebSocketUpgrade || listContainsWebSocket(bytes, in: value)
    } else if name.count == 12, bytes.matchesIgnoringCase("content-type", at: name.lowerBound) {
      head.contentType = HTTPRequestHead.ContentType(bytes, in: value)
    }
  }

  private static func listContainsWebSocket(_ bytes: Span<UInt8>, in value: Range<Int>) -> Bool {
    var start = value.lowerBound
    while start < value.upperBound {
      let end = bytes.firstIndex(of: UInt8(ascii: ","), in: start..<value.upperBound) ?? value.upperBound
      let item = trimmed(bytes, start..<end)
      if item.count == 9, bytes.matchesIgnoringCase("websocket", at: item.lowerBound) { return true }
      start = end + 1
    }
    return false
  }

  private static func isBlank(_ octet: UInt8) -> Bool { octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }

  /// Without blanks and line ends at either end.
  private static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, isBlank(bytes[start]) || bytes[start] == UInt8(ascii: "\r") || bytes[start] == UInt8(ascii: "\n") { start += 1 }
    while start < end, isBlank(bytes[end - 1]) || bytes[end - 1] == UInt8(ascii: "\r") || bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
    return start..<end
  }
}

extension Span<UInt8> {
  func firstIndex(of octet: UInt8, in range: Range<Int>) -> Int? {
    for index in range where self[index] == octet { return index }
    return nil
  }

  /// Whether the octets of `text` stand at `offset`.
  func matches(_ text: String, at offset: Int) -> Bool {
    guard count - offset >= text.utf8.count else { return false }
    var index = offset
    for octet in text.utf8 {
      guard self[index] == octet else { return false }
      index += 1
    }
    return true
  }

  /// As `matches`, for `text` in lower case, whatever the case of the octets.
  func matchesIgnoringCase(_ text: String, at offset: Int) -> Bool {
    guard count - offset >= text.utf8.count else { return false }
    var index = offset
    for octet in text.utf8 {
      guard self[index] | 0x20 == octet else { return false }
      index += 1
    }
    return true
  }
}

extension WireError.Reason {
  public static let notRequest = Self(rawValue: "not an HTTP/1 request line")
  public static let http2Preface = Self(rawValue: "the HTTP/2 connection preface")
}
