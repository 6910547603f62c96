import EgressModel

/// How far a rule comes in matching a flow, and what it fails at.
extension ClusterNetworkPolicyEngine {
  func nearness(of rule: Rule, _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> Int {
    var nearness = 0
    for peer in rule.peers {
      nearness = max(nearness, self.nearness(of: peer, place, names))
      if nearness == Nearness.destination { break }
    }
    return nearness + (rule.declared.ports.match(place, destination.transport, cluster) ? Nearness.port : 0)
  }

  private func nearness(of peer: Peer, _ place: Place, _ names: [LabelledName]) -> Int {
    switch peer {
    case .networks(let blocks): return Nearness.of(place.address, in: blocks)
    case .names(let patterns): return Nearness.of(names, in: patterns)
    case .nodes(let meant): return cluster.node(at: place.address).map { meant[$0] ? Nearness.destination : 1 } ?? 0
    case .pods(let selector, let namespaces):
      guard let pod = place.pod else { return 0 }
      switch (namespaceLists[namespaces][cluster.namespaceOfPod[pod]], matchedSelectors[pod].holds(selector)) {
      case (true, true): return Nearness.destination
      case (false, true): return 2
      case (true, false): return 1
      case (false, false): return 0
      }
    }
  }

  /// The first failing condition, in words.
  func miss(of rule: Rule, _ place: Place, _ destination: Destination, _ names: [LabelledName]) -> String {
    let ratings = rule.peers.map { nearness(of: $0, place, names) }
    if ratings.contains(Nearness.destination) { return rule.declared.ports.miss(place, destination.transport) }
    let nearest = ratings.max().flatMap(ratings.firstIndex) ?? 0
    guard rule.peers.indices.contains(nearest) else { return "it names nobody" }
    let others = ratings.count == 1 ? "" : ratings.count == 2 ? ", nor does the other peer fit" : ", nor do \(ratings.count - 1) other peers fit"
    let wanted = rule.declared.peers[nearest].description
    switch rule.peers[nearest] {
    case .networks: return "\(place.address) is not in \(wanted)\(others)"
    case .names(let patterns): return destination.miss(of: patterns, names) + others
    case .nodes:
      guard let node = cluster.node(at: place.address) else { return "\(place.address) is no node's address, and the rule wants \(wanted)\(others)" }
      return "the labels of node \(cluster.nodes[node].name) do not match \(wanted)\(others)"
    case .pods(_, let namespaces):
      guard let index = place.pod else { return "\(place.address) is no pod's address, and the rule wants \(wanted)\(others)" }
      let pod = cluster.pods[index]
      let culprit = namespaceLists[namespaces][cluster.namespaceOfPod[index]] ? "the labels of pod \(pod.namespace)/\(pod.name) do" : "the namespace of pod \(pod.namespace)/\(pod.name) does"
      return "\(culprit) not match \(wanted)\(others)"
    }
  }
}
