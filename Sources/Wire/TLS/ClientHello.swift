public import EgressModel

/// What a TLS client says in the clear before anything is encrypted
/// ([RFC 8446 §4.1.2](https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2)).
public struct ClientHello: Hashable, Sendable {
  /// What the server_name extension says ([RFC 6066 §3](https://www.rfc-editor.org/rfc/rfc6066#section-3)): its first host_name.
  /// Nil without the extension, or when it lists only other kinds of name.
  public var claimedServerName: ClaimedHost?
  /// Whether the server_name extension stood there more than once; the first one counts.
  public var repeatsServerName = false
  /// Protocol names offered, in order, octet by octet as sent ([RFC 7301](https://www.rfc-editor.org/rfc/rfc7301)).
  public var alpn: [[UInt8]] = []
  /// The version field of the hello itself, which TLS 1.3 froze at 1.2.
  public var legacyVersion: TLSVersion
  /// The supported_versions extension, in order, GREASE included; empty without it.
  public var supportedVersions: [TLSVersion] = []
  /// In order, GREASE included.
  public var cipherSuites: [UInt16] = []
  /// The types of all extensions, in order, GREASE included.
  public var extensions: [UInt16] = []
  /// The signature_algorithms extension, in order, GREASE included.
  public var signatureAlgorithms: [UInt16] = []
  public var ech: TLSFacts.ECH = .none

  /// The largest handshake message accepted, in octets with its header. A hello with post-quantum keys has about 1,800.
  public static let maximumByteCount = 65_536

  public init(legacyVersion: TLSVersion) {
    self.legacyVersion = legacyVersion
  }

  /// The server's name; nil when none was said, or what was said is no host name (see `claimedServerName`).
  public var serverName: DomainName? { claimedServerName?.name }

  /// The newest version offered that is a version at all.
  public var version: TLSVersion {
    let newest = supportedVersions.max { ($0.rank ?? -1) < ($1.rank ?? -1) }
    guard let newest, newest.rank != nil else { return legacyVersion }
    return newest
  }

  /// The facts that a flow record keeps.
  public var facts: TLSFacts {
    TLSFacts(sni: serverName, alpn: alpn.prefix(Self.keptProtocolCount).filter { $0.count <= Self.keptProtocolLength }.map(Self.text(ofProtocol:)), version: version.description, ech: ech)
  }

  /// Protocols of a hello that its facts keep, and octets of their names; the registry's longest has 20.
  static let keptProtocolCount = 16
  static let keptProtocolLength = 64

  /// A protocol name as text: printable ASCII stays, everything else and the backslash become decimal escapes.
  static func text(ofProtocol name: [UInt8]) -> String {
    var text: [UInt8] = []
    for octet in name {
      if (0x21...0x7e).contains(octet), octet != UInt8(ascii: "\\") {
        text.append(octet)
      } else {
        text += [UInt8(ascii: "\\"), octet / 100 + 0x30, octet / 10 % 10 + 0x30, octet % 10 + 0x30]
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
