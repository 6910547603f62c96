import EgressModel
import Wire

/// What a client says over HTTP/1 and over HTTP/2; the octets are an authority, too.
enum HTTPTarget {
  static func run(_ bytes: Span<UInt8>) {
    let whole = Prefixes.check(bytes) { HTTPRequest.head(in: $0) }
    if case .found(let head) = whole { check(head, bytes.count) }
    if case .found(let head) = HTTPRequest.head(in: bytes, isComplete: true) { check(head, bytes.count) }
    if case .found(let head) = Prefixes.check(bytes, { HTTP2Request.head(in: $0) }) { check(head, bytes.count) }
    resumed(bytes, whole)
    host(bytes.extracting(0..<min(bytes.count, 300)))
  }

  /// Who asks at every segment gets the answer of who asks once.
  private static func resumed(_ bytes: Span<UInt8>, _ whole: StreamResult<HTTPRequestHead>) {
    var progress = HTTPRequest.Progress()
    var lengths = Prefixes.lengths(bytes)
    lengths.sort()
    for length in lengths + [bytes.count] {
      let part = HTTPRequest.head(in: bytes.extracting(0..<length), resuming: &progress)
      if case .needMore = part { continue }
      demand(part == whole, "resumed at \(length) of \(bytes.count): \(part), \(whole)")
      return
    }
    guard case .needMore = whole else { return demand(false, "resumed, all \(bytes.count) octets do not suffice: \(whole)") }
  }

  static func host(_ bytes: Span<UInt8>) {
    let host = ClaimedHost(bytes, in: 0..<bytes.count)
    host.name?.check()
  }

  private static func check(_ head: HTTPRequestHead, _ count: Int) {
    head.host?.check()
    head.proxyTarget?.target.check()
    demand(head.byteCount ?? 0 <= count, "a head is in its stream")
    demand(head.method.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "a method is printable")
    _ = head.application
  }
}
