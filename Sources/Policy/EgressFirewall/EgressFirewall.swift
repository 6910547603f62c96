import EgressModel

/// `k8s.ovn.org/v1` EgressFirewall of OVN-Kubernetes (OpenShift): what the pods of its namespace may reach outside the cluster.
///
/// The first rule that matches decides, and what none matches is allowed. It stands beside NetworkPolicy: both must let a flow pass. Traffic
/// between pods is not its matter, traffic to the nodes is.
/// ([API](https://ovn-kubernetes.io/api-reference/egress-firewall-api-spec/))
struct EgressFirewall: PolicyObject {
  static let engines: Set<Engine> = [.generic]

  enum Action: Hashable, Sendable {
    case allow
    case deny
  }

  enum Target: Hashable, Sendable {
    case block(IPPrefix)
    /// `*.` stands for exactly one label.
    case name(NamePattern)
    /// The addresses of the nodes' own.
    case nodes(LabelSelector)
  }

  struct Rule: Sendable {
    var action: Action
    var target: Target
    /// Any of them; empty: everything.
    var ports: [RulePort]
    var line: Int
  }

  var name: ObjectName
  var egress: [Rule]
  var file: String
  var document: Int
  var line: Int

  var namespace: String { name.namespace ?? "default" }
}

extension EgressFirewall {
  var rules: [RuleDescription] {
    egress.enumerated().map { index, rule in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: rule.summary, width: rule.width,
        wildcardDomains: rule.wildcardDomains, denies: rule.action == .deny, file: file, document: document, line: rule.line)
    }
  }
}

extension EgressFirewall.Rule {
  var summary: String { (action == .deny ? "deny " : "") + scope }

  /// `to 10.0.0.0/8 ports 443/tcp`
  var scope: String { "to \(target)\(ports.summary)" }

  var width: String? {
    guard action == .allow else { return nil }
    switch target {
    case .block(let prefix): return prefix.width(everyPort: ports.isEmpty)
    case .name(let name): return name.width ?? (ports.isEmpty ? "every port of \(name)" : nil)
    case .nodes: return nil
    }
  }

  var wildcardDomains: [DomainName] {
    guard action == .allow, case .name(let name) = target else { return [] }
    return [name].wildcardDomains
  }
}

extension EgressFirewall.Target: CustomStringConvertible {
  var description: String {
    switch self {
    case .block(let prefix): "\(prefix)"
    case .name(let name): "\(name)"
    case .nodes(let selector): selector.selectsEverything ? "every node" : "nodes \(selector)"
    }
  }
}
