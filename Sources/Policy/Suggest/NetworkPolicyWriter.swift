import EgressModel

/// `networking.k8s.io/v1` NetworkPolicy: pods by labels, everything else by blocks.
enum NetworkPolicyWriter {
  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    draft.writeHead("networking.k8s.io/v1", "NetworkPolicy", to: &yaml)
    yaml.nested { yaml in
      yaml.line("podSelector: \(draft.labels.isEmpty ? "{}" : "{matchLabels: \(YAMLWriter.flow(draft.labels))}")")
      yaml.line("policyTypes: [Egress]")
      yaml.line(draft.rules.isEmpty ? "egress: []" : "egress:")
      for rule in draft.rules {
        yaml.line("- to:")
        yaml.nested { yaml in
          for observed in rule.peers {
            yaml.comment(observed.comment)
            write(observed.peer, in: draft.namespace, to: &yaml)
          }
          yaml.line("ports:")
          for port in rule.ports {
            yaml.line("- {protocol: \(port.transport.description.uppercased()), port: \(port.number ?? 0)}")
          }
        }
      }
    }
  }

  private static func write(_ peer: Needs.Peer, in namespace: String?, to yaml: inout YAMLWriter) {
    switch peer {
    case .pods(let group) where group.namespace == namespace: yaml.line("- podSelector: {matchLabels: \(YAMLWriter.flow(group.labels))}")
    case .pods(let group):
      yaml.line("- namespaceSelector: {matchLabels: \(YAMLWriter.flow(["kubernetes.io/metadata.name": group.namespace]))}")
      yaml.nested { $0.line("podSelector: {matchLabels: \(YAMLWriter.flow(group.labels))}") }
    default:
      if let prefix = peer.prefix { yaml.line("- ipBlock: {cidr: \(YAMLWriter.scalar(prefix.description))}") }
    }
  }
}
