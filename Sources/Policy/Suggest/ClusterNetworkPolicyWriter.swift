import EgressModel

/// `policy.networking.k8s.io/v1alpha2` ClusterNetworkPolicy of the Admin tier, the only one that knows names.
enum ClusterNetworkPolicyWriter {
  /// The most rules, peers of a rule, ports of a rule, and names or blocks of a peer.
  static let limit = 25

  static let remarks = ["It decides before every NetworkPolicy; choose its priority among those of the Admin tier (0 is asked first)."]

  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    draft.writeHead("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", to: &yaml)
    yaml.nested { yaml in
      yaml.line("tier: Admin")
      yaml.line("priority: 500")
      yaml.line("subject:")
      yaml.nested { $0.line(pods(PodLabels(namespace: draft.namespace ?? "default", labels: draft.labels))) }
      yaml.line("egress:")
      for rule in draft.rules {
        for ports in rule.ports.parts(of: limit) {
          for peers in rule.peers.parts(of: limit) { write(peers, ports, to: &yaml) }
        }
      }
      yaml.line("- action: Deny")
      yaml.line("  to:")
      yaml.line("  - networks: [0.0.0.0/0, \"::/0\"]")
    }
  }

  private static func write(_ peers: [Needs.Observed], _ ports: [Needs.Port], to yaml: inout YAMLWriter) {
    yaml.line("- action: Accept")
    yaml.nested { yaml in
      yaml.line("to:")
      switch peers.first?.peer {
      case .pods?: break
      case .name?, .below?: yaml.line("- domainNames:")
      default: yaml.line("- networks:")
      }
      for observed in peers {
        if case .pods(let group) = observed.peer {
          yaml.comment(observed.comment)
          yaml.line("- \(pods(PodLabels(namespace: group.namespace, labels: group.labels)))")
        } else {
          yaml.nested { yaml in
            yaml.comment(observed.comment)
            yaml.line("- \(YAMLWriter.scalar(observed.peer.pattern ?? observed.peer.prefix?.description ?? ""))")
          }
        }
      }
      yaml.line("protocols:")
      for port in ports { yaml.line("- {\(port.transport): {destinationPort: {number: \(port.number ?? 0)}}}") }
    }
  }

  private struct PodLabels {
    var namespace: String
    var labels: [String: String]
  }

  private static func pods(_ pods: PodLabels) -> String {
    "pods: {namespaceSelector: {matchLabels: \(YAMLWriter.flow(["kubernetes.io/metadata.name": pods.namespace]))}, podSelector: "
      + (pods.labels.isEmpty ? "{}}" : "{matchLabels: \(YAMLWriter.flow(pods.labels))}}")
  }
}

extension Array {
  /// In order, none longer than `limit`.
  fileprivate func parts(of limit: Int) -> [[Element]] {
    stride(from: 0, to: count, by: limit).map { Array(self[$0..<Swift.min(count, $0 + limit)]) }
  }
}
