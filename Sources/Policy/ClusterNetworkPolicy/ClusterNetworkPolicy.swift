import EgressModel

/// The egress half of a policy of the whole cluster: `policy.networking.k8s.io` ClusterNetworkPolicy (v1alpha2), and what became of it,
/// AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1), which differ in spelling only.
///
/// Policies of the Admin tier are asked before a namespace's own NetworkPolicies, those of the Baseline tier where no NetworkPolicy selects the
/// pod. Within a tier the rules stand in order: of the policies by priority, of each policy as they are written, and the first that matches decides.
/// ([API reference](https://network-policy-api.sigs.k8s.io/reference/spec/))
struct ClusterNetworkPolicy: PolicyObject {
  static let engines: Set<Engine> = [.generic, .calico, .calicoEnterprise]

  enum Tier: Hashable, Sendable {
    case admin
    case baseline
  }

  enum Action: Hashable, Sendable {
    case accept
    case deny
    /// Leaves the tier.
    case pass
  }

  /// Pods that both selectors match.
  struct Pods: Hashable, Sendable {
    var pods = LabelSelector()
    var namespaces = LabelSelector()
  }

  enum Peer: Hashable, Sendable {
    case pods(Pods)
    /// The addresses of the nodes' own.
    case nodes(LabelSelector)
    /// Any of them; pods and nodes in them are meant, too.
    case networks([IPPrefix])
    /// Any of them; `*.` stands for one or more labels.
    case names([NamePattern])
  }

  struct Rule: Sendable {
    /// The rule's own, as its author calls it.
    var name: String?
    var action: Action
    /// Any of them; never empty.
    var peers: [Peer]
    /// Any of them; empty: everything.
    var ports: [RulePort]
    var line: Int
  }

  /// The only BaselineAdminNetworkPolicy has no priority, and comes last.
  static let lastPriority = Int.max

  var name: ObjectName
  var tier: Tier
  /// 0…1000, the lower the earlier.
  var priority: Int
  var subject: Pods
  var egress: [Rule]
  var file: String
  var document: Int
  var line: Int
}

extension ClusterNetworkPolicy {
  var rules: [RuleDescription] {
    egress.enumerated().map { index, rule in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: rule.summary, width: rule.width,
        wildcardDomains: rule.action == .accept ? rule.names.wildcardDomains : [], denies: rule.action == .deny, note: rule.name, file: file,
        document: document, line: rule.line)
    }
  }
}

extension ClusterNetworkPolicy.Rule {
  var names: [NamePattern] {
    peers.flatMap { peer -> [NamePattern] in if case .names(let names) = peer { names } else { [] } }
  }

  var summary: String { (action == .deny ? "deny " : action == .pass ? "pass " : "") + scope }

  /// `to 10.0.0.0/8 ports 443/tcp`
  var scope: String { "to \(peers.map(\.description).joined(separator: " or "))\(ports.summary)" }

  var width: String? {
    guard action == .accept else { return nil }
    for case .networks(let prefixes) in peers {
      for prefix in prefixes {
        if let width = prefix.width(everyPort: ports.isEmpty) { return width }
      }
    }
    if let width = names.lazy.compactMap(\.width).first { return width }
    return ports.isEmpty && !names.isEmpty ? "every port of \(names.map(\.description).joined(separator: ", "))" : nil
  }
}

extension ClusterNetworkPolicy.Peer: CustomStringConvertible {
  var description: String {
    switch self {
    case .pods(let peer):
      let who = peer.pods.selectsEverything ? "every pod" : "pods \(peer.pods)"
      return who + (peer.namespaces.selectsEverything ? " of every namespace" : " of namespaces \(peer.namespaces)")
    case .nodes(let selector): return selector.selectsEverything ? "every node" : "nodes \(selector)"
    case .networks(let prefixes): return prefixes.map(\.description).joined(separator: " or ")
    case .names(let names): return names.map(\.description).joined(separator: " or ")
    }
  }
}
