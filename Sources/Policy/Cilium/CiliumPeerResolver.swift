import EgressModel

extension CiliumEngine {
  /// A peer of a rule, resolved against the inventory.
  enum Peer: Sendable {
    /// A selector's number; `reserved`: whether it means what is no pod (`reserved:host`), too.
    case endpoints(Int, reserved: LabelSelector?)
    case entity(CiliumPolicy.Entity)
    case block(IPPrefix, except: [IPPrefix])
    case blocks(PrefixSet, except: [IPPrefix])
    case name(CiliumNamePattern)
    /// The selectors of its pods, by number, and the Services that are meant. `isKnown`: whether those are all, and each leads to pods.
    case service(pods: [Int], CiliumPolicy.ServiceReference, isKnown: Bool)
    case nodes(LabelSelector)
    case cloudGroup
  }
}

/// Makes peers of what is declared, and numbers their selectors.
struct CiliumPeerResolver {
  private var table = SelectorTable()
  private let groups: [CiliumCIDRGroup]
  private let services: [Service]

  init(groups: [CiliumCIDRGroup], cluster: Cluster) {
    self.groups = groups
    services = cluster.services
  }

  /// The numbers of the selectors that match an endpoint's labels, ascending.
  func matching(_ labels: [String: String]) -> [Int] { table.matching(labels) }

  mutating func rule(_ rule: CiliumPolicy.Rule, _ reference: RuleReference) -> CiliumEngine.Rule {
    var peers: [CiliumEngine.Peer]?
    if let declared = rule.peers {
      peers = []
      for peer in declared { peers?.append(self.peer(peer)) }
    }
    return CiliumEngine.Rule(
      reference: reference, denies: rule.denies, peers: peers, ports: rule.ports, icmp: rule.icmp, summary: rule.summary)
  }

  /// A NetworkPolicy's rule.
  mutating func rule(_ rule: NetworkPolicy.Rule, of namespace: String, _ reference: RuleReference) -> CiliumEngine.Rule {
    var peers: [CiliumEngine.Peer] = []
    for peer in rule.peers {
      switch peer {
      case .pods(let pods, let namespaces):
        var selector = CiliumLabels.selector(pods: pods, namespaces: namespaces, of: namespace)
        if selector.selectsEverything { selector.matchExpressions = [.init(key: CiliumLabels.namespace, operator: .exists)] }
        peers.append(.endpoints(table.id(selector), reserved: nil))
      case .block(let prefix, let except): peers.append(.block(prefix, except: except))
      }
    }
    let ports = rule.ports.map(\.rulePort)
    return CiliumEngine.Rule(
      reference: reference, denies: false, peers: rule.peers.isEmpty ? nil : peers,
      ports: ports.isEmpty ? [] : [CiliumPolicy.PortRule(ports: ports, serverNames: [])], icmp: nil, summary: rule.summary)
  }

  private mutating func peer(_ peer: CiliumPolicy.Peer) -> CiliumEngine.Peer {
    switch peer {
    case .endpoints(let selector):
      let isReserved = (selector.matchLabels.keys + selector.matchExpressions.map(\.key)).contains { $0.hasPrefix("reserved:") }
      return .endpoints(table.id(selector), reserved: isReserved ? selector : nil)
    case .entity(let entity): return .entity(entity)
    case .block(let prefix, let except): return .block(prefix, except: except)
    case .group(let wanted, let except):
      let meant = groups.filter { group in
        switch wanted {
        case .named(let name): group.name.name == name
        case .selected(let selector): selector.matches(group.labels)
        }
      }
      return .blocks(PrefixSet(meant.flatMap(\.blocks)), except: except)
    case .name(let pattern): return .name(pattern)
    case .service(let reference):
      let meant = services.filter(reference.means)
      var pods: [Int] = []
      for service in meant where !service.selector.isEmpty {
        var selector = LabelSelector(matchLabels: service.selector)
        selector.require(CiliumLabels.namespace, service.namespace)
        pods.append(table.id(selector))
      }
      // A selector may mean Services that the inventory does not have, and labels of Services are not in it at all.
      let isKnown = if case .named = reference { !meant.isEmpty && pods.count == meant.count } else { false }
      return .service(pods: pods, reference, isKnown: isKnown)
    case .nodes(let selector): return .nodes(selector)
    case .cloudGroup: return .cloudGroup
    }
  }
}

extension CiliumPolicy.ServiceReference {
  /// Whether a Service is surely meant.
  func means(_ service: Service) -> Bool {
    if case .named(let name, let namespace) = self { service.name == name && service.namespace == namespace } else { false }
  }
}
