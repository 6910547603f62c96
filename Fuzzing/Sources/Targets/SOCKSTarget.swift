import EgressModel
import Wire

/// What a client says to a SOCKS proxy, and what a proxy says for its client.
enum SOCKSTarget {
  static func run(_ bytes: Span<UInt8>) {
    if case .found(let request) = Prefixes.check(bytes, { SOCKSRequest.request(in: $0) }) {
      request.proxyTarget?.target.check()
      demand(request.byteCount <= bytes.count, "a request is in its stream")
    }
    if case .found(let header) = Prefixes.check(bytes, { ProxyHeader.header(in: $0) }) {
      demand(header.byteCount <= bytes.count, "a header is in its stream")
      demand(header.byteCount <= ProxyHeader.maximumByteCount, "a header is bounded")
    }
  }
}
