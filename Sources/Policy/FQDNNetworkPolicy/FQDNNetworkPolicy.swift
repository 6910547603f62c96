import EgressModel

/// GKE's `networking.gke.io/v1alpha1` FQDNNetworkPolicy: names that pods of its namespace may reach.
///
/// It works like a NetworkPolicy and beside it: a pod that it selects may leave only where one of its rules, or a rule of a NetworkPolicy that
/// selects the pod, allows it. Names of services are not for it, so no rule allows a pod.
/// ([GKE](https://cloud.google.com/kubernetes-engine/docs/how-to/fqdn-network-policies))
struct FQDNNetworkPolicy: PolicyObject {
  static let engines: Set<Engine> = [.generic]

  struct Rule: Sendable {
    /// Any of them; never empty.
    var names: [FQDNPattern]
    /// Any of them; empty: everything.
    var ports: [RulePort]
    var line: Int
  }

  var name: ObjectName
  var podSelector: LabelSelector
  var egress: [Rule]
  var file: String
  var document: Int
  var line: Int

  var namespace: String { name.namespace ?? "default" }
}

extension FQDNNetworkPolicy {
  var rules: [RuleDescription] {
    egress.enumerated().map { index, rule in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: rule.summary, width: rule.width,
        wildcardDomains: rule.names.compactMap(\.wildcardDomain), file: file, document: document, line: rule.line)
    }
  }
}

extension FQDNNetworkPolicy.Rule {
  var summary: String { "to \(names.map(\.description).joined(separator: " or "))\(ports.summary)" }

  var width: String? {
    if let width = names.lazy.compactMap(\.width).first { return width }
    return ports.isEmpty ? "every port of \(names.map(\.description).joined(separator: ", "))" : nil
  }
}
