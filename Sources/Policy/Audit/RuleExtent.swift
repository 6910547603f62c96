import EgressModel

/// What a rule is about, in the terms that all kinds share, so that rules can be compared.
struct RuleExtent: Hashable, Sendable {
  enum Namespaces: Hashable, Sendable {
    case named(String)
    case selected(LabelSelector)
  }

  enum Peer: Hashable, Sendable {
    case any
    case block(IPPrefix, except: [IPPrefix])
    case pods(LabelSelector, Namespaces)
    case nodes(LabelSelector)
    case name(NamePattern)
    case pattern(FQDNPattern)
  }

  var peers: [Peer]
  /// Empty: everything.
  var ports: [RulePort]

  /// Whether every flow that `other` matches is matched by this one, too, as far as their words show.
  func covers(_ other: RuleExtent) -> Bool {
    let carries = ports.isEmpty || !other.ports.isEmpty && other.ports.allSatisfy { port in ports.contains { $0.covers(port) } }
    return carries && other.peers.allSatisfy { peer in peers.contains { $0.covers(peer) } }
  }
}

extension RuleExtent.Peer {
  fileprivate func covers(_ other: RuleExtent.Peer) -> Bool {
    switch (self, other) {
    case (.any, _): true
    case (.block(let mine, let except), .block(let theirs, let exceptions)):
      mine.contains(theirs)
        && except.allSatisfy { hole in !hole.contains(theirs) && !theirs.contains(hole) || exceptions.contains { $0.contains(hole) } }
    case (.pods(let mine, let namespaces), .pods(let theirs, let others)): mine.covers(theirs) && namespaces.covers(others)
    case (.nodes(let mine), .nodes(let theirs)): mine.covers(theirs)
    case (.name(let mine), .name(let theirs)): mine.covers(theirs)
    case (.pattern(let mine), .pattern(let theirs)): mine == theirs || mine.description == "*"
    default: false
    }
  }
}

extension RuleExtent.Namespaces {
  fileprivate func covers(_ other: RuleExtent.Namespaces) -> Bool {
    switch (self, other) {
    case (.named(let mine), .named(let theirs)): mine == theirs
    // Of a namespace that is only named, this much is known.
    case (.selected(let mine), .named(let theirs)): mine.covers(LabelSelector(matchLabels: ["kubernetes.io/metadata.name": theirs]))
    case (.selected(let mine), .selected(let theirs)): mine.covers(theirs)
    case (.named(let mine), .selected(let theirs)): theirs.matchLabels["kubernetes.io/metadata.name"] == mine
    }
  }
}

extension RulePort {
  fileprivate init(_ port: NetworkPolicy.Port) {
    transport = port.transport
    switch port.number {
    case .any: number = .any
    case .range(let range): number = .range(range)
    case .named(let name): number = .named(name)
    }
  }

  fileprivate func covers(_ other: RulePort) -> Bool {
    guard transport == nil || transport == other.transport else { return false }
    switch (number, other.number) {
    case (.any, _): return true
    case (.range(let mine), .range(let theirs)): return mine.contains(theirs.lowerBound) && mine.contains(theirs.upperBound)
    case (.named(let mine), .named(let theirs)): return mine == theirs
    default: return false
    }
  }
}

/// A rule among those that it may shadow, or be shadowed by.
struct ComparedRule {
  /// Rules of different scopes have nothing to do with each other.
  var scope: String
  /// In an ordered scope the first match decides, and only what comes before shadows; else all rules are one set. Smaller is earlier.
  var order: [Int]?
  /// Nil: the rule is for everything in its scope.
  var subject: ClusterNetworkPolicy.Pods?
  var reference: RuleReference
  var extent: RuleExtent
  var place: ObjectPlace
}

extension PolicyObject {
  /// Its rules, if they can be compared with others.
  var comparedRules: [ComparedRule] {
    switch self {
    case let policy as NetworkPolicy where policy.isolatesEgress:
      policy.egress.enumerated().map { index, rule in
        let peers = rule.peers.map { peer -> RuleExtent.Peer in
          switch peer {
          case .block(let block, let except): .block(block, except: except)
          case .pods(let pods, let namespaces):
            .pods(pods ?? LabelSelector(), namespaces.map { .selected($0) } ?? .named(policy.namespace))
          }
        }
        return ComparedRule(
          scope: "NetworkPolicy/\(policy.namespace)", subject: .init(pods: policy.podSelector),
          reference: RuleReference(policy: policy.name.reference, rule: index), extent: RuleExtent(peers: peers.isEmpty ? [.any] : peers, ports: rule.ports.map { RulePort($0) }),
          place: ObjectPlace(file: policy.file, document: policy.document, line: rule.line))
      }
    case let policy as FQDNNetworkPolicy:
      policy.egress.enumerated().map { index, rule in
        ComparedRule(
          scope: "FQDNNetworkPolicy/\(policy.namespace)", subject: .init(pods: policy.podSelector),
          reference: RuleReference(policy: policy.name.reference, rule: index), extent: RuleExtent(peers: rule.names.map { .pattern($0) }, ports: rule.ports),
          place: ObjectPlace(file: policy.file, document: policy.document, line: rule.line))
      }
    case let policy as ClusterNetworkPolicy:
      policy.egress.enumerated().map { index, rule in
        let peers = rule.peers.flatMap { peer -> [RuleExtent.Peer] in
          switch peer {
          case .pods(let pods): [.pods(pods.pods, .selected(pods.namespaces))]
          case .nodes(let selector): [.nodes(selector)]
          case .networks(let blocks): blocks.map { .block($0, except: []) }
          case .names(let names): names.map { .name($0) }
          }
        }
        return ComparedRule(
          scope: policy.tier == .admin ? "Admin tier" : "Baseline tier", order: [policy.priority, index], subject: policy.subject,
          reference: RuleReference(policy: policy.name.reference, rule: index), extent: RuleExtent(peers: peers, ports: rule.ports),
          place: ObjectPlace(file: policy.file, document: policy.document, line: rule.line))
      }
    case let policy as EgressFirewall:
      policy.egress.enumerated().map { index, rule in
        let peer: RuleExtent.Peer =
          switch rule.target {
          case .block(let block): .block(block, except: [])
          case .name(let name): .name(name)
          case .nodes(let selector): .nodes(selector)
          }
        return ComparedRule(
          scope: policy.name.reference, order: [index], reference: RuleReference(policy: policy.name.reference, rule: index),
          extent: RuleExtent(peers: [peer], ports: rule.ports), place: ObjectPlace(file: policy.file, document: policy.document, line: rule.line))
      }
    case let policy as EgressPolicy:
      policy.allow.enumerated().map { index, rule in
        let named: [RuleExtent.Peer] = rule.names.map { .name($0) }
        let peers = named + rule.cidrs.map { .block($0, except: rule.except) }
        let transports: [Transport?] = rule.transports.isEmpty ? [nil] : rule.transports
        let ports = rule.ports.isEmpty
          ? rule.transports.map { RulePort(transport: $0, number: .any) }
          : rule.ports.flatMap { range in transports.map { RulePort(transport: $0, number: .range(range)) } }
        return ComparedRule(
          scope: policy.name.reference, reference: RuleReference(policy: policy.name.reference, rule: index),
          extent: RuleExtent(peers: peers.isEmpty ? [.any] : peers, ports: ports),
          place: ObjectPlace(file: policy.file, document: policy.document, line: rule.line))
      }
    default: []
    }
  }
}
