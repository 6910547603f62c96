public import EgressModel

/// Where an address is, seen from this cluster or host.
public struct ScopeClassifier: Sendable {
  private var nodes: Set<IPAddress>
  private var cluster: Set<IPAddress> = []
  // Few distinct lengths and up to thousands of blocks: one hashed look-up per length.
  private var podBlocks: Set<IPPrefix>
  private var podBlockLengths: [Int]

  /// `nodeAddresses` are those of the node that observes, which an inventory may not list.
  public init(inventory: Inventory = Inventory(), nodeAddresses: some Sequence<IPAddress> = []) {
    nodes = Set(nodeAddresses).union(inventory.nodes.flatMap(\.addresses))
    for pod in inventory.pods where pod.ownsAddresses {
      if pod.hostNetwork { nodes.formUnion(pod.addresses) } else { cluster.formUnion(pod.addresses) }
    }
    cluster.formUnion(inventory.services.flatMap(\.clusterIPs))
    podBlocks = Set(inventory.nodes.flatMap(\.podCIDRs))
    podBlockLengths = Set(podBlocks.map(\.length)).sorted()
  }

  public func scope(of address: IPAddress) -> Scope {
    if address.isLoopback || address.isLinkLocal || address.isMulticast || address.isBroadcast || address.isUnspecified { return .local }
    if nodes.contains(address) { return .node }
    if cluster.contains(address) || isPodAddress(address) { return .cluster }
    return address.isPrivate ? .private : .external
  }

  private func isPodAddress(_ address: IPAddress) -> Bool {
    podBlockLengths.contains { length in
      IPPrefix(address, length: length).map(podBlocks.contains) ?? false
    }
  }
}
