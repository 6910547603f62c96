public import EgressModel

/// What an HTTP request says about where it goes ([RFC 9112 §3](https://www.rfc-editor.org/rfc/rfc9112#section-3)).
///
/// Path, query and every other header field are never kept.
public struct HTTPRequestHead: Hashable, Sendable {
  /// A token of at most 32 octets: `GET`, `CONNECT` …
  public var method: String
  /// 1 or 2.
  public var majorVersion: UInt8 = 1
  /// The digit after `HTTP/1.`.
  public var minorVersion: UInt8
  public var form: TargetForm
  /// The authority in the request target: of `absolute` and `authority` form.
  public var targetAuthority: HTTPAuthority?
  /// What the Host field says. A request with several of them is invalid (RFC 9112 §3.2), so they name nothing: `.invalid(.repeated)`.
  public var hostField: HTTPAuthority?
  /// Whether the client asks to go on with the WebSocket protocol.
  public var isWebSocketUpgrade = false
  /// What the client sends, where that tells the application.
  public var contentType: ContentType?
  /// Octets up to and with the empty line; after a CONNECT the tunnelled stream begins there. Nil when the head was cut before its end.
  public var byteCount: Int?

  /// Media types that tell what HTTP carries.
  public enum ContentType: String, Sendable {
    /// `application/grpc`, with or without its encoding.
    case grpc = "application/grpc"
    /// DNS over HTTPS ([RFC 8484 §6](https://www.rfc-editor.org/rfc/rfc8484#section-6)).
    case dnsMessage = "application/dns-message"

    init?(_ bytes: Span<UInt8>, in range: Range<Int>) {
      let value = bytes.extracting(range)
      guard let type = [Self.grpc, .dnsMessage].first(where: { value.matchesIgnoringCase($0.rawValue, at: 0) }) else { return nil }
      self = type
      guard value.count > rawValue.utf8.count else { return }
      switch value[rawValue.utf8.count] {
      case UInt8(ascii: ";"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: " "): break
      default: return nil
      }
    }
  }

  /// What HTTP carries, as far as the head tells.
  public var application: Application {
    if isWebSocketUpgrade { return .websocket }
    switch contentType {
    case .grpc: return .grpc
    case .dnsMessage: return .doh
    case nil: return .http
    }
  }

  public enum TargetForm: String, CaseIterable, Sendable {
    /// `/path`: to the server itself.
    case origin
    /// `http://host/path`: to a proxy.
    case absolute
    /// `host:port`: CONNECT.
    case authority
    /// `*`: OPTIONS for the server as a whole.
    case asterisk
  }

  public init(
    method: String, minorVersion: UInt8 = 1, form: TargetForm = .origin, targetAuthority: HTTPAuthority? = nil,
    hostField: HTTPAuthority? = nil, isWebSocketUpgrade: Bool = false, byteCount: Int? = nil
  ) {
    self.method = method
    self.minorVersion = minorVersion
    self.form = form
    self.targetAuthority = targetAuthority
    self.hostField = hostField
    self.isWebSocketUpgrade = isWebSocketUpgrade
    self.byteCount = byteCount
  }

  public var isConnect: Bool { form == .authority }

  /// Who the request is for: the target's authority where there is one, else the Host field (RFC 9112 §3.2.2).
  /// Nil for CONNECT, which is for the proxy; what lies behind is `targetAuthority`.
  public var authority: HTTPAuthority? {
    switch form {
    case .absolute: targetAuthority
    case .authority: nil
    case .origin, .asterisk: hostField
    }
  }

  /// The name of who the request is for; nil for an address literal, an invalid or repeated Host, none at all, and CONNECT.
  public var host: DomainName? { authority?.host.name }
  public var hostPort: UInt16? { authority?.port }
  public var isAddressLiteral: Bool { authority?.host.isAddress ?? false }

  /// Where a CONNECT wants to go.
  public var connectTarget: HTTPAuthority? { isConnect ? targetAuthority : nil }

  /// What the client asks a proxy for: of CONNECT and of absolute form; nil when that is neither a name nor an address.
  public var proxyTarget: ProxyTarget? {
    guard form == .absolute || form == .authority, let targetAuthority else { return nil }
    let target: DomainName
    switch targetAuthority.host {
    case .name(let name): target = name
    case .address(let address): target = DomainName(presentation: address.description)
    case .invalid: return nil
    }
    return ProxyTarget(kind: isConnect ? .httpConnect : .httpAbsolute, target: target, port: targetAuthority.port)
  }
}

/// A host and an optional port, as the Host field and request targets have them
/// ([RFC 3986 §3.2](https://www.rfc-editor.org/rfc/rfc3986#section-3.2)).
public struct HTTPAuthority: Hashable, Sendable {
  public var host: ClaimedHost
  /// Nil when none was written; `host` is invalid when what was written is no port.
  public var port: UInt16?

  public init(host: ClaimedHost, port: UInt16? = nil) {
    self.host = host
    self.port = port
  }

  /// Splits `host`, `host:port`, `[v6]` and `[v6]:port`. An IPv6 address without brackets is taken as one, without a port.
  init(_ bytes: Span<UInt8>, in range: Range<Int>) {
    var colon: Int?
    var colonCount = 0
    for index in range {
      switch bytes[index] {
      case UInt8(ascii: ":"):
        colon = index
        colonCount += 1
      case UInt8(ascii: "]"):
        // The colons so far were inside the brackets.
        colon = nil
        colonCount = 0
      default:
        break
      }
    }
    guard let colon, colonCount == 1 else {
      self.init(host: ClaimedHost(bytes, in: range))
      return
    }
    let digits = colon + 1..<range.upperBound
    guard !digits.isEmpty else {
      self.init(host: ClaimedHost(bytes, in: range.lowerBound..<colon))
      return
    }
    var port: UInt32 = 0
    for index in digits {
      guard case UInt8(ascii: "0")...UInt8(ascii: "9") = bytes[index], digits.count <= 5 else {
        self.init(host: .invalid(.badOctet))
        return
      }
      port = port * 10 + UInt32(bytes[index] - UInt8(ascii: "0"))
    }
    guard let port = UInt16(exactly: port) else {
      self.init(host: .invalid(.badOctet))
      return
    }
    self.init(host: ClaimedHost(bytes, in: range.lowerBound..<colon), port: port)
  }
}
