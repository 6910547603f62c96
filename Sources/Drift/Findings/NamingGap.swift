public import EgressModel

/// Why no evidence better than a hint names a destination.
public enum NamingGap: String, CaseIterable, Sendable {
  /// The hello was read and says no name.
  case noSNI = "no SNI"
  /// The only name is the public name of an encrypted hello.
  case encryptedHello = "encrypted hello"
  /// The client said an address where a name could be, or talks to a resolver, which is configured by address.
  case addressLiteral = "address literal"
  /// Nothing was said in the connection, and no look-up of this workload gave the address.
  case neverLookedUp = "never looked up"
}

/// What findings are decided by: of an endpoint, or of one flow to it.
public protocol Observed {
  var scope: Scope { get }
  var name: NameEvidence? { get }
  var application: Application? { get }
  var ech: TLSFacts.ECH { get }
  var verdict: Verdict? { get }
  /// Whether the destination ever answered.
  var isAnswered: Bool { get }
}

extension Endpoint: Observed {
  public var isAnswered: Bool { answered > 0 }
}

extension FlowRecord: Observed {
  public var ech: TLSFacts.ECH { tls?.ech ?? .none }
  public var isAnswered: Bool { state.isAnswered }
}

extension Observed {
  /// Nil when the destination is named.
  public var namingGap: NamingGap? {
    if let name, name.confidence != .hint {
      if IPAddress(name.name.text) != nil { return .addressLiteral }
      let isOuter = ech == .outer && (name.source == .tlsSNI || name.source == .quicSNI)
      return isOuter ? .encryptedHello : nil
    }
    if ech == .outer { return .encryptedHello }
    switch application {
    case .tls?, .quic?: return .noSNI
    case .http?, .dns?, .dot?, .doq?: return .addressLiteral
    default: return .neverLookedUp
    }
  }

  /// The name, unless it is only a hint, an address literal or an encrypted hello's public name.
  public var reliableName: DomainName? { namingGap == nil ? name?.name : nil }

  /// Outside of cluster and host, as far as can be known: what findings are about.
  public var isThirdParty: Bool { scope == .external || scope == .private }
}

extension Application {

  /// DNS over TLS, HTTPS or QUIC.
  public var isEncryptedDNS: Bool { self == .dot || self == .doh || self == .doq }
}
