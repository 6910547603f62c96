/// Where a name was said. The order of the cases is the order of trust.
public enum NameSource: String, CaseIterable, Comparable, Sendable, Codable {
  case tlsSNI = "tls_sni"
  case quicSNI = "quic_sni"
  case httpHost = "http_host"
  case httpConnect = "http_connect"
  case socks
  case dns
  case certificate
  case ptr

  /// Whether the client says it in the connection itself.
  public var isSpoken: Bool {
    switch self {
    case .tlsSNI, .quicSNI, .httpHost, .httpConnect, .socks: true
    case .dns, .certificate, .ptr: false
    }
  }

  /// Most trusted first.
  public static func < (a: NameSource, b: NameSource) -> Bool {
    allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
  }
}

/// How sure it is that a name belongs to a flow. The order of the cases is from sure to unsure.
public enum Confidence: String, CaseIterable, Comparable, Sendable, Codable {
  /// Said in this very connection.
  case confirmed
  /// This workload looked the name up and got this address, within its time to live; no other name fits.
  case resolved
  /// As resolved, but several names fit.
  case shared
  /// Anything else: a PTR record, another workload's look-up. Never satisfies a policy.
  case hint

  public static func < (a: Confidence, b: Confidence) -> Bool {
    allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
  }
}

/// One name of a flow's destination, with what it rests on.
public struct NameEvidence: Hashable, Sendable {
  public var name: DomainName
  public var source: NameSource
  public var confidence: Confidence
  /// The canonical names between the queried name and the address, in order; empty for sources other than DNS.
  public var chain: [DomainName]

  public init(name: DomainName, source: NameSource, confidence: Confidence, chain: [DomainName] = []) {
    self.name = name
    self.source = source
    self.confidence = confidence
    self.chain = chain
  }
}
