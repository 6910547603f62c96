import EgressModel

/// `cilium.io/v2` CiliumNetworkPolicy.
enum CiliumWriter {
  /// The most ports that go into one element of `toPorts`.
  private static let portLimit = 40

  static func remarks(_ draft: SuggestionDraft) -> [String] {
    guard hasNames(draft), !draft.rules.contains(where: isLookup) else { return [] }
    return ["toFQDNs knows only what Cilium's DNS proxy saw, and no look-up of a pod's was observed: allow the resolver too, with rules.dns."]
  }

  private static func hasNames(_ draft: SuggestionDraft) -> Bool {
    draft.rules.contains { $0.peers.contains { $0.peer.kind == Needs.Peer.name(DomainName(presentation: ".")).kind } }
  }

  private static func isLookup(_ rule: Needs.Rule) -> Bool {
    guard case .pods? = rule.peers.first?.peer else { return false }
    return rule.ports.contains { $0.number == 53 }
  }

  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    draft.writeHead("cilium.io/v2", "CiliumNetworkPolicy", to: &yaml)
    yaml.nested { yaml in
      yaml.line("endpointSelector: \(draft.labels.isEmpty ? "{}" : "{matchLabels: \(YAMLWriter.flow(draft.labels))}")")
      yaml.line("egress:")
      // What Cilium takes for "nothing", and denies by.
      if draft.rules.isEmpty { yaml.line("- {}") }
      for rule in draft.rules { write(rule, draft, to: &yaml) }
    }
  }

  private static func write(_ rule: Needs.Rule, _ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    let ported = rule.ports.filter { $0.transport.hasPorts }
    let others = rule.ports.filter { !$0.transport.hasPorts }
    guard let first = rule.peers.first?.peer else { return }
    for (isPorted, ports) in [(true, ported), (false, others)] where !ports.isEmpty {
      yaml.line("- \(member(first)):")
      yaml.nested { yaml in
        var written: Set<String> = []
        for observed in rule.peers {
          let value = value(observed.peer, in: draft)
          yaml.comment(observed.comment)
          if written.insert(value).inserted { yaml.line("- \(value)") }
        }
        // Where the API server's Service leads is not known, and so neither is the port.
        if case .apiServer = first { return }
        if isPorted { writePorts(ports, looksUp: isLookup(rule) && hasNames(draft), to: &yaml) } else { writeICMP(ports, to: &yaml) }
      }
    }
  }

  private static func member(_ peer: Needs.Peer) -> String {
    switch peer {
    case .pods: "toEndpoints"
    case .apiServer, .service, .node: "toEntities"
    case .name, .below: "toFQDNs"
    case .block: "toCIDR"
    }
  }

  private static func value(_ peer: Needs.Peer, in draft: SuggestionDraft) -> String {
    switch peer {
    case .pods(let group):
      var labels = group.labels
      if group.namespace != draft.namespace { labels["k8s:io.kubernetes.pod.namespace"] = group.namespace }
      return "matchLabels: \(YAMLWriter.flow(labels))"
    case .apiServer, .service: return "kube-apiserver"
    case .node(_, let isOwn): return isOwn == true ? "host" : "remote-node"
    case .name(let name): return "matchName: \(YAMLWriter.scalar(name.text))"
    case .below(let domain): return "matchPattern: \(YAMLWriter.scalar("*.\(domain)"))"
    case .block(let block): return YAMLWriter.scalar(block.description)
    }
  }

  private static func writePorts(_ ports: [Needs.Port], looksUp: Bool, to yaml: inout YAMLWriter) {
    yaml.line("toPorts:")
    let lookups = looksUp ? ports.filter { $0.number == 53 } : []
    let plain = ports.filter { !lookups.contains($0) }
    func list(_ ports: some Collection<Needs.Port>, _ yaml: inout YAMLWriter) {
      yaml.line("- ports:")
      yaml.nested { yaml in
        for port in ports { yaml.line("- {port: \"\(port.number ?? 0)\", protocol: \(port.transport.description.uppercased())}") }
      }
    }
    for start in stride(from: 0, to: plain.count, by: portLimit) { list(plain[start..<min(plain.count, start + portLimit)], &yaml) }
    guard !lookups.isEmpty else { return }
    list(lookups, &yaml)
    yaml.nested { yaml in
      yaml.line("rules:")
      yaml.nested { yaml in
        yaml.line("dns:")
        yaml.line("- matchPattern: \"*\"")
      }
    }
  }

  private static func writeICMP(_ ports: [Needs.Port], to yaml: inout YAMLWriter) {
    yaml.line("icmps:")
    yaml.line("- fields:")
    yaml.nested { yaml in
      for port in ports { yaml.line(port.transport == .icmp ? "- {family: IPv4, type: 8}" : "- {family: IPv6, type: 128}") }
    }
  }
}
