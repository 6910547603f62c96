import EgressModel

/// Says by what a dialect can let an observed endpoint through.
struct PeerResolver {
  struct Refusal: Error {
    var reason: String
  }

  private let dialect: PolicyDialect
  private let cluster: Cluster
  private let rotating: [DomainName: DomainName]
  private var groups: [String: PodGroup?] = [:]

  init(dialect: PolicyDialect, cluster: Cluster, rotating: [DomainName: DomainName]) {
    self.dialect = dialect
    self.cluster = cluster
    self.rotating = rotating
  }

  typealias Found = (peer: Needs.Peer, port: Needs.Port)

  /// Several where a Service has several kinds of backends; none where no policy is asked.
  mutating func peers(of endpoint: Endpoint) -> Result<[Found], Refusal> {
    let destination = endpoint.destination
    if dialect == .systemd {
      // Its lists know no protocol and no port, and loopback is their matter.
      return .success([(outside(endpoint), Needs.Port(transport: .tcp))])
    }
    // A workload's own traffic is no policy's matter.
    if destination.address.isLoopback { return .success([]) }
    if endpoint.workload.kind == .pod, let pod = cluster.pod(for: endpoint.workload), cluster.pods[pod].addresses.contains(destination.address) {
      return .success([])
    }
    guard dialect.carries(destination.transport) else {
      return .failure(Refusal(reason: "\(dialect.title) cannot let \(destination.transport) through without everything else that goes there"))
    }
    guard dialect.seesBackends else {
      return .success([(outside(endpoint), Needs.Port(transport: destination.transport, number: destination.port))])
    }
    if dialect == .istio { return registered(endpoint) }
    switch cluster.targets(of: destination) {
    case .unknown(let reason):
      if dialect == .cilium, cluster.service(at: destination.address)?.isAPIServer == true {
        return .success([(.apiServer, Needs.Port(transport: destination.transport, number: destination.port))])
      }
      return .failure(Refusal(reason: reason))
    case .places(let places):
      var found: [Found] = []
      for place in places {
        // Between pods it lets everything through.
        if dialect == .egressFirewall, place.pod != nil || cluster.isPodNetwork(place.address) { continue }
        switch peer(at: place, endpoint) {
        case .success(let peer): found.append((peer, Needs.Port(transport: destination.transport, number: place.port)))
        case .failure(let refusal): return .failure(refusal)
        }
      }
      return .success(found)
    }
  }

  private mutating func peer(at place: Place, _ endpoint: Endpoint) -> Result<Needs.Peer, Refusal> {
    if let index = place.pod {
      let pod = cluster.pods[index]
      let group = pod.workload.group
      let known = groups[group] ?? PodGroup(of: group, in: cluster)
      groups[group] = .some(known)
      return known.map { .success(.pods($0)) } ?? .failure(Refusal(reason: "pod \(pod.namespace)/\(pod.name) has no labels to select it by"))
    }
    if cluster.node(at: place.address) != nil || cluster.hostNetworkPod(at: place.address) != nil { return node(place.address, endpoint.workload) }
    guard !cluster.isPodNetwork(place.address) else {
      return .failure(Refusal(reason: "\(place.address) is a pod's address, and the pod is not in the inventory"))
    }
    return .success(outside(endpoint))
  }

  private func node(_ address: IPAddress, _ workload: Workload) -> Result<Needs.Peer, Refusal> {
    guard dialect == .cilium else { return .success(.node(address, isOwn: nil)) }
    let own = cluster.pod(for: workload).flatMap { cluster.pods[$0].node }
    let node = cluster.node(at: address).map { cluster.nodes[$0].name } ?? cluster.hostNetworkPod(at: address).flatMap { cluster.pods[$0].node }
    guard let own, let node else { return .failure(Refusal(reason: "whether \(address) is the workload's own node is not in the inventory")) }
    return .success(.node(address, isOwn: own == node))
  }

  /// What of a mesh's registry a TCP connection is for: a Service, or an entry that is still to be written.
  private func registered(_ endpoint: Endpoint) -> Result<[Found], Refusal> {
    let destination = endpoint.destination
    guard destination.transport == .tcp, let number = destination.port else { return .success([]) }
    var port = Needs.Port(transport: .tcp, number: number)
    if let service = service(behind: destination) { return .success([(.service(namespace: service.namespace, name: service.name), port)]) }
    guard cluster.service(at: destination.address) == nil, cluster.pod(at: destination.address) == nil else {
      return .failure(Refusal(reason: "no Service of the inventory leads there, and a mesh that is closed knows only those"))
    }
    var peer = outside(endpoint)
    switch endpoint.application {
    case .tls?, .doh?, .dot?: port.word = "TLS"
    case .http?, .grpc?, .websocket?: port.word = "HTTP"
    default: port.word = "TCP"
    }
    // Of what is neither, the sidecar knows only addresses.
    if peer.pattern == nil { port.word = "TCP" } else if port.word == "TCP" { peer = .block(Self.around(endpoint.address)) }
    return .success([(peer, port)])
  }

  private func service(behind destination: Destination) -> Service? {
    if let service = cluster.service(at: destination.address) {
      return service.ports.contains { $0.number == destination.port && $0.transport == .tcp } ? service : nil
    }
    guard let pod = cluster.pod(at: destination.address).map({ cluster.pods[$0] }) else { return nil }
    return cluster.services.first { service in
      guard service.namespace == pod.namespace, !service.selector.isEmpty, service.selector.allSatisfy({ pod.labels[$0] == $1 }) else { return false }
      return service.ports.contains { port in
        switch port.target {
        case .number(let number): port.transport == .tcp && number == destination.port
        case .named(let name): port.transport == .tcp && pod.ports.contains { $0.name == name && $0.number == destination.port && $0.transport == .tcp }
        }
      }
    }
  }

  /// The smallest blocks that the internet routes: what has a name moves within them, and seldom out of them.
  private static func around(_ address: IPAddress) -> IPPrefix {
    IPPrefix(address, length: address.isV4 ? 24 : 48) ?? IPPrefix(address)
  }

  /// By name where that can be; else the address of what nothing names, or the block around what has a name.
  private func outside(_ endpoint: Endpoint) -> Needs.Peer {
    let address = endpoint.address
    guard let name = endpoint.suggestedName else { return .block(IPPrefix(address)) }
    guard dialect.knowsNames, dialect.accepts(name) else { return .block(Self.around(address)) }
    return rotating[name].map { .below($0) } ?? .name(name)
  }
}

extension Endpoint {
  /// The name that a rule may hold; nil for what is known by a hint, by an encrypted hello's public name, or by what is no host name.
  var suggestedName: DomainName? {
    guard let evidence = name, let name = destination.policyName, let pattern = NamePattern(name.text, asterisk: .oneLabel, minimum: 1),
      pattern.wildcardDomain == nil
    else { return nil }
    let isOuter = ech == .outer && (evidence.source == .tlsSNI || evidence.source == .quicSNI)
    return isOuter ? nil : name
  }
}
