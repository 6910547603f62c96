import EgressModel

/// A Sidecar that closes the mesh for its pods, and ServiceEntries for what they need outside.
enum IstioWriter {
  static let remarks = [
    "Only TCP of pods with a sidecar goes through it. The names of TLS and HTTP are looked at; of other protocols the blocks that were seen (/24, /48).",
    "A Service is open on all its ports.",
  ]

  private struct Entry {
    var word: String
    var ports: [Needs.Port]
    var peers: [Needs.Observed]
  }

  static func write(_ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    let entries = entries(draft)
    draft.writeHead("networking.istio.io/v1", "Sidecar", to: &yaml)
    yaml.nested { yaml in
      if !draft.labels.isEmpty {
        yaml.line("workloadSelector:")
        yaml.line("  labels: \(YAMLWriter.flow(draft.labels))")
      }
      yaml.line("outboundTrafficPolicy: {mode: REGISTRY_ONLY}")
      yaml.line("egress:")
      yaml.line("- hosts:")
      yaml.nested { yaml in
        var hosts: Set<String> = []
        for rule in draft.rules {
          for observed in rule.peers {
            guard case .service(let namespace, let name) = observed.peer else { continue }
            yaml.comment(observed.comment)
            hosts.insert("")
            yaml.line("- \(YAMLWriter.scalar("\(namespace)/\(name).\(namespace).svc.cluster.local"))")
          }
        }
        for host in entries.flatMap({ $0.peers.map { host($0.peer) } }) where hosts.insert(host).inserted {
          yaml.line("- \(YAMLWriter.scalar("./\(host)"))")
        }
        if hosts.isEmpty { yaml.line("- ~/*") }
      }
    }
    for (index, entry) in entries.enumerated() { write(entry, index + 1, draft, to: &yaml) }
  }

  /// A number stands in an entry once, so a protocol is one.
  private static func entries(_ draft: SuggestionDraft) -> [Entry] {
    draft.rules.flatMap { rule -> [Entry] in
      if case .service? = rule.peers.first?.peer { return [] }
      return ["TLS", "HTTP", "TCP"].compactMap { word in
        let ports = rule.ports.filter { $0.word == word }
        return ports.isEmpty ? nil : Entry(word: word, ports: ports, peers: rule.peers)
      }
    }
  }

  private static func write(_ entry: Entry, _ number: Int, _ draft: SuggestionDraft, to yaml: inout YAMLWriter) {
    yaml.line("---")
    var draft = draft
    draft.name += "-\(number)"
    draft.writeHead("networking.istio.io/v1", "ServiceEntry", to: &yaml)
    yaml.nested { yaml in
      yaml.line("exportTo: [\".\"]")
      yaml.line("location: MESH_EXTERNAL")
      yaml.line("resolution: NONE")
      yaml.line("hosts:")
      for observed in entry.peers {
        if observed.peer.prefix == nil { yaml.comment(observed.comment) }
        yaml.line("- \(YAMLWriter.scalar(host(observed.peer)))")
      }
      if entry.peers.contains(where: { $0.peer.prefix != nil }) {
        yaml.line("addresses:")
        for observed in entry.peers {
          guard let prefix = observed.peer.prefix else { continue }
          yaml.comment(observed.comment)
          yaml.line("- \(YAMLWriter.scalar(prefix.description))")
        }
      }
      yaml.line("ports:")
      for port in entry.ports {
        yaml.line("- {number: \(port.number ?? 0), name: \(entry.word.lowercased())-\(port.number ?? 0), protocol: \(entry.word)}")
      }
    }
  }

  /// An entry has a host even where only addresses tell.
  private static func host(_ peer: Needs.Peer) -> String {
    if let pattern = peer.pattern { return pattern }
    let text = String((peer.prefix?.description ?? "").map { $0 == "." || $0 == ":" || $0 == "/" ? "-" : $0 })
    return "ip-\(text).observed.internal"
  }
}
