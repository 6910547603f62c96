import EgressModel

/// What a suggestion can be written in.
public enum PolicyDialect: String, CaseIterable, Sendable {
  case networkPolicy = "networkpolicy"
  case cilium
  case calico
  /// With the names that open-source Calico does not match.
  case calicoEnterprise = "calico-enterprise"
  case clusterNetworkPolicy = "clusternetworkpolicy"
  case egressFirewall = "egressfirewall"
  case istio
  case systemd
  case egressPolicy = "egresspolicy"
}

extension PolicyDialect {
  /// How people call it.
  public var title: String {
    switch self {
    case .networkPolicy: "NetworkPolicy"
    case .cilium: "CiliumNetworkPolicy"
    case .calico: "Calico NetworkPolicy"
    case .calicoEnterprise: "Calico Enterprise NetworkPolicy"
    case .clusterNetworkPolicy: "ClusterNetworkPolicy"
    case .egressFirewall: "EgressFirewall"
    case .istio: "Istio Sidecar and ServiceEntry"
    case .systemd: "systemd drop-in"
    case .egressPolicy: "EgressPolicy"
    }
  }

  /// Whether its rules can name a destination; else they hold the blocks of addresses that were seen.
  var knowsNames: Bool {
    switch self {
    case .networkPolicy, .calico, .systemd: false
    case .cilium, .calicoEnterprise, .clusterNetworkPolicy, .egressFirewall, .istio, .egressPolicy: true
    }
  }

  /// Whether a host name can stand in its rules.
  func accepts(_ name: DomainName) -> Bool {
    self != .clusterNetworkPolicy || NamePattern(name.text, asterisk: .oneLabel, minimum: 2) != nil
  }

  /// Whether it judges where a connection ends after the translation of Services; else the address that was dialled.
  var seesBackends: Bool { self != .egressPolicy && self != .systemd }

  /// Whether its rules can be about a protocol, without letting through everything else that goes to the same place.
  func carries(_ transport: Transport) -> Bool {
    switch self {
    case .networkPolicy, .clusterNetworkPolicy, .egressFirewall: transport.hasPorts
    case .cilium, .egressPolicy: transport.hasPorts || transport == .icmp || transport == .icmpv6
    case .calico, .calicoEnterprise: transport.rawValue > 0
    case .istio, .systemd: true
    }
  }

  /// As whose rules its text is read.
  var engine: Engine { self == .calicoEnterprise ? .calicoEnterprise : .auto }
}
