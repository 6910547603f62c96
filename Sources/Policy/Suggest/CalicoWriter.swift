import EgressModel

/// `projectcalico.org/v3` NetworkPolicy, of Enterprise also with names.
enum CalicoWriter {
  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    draft.writeHead("projectcalico.org/v3", "NetworkPolicy", to: &yaml)
    yaml.nested { yaml in
      yaml.line("selector: \(YAMLWriter.scalar(selector(draft.labels)))")
      yaml.line("types: [Egress]")
      yaml.line(draft.rules.isEmpty ? "egress: []" : "egress:")
      for rule in draft.rules {
        for (transport, numbers) in rule.portsByTransport {
          for peers in parts(rule.peers) { write(peers, transport, numbers, draft, to: &yaml) }
        }
      }
    }
  }

  /// What goes into one rule: a selector, names, or blocks of one address family.
  private static func parts(_ peers: [Needs.Observed]) -> [[Needs.Observed]] {
    if case .pods? = peers.first?.peer { return peers.map { [$0] } }
    return [peers.filter { $0.peer.prefix?.isV4 != false }, peers.filter { $0.peer.prefix?.isV4 == false }].filter { !$0.isEmpty }
  }

  private static func write(
    _ peers: [Needs.Observed], _ transport: Transport, _ numbers: [UInt16], _ draft: SuggestionDraft, to yaml: inout YAMLWriter
  ) {
    yaml.line("- action: Allow")
    yaml.nested { yaml in
      let words: [Transport: String] = [.tcp: "TCP", .udp: "UDP", .sctp: "SCTP", .icmp: "ICMP", .icmpv6: "ICMPv6"]
      yaml.line("protocol: \(words[transport] ?? "\(transport.rawValue)")")
      yaml.line("destination:")
      yaml.nested { yaml in
        if case .pods(let group)? = peers.first?.peer {
          for observed in peers { yaml.comment(observed.comment) }
          yaml.line("selector: \(YAMLWriter.scalar(selector(group.labels)))")
          if group.namespace != draft.namespace {
            yaml.line("namespaceSelector: \(YAMLWriter.scalar(selector(["kubernetes.io/metadata.name": group.namespace])))")
          }
        } else {
          yaml.line(peers.first?.peer.prefix == nil ? "domains:" : "nets:")
          for observed in peers {
            yaml.comment(observed.comment)
            yaml.line("- \(YAMLWriter.scalar(observed.peer.pattern ?? observed.peer.prefix?.description ?? ""))")
          }
        }
        if !numbers.isEmpty { yaml.line("ports: [\(numbers.map(String.init).joined(separator: ", "))]") }
      }
    }
  }

  private static func selector(_ labels: [String: String]) -> String {
    guard !labels.isEmpty else { return "all()" }
    return labels.sorted { $0.key < $1.key }.map { "\($0.key) == '\($0.value)'" }.joined(separator: " && ")
  }
}
