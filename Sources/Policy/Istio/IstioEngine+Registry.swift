import EgressModel

/// Finds the ports of entries that a connection may be for, without asking each.
struct RegistryIndex: Sendable {
  struct Rule: Hashable, Sendable {
    var entry: Int
    var port: Int
  }

  /// By host in full, and by what follows a wildcard (`""` for a bare one).
  private var byHost: [String: [Rule]] = [:]
  /// Ports that addresses alone may lead to, by number.
  private var byPort: [UInt16: [Rule]] = [:]

  init(_ entries: [ServiceEntry]) {
    for (id, entry) in entries.enumerated() {
      for (number, port) in entry.ports.enumerated() where port.matching != .never {
        let rule = Rule(entry: id, port: number)
        for host in Set(entry.hosts.map { $0.wildcardDomain ?? $0.description }) { byHost[host, default: []].append(rule) }
        guard port.matching == .address || !entry.addresses.isEmpty || !entry.endpoints.isEmpty || entry.workloads != nil else { continue }
        for number in Set([port.number, port.target] + entry.endpoints.compactMap { $0.ports[port.name] }) { byPort[number, default: []].append(rule) }
      }
    }
  }

  /// In the order of the entries.
  func candidates(_ names: [DomainName], _ port: UInt16) -> [Rule] {
    var found = Set(byPort[port] ?? [])
    for name in names {
      var suffix = name.text[...]
      found.formUnion(byHost[name.text] ?? [])
      while let dot = suffix.firstIndex(of: ".") {
        suffix = suffix[suffix.index(after: dot)...]
        found.formUnion(byHost[String(suffix)] ?? [])
      }
      found.formUnion(byHost[""] ?? [])
    }
    return found.sorted { ($0.entry, $0.port) < ($1.entry, $1.port) }
  }
}

extension IstioEngine {
  /// The verdict on what is no service of the cluster.
  func toEntry(_ destination: Destination, _ port: UInt16, _ scope: IstioScope) -> Verdict {
    let said = destination.saidNames
    // A connection in which two names were said goes to both, so each must be let through.
    let alternatives = said.isEmpty ? [destination.lookedUpNames] : said.map { [$0] }
    var allowing: Set<RuleReference> = []
    for names in alternatives {
      var nearest: (rule: RuleReference, nearness: Int, miss: String)?
      var fits = false
      for rule in index.candidates(names, port) {
        let reference = RuleReference(policy: entries[rule.entry].name.reference, rule: rule.port)
        let (nearness, miss) = match(entries[rule.entry], entries[rule.entry].ports[rule.port], destination, port, names, scope)
        guard let miss else {
          fits = true
          allowing.insert(reference)
          continue
        }
        if nearness > nearest?.nearness ?? -1 { nearest = (reference, nearness, miss) }
      }
      if !fits {
        let what = names.first.map { "\($0)" } ?? "\(destination.address)"
        let reason = nearest.map { "\($0.rule): \($0.miss)" } ?? "no ServiceEntry that the pod sees is about \(what)"
        return Verdict(decision: .denied, reason: "\(scope.source) lets out only what is in the registry; \(reason)", nearest: nearest?.rule)
      }
    }
    return Verdict(decision: .allowed, by: allowing.sorted())
  }

  /// How near a port of an entry comes, and its first failing condition: nil when it fits.
  private func match(
    _ entry: ServiceEntry, _ port: ServiceEntry.Port, _ destination: Destination, _ number: UInt16, _ names: [DomainName], _ scope: IstioScope
  ) -> (Int, miss: String?) {
    let addressFits = entry.addresses.contains { $0.contains(destination.address) }
    let named = entry.hosts.filter { names.contains(where: $0.matches) }
    let nameFits = !named.isEmpty
    let placeFits: Bool
    if reachesEndpoint(of: entry, port, destination, number) {
      placeFits = true
    } else {
      switch port.matching {
      case .host: placeFits = nameFits || addressFits
      // Where the sidecar looks for the endpoint itself, the address that was dialled is not the one that is seen.
      case .serverName: placeFits = nameFits && (entry.addresses.isEmpty || addressFits || entry.resolution != .none)
      case .address: placeFits = entry.addresses.isEmpty || addressFits || entry.resolution == .dns && nameFits
      case .never: placeFits = false
      }
    }
    let numbers = Set([port.number, port.target] + entry.endpoints.compactMap { $0.ports[port.name] })
    let portFits = numbers.contains(number)
    let rating = (placeFits ? Nearness.destination : nameFits || addressFits ? 2 : Nearness.of(names, in: entry.hosts)) + (portFits ? Nearness.port : 0)
    if !placeFits {
      if port.matching != .address, !nameFits { return (rating, destination.miss(of: entry.hosts, names)) }
      return (rating, "\(destination.address) is not in \(entry.addresses.map(\.description).joined(separator: ", "))")
    }
    if !portFits { return (rating, "port \(number) is not \(port.number)") }
    let hidden = (nameFits ? named : entry.hosts).map { scope.hides($0, of: entry, on: port.number) }
    return hidden.contains(nil) ? (rating, nil) : (rating - 1, hidden.lazy.compactMap(\.self).first)
  }

  /// Whether the destination is one of those that the entry itself names, which is where a sidecar connects to.
  private func reachesEndpoint(of entry: ServiceEntry, _ port: ServiceEntry.Port, _ destination: Destination, _ number: UInt16) -> Bool {
    if let workloads = entry.workloads, let pod = cluster.pod(at: destination.address), cluster.pods[pod].namespace == entry.namespace,
      workloads.matches(cluster.pods[pod].labels)
    {
      return true
    }
    return entry.endpoints.contains { endpoint in
      guard (endpoint.ports[port.name] ?? port.target) == number else { return false }
      switch endpoint.address {
      case .address(let address): return address == destination.address
      case .name(let name): return destination.addressNames.contains(name)
      }
    }
  }
}
