import EgressModel

/// What a least policy must let through: where to, on which ports, and the observations that say so.
struct Needs {
  struct Port: Hashable {
    var transport: Transport
    /// Nil for protocols without ports.
    var number: UInt16?
    /// What Istio calls the protocol above; empty for everybody else.
    var word = ""
  }

  enum Peer: Hashable {
    case pods(PodGroup)
    /// A Service, for who lets those through.
    case service(namespace: String, name: String)
    /// The cluster's API server behind its Service, whose endpoints no selector tells.
    case apiServer
    case name(DomainName)
    /// Every name one label below the domain.
    case below(DomainName)
    /// An address of a node's own; `isOwn` where the dialect wants to know whether the workload runs there.
    case node(IPAddress, isOwn: Bool?)
    case block(IPPrefix)
  }

  struct Observed {
    var peer: Peer
    var evidence: Evidence

    var comment: String { evidence.text(for: peer) }
  }

  /// Peers of one kind that need the same ports: whatever is let through was seen.
  struct Rule {
    var peers: [Observed]
    /// In order.
    var ports: [Port]
  }

  /// In a stable order, so that two suggestions differ no more than what was observed.
  private(set) var rules: [Rule] = []
  /// What the dialect cannot let through on its own, with the reason; in order.
  private(set) var leftOut: [String] = []
  /// Whether each of the endpoints is let through, as far as the needs know.
  private(set) var isMet: [Bool] = []

  /// - Parameters:
  ///   - rotating: the parents that stand for names that come and go.
  init(of endpoints: [Endpoint], in dialect: PolicyDialect, cluster: Cluster, rotating: [DomainName: DomainName]) {
    var resolver = PeerResolver(dialect: dialect, cluster: cluster, rotating: rotating)
    var found: [Peer: (ports: Set<Port>, evidence: Evidence)] = [:]
    var missing: Set<String> = []
    for endpoint in endpoints {
      switch resolver.peers(of: endpoint) {
      case .failure(let refusal):
        missing.insert("\(endpoint.destination.what): \(refusal.reason)")
        isMet.append(false)
      case .success(let peers):
        for (peer, port) in peers {
          found[peer, default: ([], Evidence(endpoint))].ports.insert(port)
          found[peer]?.evidence.add(endpoint)
        }
        isMet.append(true)
      }
    }
    leftOut = missing.sorted()
    var grouped: [Key: [Observed]] = [:]
    for (peer, need) in found {
      grouped[Key(kind: peer.kind, ports: need.ports.sorted()), default: []].append(Observed(peer: peer, evidence: need.evidence))
    }
    rules = grouped.sorted { $0.key < $1.key }.map { key, peers in
      Rule(peers: peers.sorted { $0.peer.order < $1.peer.order }, ports: key.ports)
    }
  }

  private struct Key: Hashable, Comparable {
    var kind: Int
    var ports: [Port]

    static func < (a: Key, b: Key) -> Bool {
      a.kind != b.kind ? a.kind < b.kind : a.ports.lexicographicallyPrecedes(b.ports)
    }
  }
}

extension Needs.Port: Comparable {
  static func < (a: Self, b: Self) -> Bool {
    (a.transport.rawValue, a.number ?? 0, a.word) < (b.transport.rawValue, b.number ?? 0, b.word)
  }
}

extension Needs.Peer {
  /// Only peers of one kind stand in one rule: what is in the cluster, names, nodes, addresses.
  var kind: Int {
    switch self {
    case .pods: 0
    case .apiServer: 1
    case .service: 1
    case .name, .below: 2
    case .node: 3
    case .block: 4
    }
  }

  /// The name, or the pattern whose `*` is one label or more, as the dialect has it.
  var pattern: String? {
    switch self {
    case .name(let name): name.text
    case .below(let domain): "*.\(domain)"
    default: nil
    }
  }

  /// The addresses, where these tell.
  var prefix: IPPrefix? {
    switch self {
    case .node(let address, _): IPPrefix(address)
    case .block(let block): block
    default: nil
    }
  }

  fileprivate var order: (String, IPAddress, Int) {
    switch self {
    case .pods(let group): ("\(group.namespace)/\(group.title)", IPAddress(v4: 0), 0)
    case .service(let namespace, let name): ("\(namespace)/\(name)", IPAddress(v4: 0), 0)
    case .apiServer: ("", IPAddress(v4: 0), 0)
    // By domain, so that a vendor's names stand together.
    case .name(let name): (name.labels.reversed().joined(separator: "."), IPAddress(v4: 0), 0)
    case .below(let domain): (domain.labels.reversed().joined(separator: ".") + ".", IPAddress(v4: 0), 0)
    case .node(let address, _): ("", address, 0)
    case .block(let block): ("", block.address, block.length)
    }
  }
}

extension Destination {
  /// `api.example.com:443/tcp`
  var what: String {
    let host = policyName?.text ?? (address.isV4 || port == nil ? "\(address)" : "[\(address)]")
    return host + (port.map { ":\($0)" } ?? "") + "/\(transport)"
  }

  /// The name by which a policy can know it: more than a hint, and no address spelt out.
  var policyName: DomainName? {
    guard let name = names.first, name.confidence != .hint, IPAddress(name.name.text) == nil else { return nil }
    return name.name
  }
}
