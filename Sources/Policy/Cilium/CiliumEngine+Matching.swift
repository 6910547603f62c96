import EgressModel

/// How far a rule comes in fitting a flow, and what it fails at.
extension CiliumEngine {
  struct Fit {
    /// See `Nearness`.
    var nearness: Int
    /// Why it cannot be told whether the rule fits, though nothing says that it does not.
    var doubt: String?
  }

  func fit(of rule: Rule, _ flow: CiliumFlow, _ names: [LabelledName]) -> Fit {
    var destination = Fit(nearness: rule.peers == nil ? Nearness.destination : 0)
    for peer in rule.peers ?? [] {
      let next = fit(of: peer, flow, names)
      if next.doubt == nil ? next.nearness > destination.nearness : destination.nearness < Nearness.destination { destination = next }
      if destination.doubt == nil, destination.nearness == Nearness.destination { break }
    }
    let port = portFit(of: rule, flow)
    var fit = Fit(nearness: destination.nearness + port.nearness)
    if fit.nearness == Nearness.fits { fit.doubt = destination.doubt ?? port.doubt }
    return fit
  }

  private func portFit(of rule: Rule, _ flow: CiliumFlow) -> Fit {
    if let icmp = rule.icmp {
      let types = icmp.filter { $0.transport == flow.destination.transport }
      // Who begins to talk ICMP asks for an echo, or nearly always.
      return Fit(nearness: types.isEmpty ? 0 : Nearness.port, doubt: types.contains(where: \.isEchoRequest) ? nil : "the type of an ICMP message is not known")
    }
    if rule.ports.isEmpty { return Fit(nearness: Nearness.port) }
    var best = Fit(nearness: 0)
    for ports in rule.ports {
      var nearness = ports.ports.contains { $0.transport == nil || $0.transport == flow.destination.transport } ? 1 : 0
      if ports.ports.match(flow.place, flow.destination.transport, cluster) { nearness = admits(ports, flow) ? Nearness.port : 2 }
      best.nearness = max(best.nearness, nearness)
    }
    if best.nearness < Nearness.port, case .service(let service, let reason) = flow.identity, flow.place.port == nil, service?.ports.isEmpty == false {
      best = Fit(nearness: Nearness.port, doubt: reason)
    }
    return best
  }

  private func admits(_ ports: CiliumPolicy.PortRule, _ flow: CiliumFlow) -> Bool {
    guard !ports.serverNames.isEmpty else { return true }
    return flow.destination.transport == .tcp && flow.serverNames.contains { name in ports.serverNames.contains { $0.matches(name) } }
  }

  private func fit(of peer: Peer, _ flow: CiliumFlow, _ names: [LabelledName]) -> Fit {
    func told(_ fits: Bool, else nearness: Int = 0) -> Fit { Fit(nearness: fits ? Nearness.destination : nearness) }
    func unsure(_ doubt: String) -> Fit { Fit(nearness: Nearness.destination, doubt: doubt) }
    // What may lie behind a Service that leads nobody knows where.
    if case .service(let service, let reason) = flow.identity {
      switch peer {
      case .entity(.all): return told(true)
      case .entity(.kubeAPIServer): return service?.isAPIServer == true ? told(true) : unsure(reason)
      case .service(_, let reference, _): return service.map(reference.means) == true ? told(true) : unsure(reason)
      case .entity(.none), .entity(.`init`), .entity(.ingress), .entity(.unmanaged), .entity(.health): return told(false)
      default: return unsure(reason)
      }
    }
    switch peer {
    case .endpoints(let selector, let reserved):
      if case .pod(let pod) = flow.identity {
        return told(matchedSelectors[pod].holds(selector), else: 1)
      }
      return told(reserved?.matches(flow.reservedLabels) ?? false)
    case .entity(let entity): return fit(of: entity, flow)
    case .block(let prefix, let except): return blockFit(prefix.contains(flow.place.address), flow, except)
    case .blocks(let blocks, let except): return blockFit(blocks.block(of: flow.place.address) != nil, flow, except)
    case .name(let pattern):
      guard case .world = flow.identity else { return told(false) }
      if names.contains(where: pattern.matches) { return told(true) }
      return told(false, else: names.contains(where: pattern.resembles) ? 1 : 0)
    case .service(let pods, let reference, let isKnown):
      if case .pod(let pod) = flow.identity, pods.contains(where: { matchedSelectors[pod].holds($0) }) { return told(true) }
      return isKnown ? told(false) : unsure("where \(reference) leads is not in the inventory")
    case .nodes(let selector):
      guard case .node(let node, _) = flow.identity else { return told(false) }
      if let node, !selector.matches(cluster.nodes[node].labels) { return told(false, else: 1) }
      return unsure("toNodes counts only where Cilium labels nodes (enable-node-selector-labels)")
    case .cloudGroup:
      guard case .world = flow.identity else { return told(false) }
      return unsure("the addresses of toGroups are only known to the cloud's API")
    }
  }

  private func blockFit(_ contains: Bool, _ flow: CiliumFlow, _ except: [IPPrefix]) -> Fit {
    guard contains else { return Fit(nearness: 0) }
    guard case .world = flow.identity, !except.contains(where: { $0.contains(flow.place.address) }) else { return Fit(nearness: 2) }
    return Fit(nearness: Nearness.destination)
  }

  private func fit(of entity: CiliumPolicy.Entity, _ flow: CiliumFlow) -> Fit {
    let isNode = if case .node = flow.identity { true } else { false }
    let fits: Bool
    switch entity {
    case .all: fits = true
    case .world: fits = flow.identity == .world
    case .worldIPv4: fits = flow.identity == .world && flow.place.address.isV4
    case .worldIPv6: fits = flow.identity == .world && !flow.place.address.isV4
    case .cluster: fits = flow.identity != .world
    case .host, .remoteNode:
      guard case .node(_, let isLocal) = flow.identity else { return Fit(nearness: 0) }
      guard let isLocal else {
        return Fit(nearness: Nearness.destination, doubt: "whether \(flow.place.address) is the workload's own node is not in the inventory")
      }
      fits = isLocal == (entity == .host)
    case .kubeAPIServer:
      guard isNode else { return Fit(nearness: 0) }
      return Fit(nearness: Nearness.destination, doubt: "whether \(flow.place.address) is an API server's is not in the inventory")
    case .`init`, .ingress, .unmanaged, .health, .none: fits = false
    }
    return Fit(nearness: fits ? Nearness.destination : 0)
  }
}

extension CiliumFlow {
  /// How Cilium labels what is no pod.
  var reservedLabels: [String: String] {
    switch identity {
    case .node(_, true): ["reserved:host": ""]
    case .node: ["reserved:remote-node": ""]
    case .world: ["reserved:world": "", place.address.isV4 ? "reserved:world-ipv4" : "reserved:world-ipv6": ""]
    default: [:]
    }
  }
}

extension Service {
  /// The one by which a cluster's workloads reach its API.
  var isAPIServer: Bool { namespace == "default" && name == "kubernetes" }
}

/// The first failing condition, in words.
extension CiliumEngine {
  func miss(of rule: Rule, _ flow: CiliumFlow, _ names: [LabelledName]) -> String {
    guard let peers = rule.peers else { return portMiss(of: rule, flow) }
    let fits = peers.map { fit(of: $0, flow, names).nearness }
    if fits.contains(Nearness.destination) { return portMiss(of: rule, flow) }
    guard let nearest = fits.max().flatMap(fits.firstIndex) else { return "it is about no destination" }
    let miss = miss(of: peers[nearest], flow, names, peers)
    // Names are told of together.
    let others = if case .name = peers[nearest] { peers.count { if case .name = $0 { false } else { true } } } else { peers.count - 1 }
    return miss + (others == 0 ? "" : others == 1 ? ", nor does the other peer fit" : ", nor do \(others) other peers fit")
  }

  private func portMiss(of rule: Rule, _ flow: CiliumFlow) -> String {
    let transport = flow.destination.transport
    if rule.icmp != nil { return "\(transport) is not what the rule allows, which is ICMP of some types" }
    if let names = rule.ports.first(where: { $0.ports.match(flow.place, transport, cluster) })?.serverNames {
      let wanted = names.map(\.description).joined(separator: ", ")
      return flow.serverNames.first.map { "server name \($0) is not \(wanted)" } ?? "no TLS server name was said, and the rule wants \(wanted)"
    }
    return rule.ports.flatMap(\.ports).miss(flow.place, transport)
  }

  private func miss(of peer: Peer, _ flow: CiliumFlow, _ names: [LabelledName], _ peers: [Peer]) -> String {
    let address = flow.place.address
    let what: String
    switch flow.identity {
    case .pod(let pod): what = "pod \(cluster.pods[pod].namespace)/\(cluster.pods[pod].name)"
    case .node(let node, _): what = node.map { "node \(cluster.nodes[$0].name)" } ?? "a node"
    case .world: what = "outside the cluster"
    case .service: what = "a service"
    }
    switch peer {
    case .endpoints: return "\(address) is \(what), which the rule's selector does not match"
    case .entity(let entity): return "\(address) is \(what), not \(entity.rawValue)"
    case .block(let prefix, let except):
      guard prefix.contains(address) else { return "\(address) is not in \(prefix)" }
      return except.first { $0.contains(address) }.map { "\(address) is in except \($0)" } ?? "\(address) is \(what), and no block holds one"
    case .blocks(let blocks, let except):
      guard blocks.block(of: address) != nil else { return "\(address) is in no block of the rule's CIDR groups" }
      return except.first { $0.contains(address) }.map { "\(address) is in except \($0)" } ?? "\(address) is \(what), and no block holds one"
    case .name:
      guard flow.identity == .world else { return "\(address) is \(what), and no name stands for one" }
      let patterns = peers.compactMap { peer -> CiliumNamePattern? in if case .name(let pattern) = peer { pattern } else { nil } }
      return flow.destination.miss(of: patterns, names)
    case .service: return "\(address) is \(what), and none of the service's pods"
    case .nodes: return "\(address) is \(what), and the rule's selector of nodes does not match it"
    case .cloudGroup: return "\(address) is \(what), and in no group of a cloud"
    }
  }
}
