import EgressModel

/// What a suggestion can be written in.
public enum PolicyDialect: String, CaseIterable, Sendable {
  case networkPolicy = "networkpolicy"
  case cilium
  case egressPolicy = "egresspolicy"
}

extension PolicyDialect {
  /// How people call it.
  public var title: String {
    switch self {
    case .networkPolicy: "NetworkPolicy"
    case .cilium: "CiliumNetworkPolicy"
    case .egressPolicy: "EgressPolicy"
    }
  }

  /// Whether its rules can name a destination; else they hold the blocks of addresses that were seen.
  var knowsNames: Bool {
    switch self {
    case .networkPolicy: false
    case .cilium, .egressPolicy: true
    }
  }

  /// Whether a host name can stand in its rules.
  func accepts(_ name: DomainName) -> Bool { true }

  /// Whether it judges where a connection ends after the translation of Services; else the address that was dialled.
  var seesBackends: Bool { self != .egressPolicy }

  /// Whether its rules can be about a protocol, without letting through everything else that goes to the same place.
  func carries(_ transport: Transport) -> Bool {
    switch self {
    case .networkPolicy: transport.hasPorts
    case .cilium, .egressPolicy: transport.hasPorts || transport == .icmp || transport == .icmpv6
    }
  }
}
