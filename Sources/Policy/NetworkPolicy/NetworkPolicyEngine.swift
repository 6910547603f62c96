import EgressModel

/// Every NetworkPolicy of a cluster, resolved against its inventory: which policies isolate which pod, which namespaces a peer means.
struct NetworkPolicyEngine: Sendable {
  private struct Policy: Sendable {
    var reference: String
    var namespace: String
    var rules: [Rule]
  }

  private struct Rule: Sendable {
    var declared: NetworkPolicy.Rule
    var peers: [Peer]
  }

  private enum Peer: Sendable {
    case pods(LabelSelector, in: Set<String>)
    case block(IPPrefix, except: [IPPrefix])
  }

  private let cluster: Cluster
  /// Those that isolate for egress, sorted by reference.
  private let policies: [Policy]
  /// For each pod of the cluster, the policies that isolate it.
  private let selecting: [[Int]]
  private let namespaces: Set<String>

  init(_ declared: [NetworkPolicy], cluster: Cluster) {
    self.cluster = cluster
    let isolating = declared.filter(\.isolatesEgress).sorted { $0.name.reference < $1.name.reference }
    var resolved: [LabelSelector: Set<String>] = [:]
    func namespaces(_ selector: LabelSelector) -> Set<String> {
      if let known = resolved[selector] { return known }
      let names = Set(cluster.namespaces.values.lazy.filter { selector.matches($0.labels) }.map(\.name))
      resolved[selector] = names
      return names
    }
    policies = isolating.map { policy in
      Policy(
        reference: policy.name.reference, namespace: policy.namespace,
        rules: policy.egress.map { rule in
          Rule(
            declared: rule,
            peers: rule.peers.map { peer in
              switch peer {
              case .block(let prefix, let except): .block(prefix, except: except)
              case .pods(let pods, let selector): .pods(pods ?? LabelSelector(), in: selector.map(namespaces) ?? [policy.namespace])
              }
            })
        })
    }
    var indexes: [String: SelectorIndex] = [:]
    for (id, policy) in isolating.enumerated() { indexes[policy.namespace, default: SelectorIndex()].insert(policy.podSelector, id: id) }
    selecting = cluster.pods.map { pod in
      // Traffic of a pod on the host network is the node's.
      pod.hostNetwork ? [] : indexes[pod.namespace]?.matching(pod.labels) ?? []
    }
    self.namespaces = Set(indexes.keys)
  }

  /// Whether a pod of the namespace that is not in the inventory may be selected.
  func maySelectPods(in namespace: String) -> Bool { namespaces.contains(namespace) }

  func names(selecting pod: Int) -> [String] { selecting[pod].map { policies[$0].reference } }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    guard !selecting[pod].isEmpty else { return Verdict(decision: .unprotected) }
    let selected = names(selecting: pod)
    switch cluster.targets(of: destination) {
    case .places(let places):
      var verdict = judge(pod, places[0], destination, selected)
      for place in places.dropFirst() {
        let next = judge(pod, place, destination, selected)
        guard next.decision == verdict.decision else {
          return Verdict(
            decision: .undecidable,
            reason: "\(destination.address) leads to several pods, and the policies allow only some of them: "
              + (verdict.reason ?? next.reason ?? ""),
            selectedBy: selected)
        }
        verdict.by = Array(Set(verdict.by).union(next.by)).sorted()
      }
      return verdict
    case .unknown(let reason):
      let open = rules(selecting: pod).filter { $0.rule.peers.isEmpty && $0.rule.declared.ports.isEmpty }
      if !open.isEmpty { return Verdict(decision: .allowed, by: open.map(\.reference), selectedBy: selected) }
      if !rules(selecting: pod).contains(where: { _ in true }) { return denial(pod, nil, selected) }
      return Verdict(decision: .undecidable, reason: reason, selectedBy: selected)
    }
  }

  private func judge(_ pod: Int, _ place: Place, _ destination: Destination, _ selected: [String]) -> Verdict {
    var allowing: [RuleReference] = []
    for id in selecting[pod] {
      for (index, rule) in policies[id].rules.enumerated() where allows(rule, place, destination.transport) {
        allowing.append(RuleReference(policy: policies[id].reference, rule: index))
      }
    }
    if !allowing.isEmpty { return Verdict(decision: .allowed, by: allowing, selectedBy: selected) }
    var nearest: (reference: RuleReference, rule: Rule, nearness: Int)?
    for (reference, rule) in rules(selecting: pod) {
      let nearness = nearness(of: rule, place, destination.transport)
      // The first of equals, so that the order of manifests makes no difference.
      if nearness > nearest?.nearness ?? -1 { nearest = (reference, rule, nearness) }
    }
    guard let nearest else { return denial(pod, nil, selected) }
    return denial(pod, (nearest.reference, miss(of: nearest.rule, place, destination)), selected)
  }

  private func denial(_ pod: Int, _ nearest: (reference: RuleReference, miss: String)?, _ selected: [String]) -> Verdict {
    let reason = nearest.map { "\($0.reference): \($0.miss)" } ?? "\(selected.first ?? "a policy") selects the pod and has no egress rule"
    return Verdict(decision: .denied, reason: reason, nearest: nearest?.reference, selectedBy: selected)
  }

  private func rules(selecting pod: Int) -> some Sequence<(reference: RuleReference, rule: Rule)> {
    selecting[pod].lazy.flatMap { id in
      policies[id].rules.lazy.enumerated().map { (RuleReference(policy: policies[id].reference, rule: $0), $1) }
    }
  }

  private func allows(_ rule: Rule, _ place: Place, _ transport: Transport) -> Bool {
    (rule.declared.ports.isEmpty || rule.declared.ports.contains { fits($0, place, transport) })
      && (rule.peers.isEmpty || rule.peers.contains { fits($0, place) })
  }

  private func fits(_ port: NetworkPolicy.Port, _ place: Place, _ transport: Transport) -> Bool {
    guard port.transport == transport, let number = place.port else { return false }
    switch port.number {
    case .any: return true
    case .range(let range): return range.contains(number)
    case .named(let name):
      // A name means a container port of the destination; what is no pod has none.
      guard let pod = place.pod else { return false }
      return cluster.pods[pod].ports.contains { $0.name == name && $0.transport == transport && $0.number == number }
    }
  }

  private func fits(_ peer: Peer, _ place: Place) -> Bool {
    switch peer {
    case .block(let prefix, let except):
      return prefix.contains(place.address) && !except.contains { $0.contains(place.address) }
    case .pods(let selector, let namespaces):
      guard let index = place.pod else { return false }
      return namespaces.contains(cluster.pods[index].namespace) && selector.matches(cluster.pods[index].labels)
    }
  }
}

/// The nearest miss: how far a rule came, and what it failed at.
extension NetworkPolicyEngine {
  /// A fitting destination counts more than a fitting port, since people look for the rule about the destination.
  private func nearness(of rule: Rule, _ place: Place, _ transport: Transport) -> Int {
    let destination = rule.peers.isEmpty ? 6 : rule.peers.map { nearness(of: $0, place) }.max() ?? 0
    let ports = rule.declared.ports
    let port = ports.isEmpty || ports.contains { fits($0, place, transport) } ? 3 : ports.contains { $0.transport == transport } ? 1 : 0
    return destination + port
  }

  private func nearness(of peer: Peer, _ place: Place) -> Int {
    if fits(peer, place) { return 6 }
    switch peer {
    case .block(let prefix, _): return prefix.contains(place.address) ? 2 : 0
    case .pods(let selector, let namespaces):
      guard let index = place.pod else { return 0 }
      let pod = cluster.pods[index]
      return namespaces.contains(pod.namespace) ? 1 : selector.matches(pod.labels) && !selector.selectsEverything ? 2 : 0
    }
  }

  /// The first failing condition, in words.
  private func miss(of rule: Rule, _ place: Place, _ destination: Destination) -> String {
    guard rule.peers.isEmpty || rule.peers.contains(where: { fits($0, place) }) else { return miss(of: rule, place) }
    let wanted = rule.declared.ports.map(\.description).joined(separator: ", ")
    guard let port = place.port else { return "\(destination.transport) has no port, and the rule allows only \(wanted)" }
    return "port \(port)/\(destination.transport) is not \(wanted)"
  }

  private func miss(of rule: Rule, _ place: Place) -> String {
    let nearest = rule.peers.indices.max { nearness(of: rule.peers[$0], place) < nearness(of: rule.peers[$1], place) } ?? 0
    let others = rule.peers.count == 1 ? "" : rule.peers.count == 2 ? ", nor does the other peer fit" : ", nor do \(rule.peers.count - 1) other peers fit"
    switch rule.peers[nearest] {
    case .block(let prefix, let except):
      if let block = except.first(where: { $0.contains(place.address) }) { return "\(place.address) is in except \(block)\(others)" }
      return "\(place.address) is not in \(prefix)\(others)"
    case .pods(_, let namespaces):
      let wanted = rule.declared.peers[nearest].description
      guard let index = place.pod else { return "\(place.address) is no pod's address, and the rule wants \(wanted)\(others)" }
      let pod = cluster.pods[index]
      let culprit = namespaces.contains(pod.namespace) ? "the labels of pod \(pod.namespace)/\(pod.name) do" : "the namespace of pod \(pod.namespace)/\(pod.name) does"
      return "\(culprit) not match \(wanted)\(others)"
    }
  }
}
