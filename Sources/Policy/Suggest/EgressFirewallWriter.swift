import EgressModel

/// `k8s.ovn.org/v1` EgressFirewall: what the pods of a namespace may reach outside the cluster.
enum EgressFirewallWriter {
  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    draft.writeHead("k8s.ovn.org/v1", "EgressFirewall", to: &yaml)
    yaml.nested { yaml in
      yaml.line("egress:")
      for rule in draft.rules {
        for observed in rule.peers {
          yaml.comment(observed.comment)
          yaml.line("- type: Allow")
          yaml.nested { yaml in
            let (key, value) = observed.peer.pattern.map { ("dnsName", $0) } ?? ("cidrSelector", observed.peer.prefix?.description ?? "")
            yaml.line("to: {\(key): \(YAMLWriter.scalar(value))}")
            yaml.line("ports:")
            for port in rule.ports { yaml.line("- {protocol: \(port.transport.description.uppercased()), port: \(port.number ?? 0)}") }
          }
        }
      }
      for block in ["0.0.0.0/0", "\"::/0\""] {
        yaml.line("- type: Deny")
        yaml.line("  to: {cidrSelector: \(block)}")
      }
    }
  }
}
