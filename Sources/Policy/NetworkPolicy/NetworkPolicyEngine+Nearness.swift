import EgressModel

/// How far a rule comes in allowing a flow, and what it fails at.
extension NetworkPolicyEngine {
  func nearness(of rule: Rule, _ place: Place, _ transport: Transport) -> Int {
    var destination = rule.peers.isEmpty ? Nearness.destination : 0
    for peer in rule.peers {
      destination = max(destination, nearness(of: peer, place))
      if destination == Nearness.destination { break }
    }
    var port = rule.declared.ports.isEmpty ? Nearness.port : 0
    for allowed in rule.declared.ports where allowed.transport == transport {
      port = max(port, fits(allowed, place) ? Nearness.port : 1)
      if port == Nearness.port { break }
    }
    return destination + port
  }

  /// For a port of the flow's own transport.
  private func fits(_ port: NetworkPolicy.Port, _ place: Place) -> Bool {
    guard let number = place.port else { return false }
    switch port.number {
    case .any: return true
    case .range(let range): return range.contains(number)
    case .named(let name):
      // A name means a container port of the destination; what is no pod has none.
      guard let pod = place.pod else { return false }
      return cluster.pods[pod].ports.contains { $0.name == name && $0.transport == port.transport && $0.number == number }
    }
  }

  private func nearness(of peer: Peer, _ place: Place) -> Int {
    switch peer {
    case .block(let prefix, let except):
      guard prefix.contains(place.address) else { return 0 }
      return except.contains { $0.contains(place.address) } ? 2 : Nearness.destination
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
  func miss(of rule: Rule, _ place: Place, _ destination: Destination) -> String {
    let ratings = rule.peers.map { nearness(of: $0, place) }
    guard rule.peers.isEmpty || ratings.contains(Nearness.destination) else { return miss(of: rule, ratings, place) }
    let wanted = rule.declared.ports.map(\.description).joined(separator: ", ")
    guard let port = place.port else { return "\(destination.transport) has no port, and the rule allows only \(wanted)" }
    return "port \(port)/\(destination.transport) is not \(wanted)"
  }

  private func miss(of rule: Rule, _ ratings: [Int], _ place: Place) -> String {
    let nearest = ratings.max().flatMap(ratings.firstIndex) ?? 0
    let others = ratings.count == 1 ? "" : ratings.count == 2 ? ", nor does the other peer fit" : ", nor do \(ratings.count - 1) other peers fit"
    switch rule.peers[nearest] {
    case .block(let prefix, let except):
      if let block = except.first(where: { $0.contains(place.address) }) { return "\(place.address) is in except \(block)\(others)" }
      return "\(place.address) is not in \(prefix)\(others)"
    case .pods(_, let namespaces):
      let wanted = rule.declared.peers[nearest].description
      guard let index = place.pod else { return "\(place.address) is no pod's address, and the rule wants \(wanted)\(others)" }
      let pod = cluster.pods[index]
      let culprit =
        namespaceLists[namespaces][cluster.namespaceOfPod[index]]
        ? "the labels of pod \(pod.namespace)/\(pod.name) do" : "the namespace of pod \(pod.namespace)/\(pod.name) does"
      return "\(culprit) not match \(wanted)\(others)"
    }
  }
}
