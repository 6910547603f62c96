public import EgressModel

extension RuleReference {
  /// With the kind as kubectl abbreviates it: `netpol/shop/egress#1`.
  public var shortName: String {
    guard let slash = policy.firstIndex(of: "/"), let short = Self.shortKinds[policy[..<slash]] else { return description }
    return "\(short)\(policy[slash...])#\(rule)"
  }

  private static let shortKinds: [Substring: String] = [
    "NetworkPolicy": "netpol", "CiliumNetworkPolicy": "cnp", "CiliumClusterwideNetworkPolicy": "ccnp", "AdminNetworkPolicy": "anp",
    "BaselineAdminNetworkPolicy": "banp", "GlobalNetworkPolicy": "gnp",
  ]
}
