import EgressModel

/// Our own EgressPolicy.
enum EgressPolicyWriter {
  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    draft.writeHead(EgressPolicy.apiVersion, "EgressPolicy", to: &yaml)
    yaml.nested { yaml in
      yaml.line("select:")
      yaml.nested { $0.line(selection(draft)) }
      yaml.line(draft.rules.isEmpty ? "allow: []" : "allow:")
      // Every port goes with every transport of a rule, so a rule is about one.
      for rule in draft.rules {
        for (transport, numbers) in rule.portsByTransport { write(rule, transport, numbers, to: &yaml) }
      }
    }
  }

  private static func selection(_ draft: SuggestionDraft) -> String {
    switch draft.subject {
    case .host(.container, let name): "hosts: {containers: [\(JSONValue.string(name).text)]}"
    case .host(_, let name): "hosts: {units: [\(JSONValue.string(name).text)]}"
    default: draft.labels.isEmpty ? "pods: {}" : "pods: {podSelector: {matchLabels: \(YAMLWriter.flow(draft.labels))}}"
    }
  }

  private static func write(_ rule: Needs.Rule, _ transport: Transport, _ numbers: [UInt16], to yaml: inout YAMLWriter) {
    let isNamed = rule.peers.first?.peer.pattern != nil
    yaml.line(isNamed ? "- names:" : "- cidrs:")
    yaml.nested { yaml in
      for observed in rule.peers {
        yaml.comment(observed.comment)
        yaml.line("- \(YAMLWriter.scalar(observed.peer.pattern ?? observed.peer.prefix?.description ?? ""))")
      }
      if !numbers.isEmpty { yaml.line("ports: [\(numbers.map(String.init).joined(separator: ", "))]") }
      yaml.line("transports: [\(transport == .icmpv6 ? "icmp" : transport.description)]")
    }
  }
}
