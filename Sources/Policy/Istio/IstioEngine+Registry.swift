import EgressModel

/// Finds the ports of entries that a connection may be for, without asking each.
struct RegistryIndex: Sendable {
  struct Rule: Sendable {
    var entry: Int
    var port: Int
  }

  /// To whom an entry is exported.
  enum Audience: Hashable, Sendable {
    case everyone
    case namespace(String)
    /// The entry does not say; the mesh exports such entries to everyone, or only to their own namespace.
    case unsaid
    case unsaidOwn(String)
  }

  private struct Files: Sendable {
    /// By host in full, and by what follows a wildcard (empty for a bare one).
    var byHost: [Substring: [Int]] = [:]
    /// Ports that addresses alone may lead to, by number.
    var byPort: [UInt16: [Int]] = [:]

    func add(_ names: [LabelledName], _ port: UInt16, to found: inout [Int]) {
      found += byPort[port] ?? []
      for name in names {
        var suffix = name.text[...]
        found += byHost[suffix] ?? []
        while let dot = suffix.firstIndex(of: ".") {
          suffix = suffix[suffix.index(after: dot)...]
          if let more = byHost[suffix] { found += more }
        }
        found += byHost[""] ?? []
      }
    }
  }

  /// In the order of the entries.
  private(set) var rules: [Rule] = []
  private var all = Files()
  private var files: [Audience: Files] = [:]
  /// See `RuleIndex.isPlain`.
  let isPlain: Bool

  init(_ entries: [ServiceEntry]) {
    isPlain = RuleIndex.isPlain
    for (id, entry) in entries.enumerated() {
      let audiences = entry.audiences
      for (number, port) in entry.ports.enumerated() where port.matching != .never {
        let rule = rules.count
        rules.append(Rule(entry: id, port: number))
        let hosts = Set(entry.hosts.map { $0.wildcardDomain.map { $0[...] } ?? $0.description[...] })
        let isByAddress = port.matching == .address || !entry.addresses.isEmpty || !entry.endpoints.isEmpty || entry.workloads != nil
        let ports = isByAddress ? Set([port.number, port.target] + entry.endpoints.compactMap { $0.ports[port.name] }) : []
        for host in hosts { all.byHost[host, default: []].append(rule) }
        for number in ports { all.byPort[number, default: []].append(rule) }
        for audience in audiences {
          for host in hosts { files[audience, default: Files()].byHost[host, default: []].append(rule) }
          for number in ports { files[audience, default: Files()].byPort[number, default: []].append(rule) }
        }
      }
    }
  }

  /// Rules by their numbers, in order; nil audiences: whoever sees them.
  func candidates(_ names: [LabelledName], _ port: UInt16, seenBy audiences: [Audience]? = nil) -> [Int] {
    var found: [Int] = []
    if let audiences, !isPlain {
      for audience in audiences { files[audience]?.add(names, port, to: &found) }
    } else {
      all.add(names, port, to: &found)
    }
    return found.sortedOnce
  }
}

extension ServiceEntry {
  fileprivate var audiences: [RegistryIndex.Audience] {
    guard let exportTo, !exportTo.isEmpty else { return [.unsaid, .unsaidOwn(namespace)] }
    if exportTo.contains("*") { return [.everyone] }
    return Set(exportTo.map { $0 == "." ? namespace : $0 }).map { .namespace($0) }
  }
}

extension IstioEngine {
  /// The verdict on what is no service of the cluster.
  func toEntry(_ destination: Destination, _ port: UInt16, _ scope: IstioScope) -> Verdict {
    let said = destination.saidNames
    // A connection in which two names were said goes to both, so each must be let through.
    let alternatives = said.isEmpty ? [destination.lookedUpNames] : said.map { [$0] }
    var allowing: Set<RuleReference> = []
    for names in alternatives.map({ $0.map(LabelledName.init) }) {
      let fitting = index.candidates(names, port, seenBy: scope.audiences).filter { check($0, destination, port, names, scope).failure == nil }
      if fitting.isEmpty { return denial(destination, port, names, scope) }
      for rule in fitting { allowing.insert(reference(rule)) }
    }
    return Verdict(decision: .allowed, by: allowing.sorted())
  }

  private func denial(_ destination: Destination, _ port: UInt16, _ names: [LabelledName], _ scope: IstioScope) -> Verdict {
    var nearest: (rule: Int, nearness: Int, failure: Failure)?
    for rule in index.candidates(names, port) {
      let (nearness, failure) = check(rule, destination, port, names, scope)
      guard let failure, nearness > nearest?.nearness ?? -1 else { continue }
      nearest = (rule, nearness, failure)
      // Nothing that fails comes nearer.
      if nearness == Self.hidden, !index.isPlain { break }
    }
    let reason =
      nearest.map { "\(reference($0.rule)): \(miss(of: $0.rule, $0.failure, destination, port, names, scope))" }
      ?? "no ServiceEntry that the pod sees is about \(names.first.map { "\($0)" } ?? "\(destination.address)")"
    return Verdict(
      decision: .denied, reason: "\(scope.source) lets out only what is in the registry; \(reason)", nearest: nearest.map { reference($0.rule) })
  }

  /// What the ports of entries have to do with a flow that may be about it: those of the others are too many, and not for it.
  func accounts(_ destination: Destination, _ port: UInt16, _ scope: IstioScope) -> [RuleAccount] {
    let names = destination.decisiveNames
    return index.candidates(names, port).map { rule in
      let failure = check(rule, destination, port, names, scope).failure
      return RuleAccount(reference(rule), failure.map { .fails(miss(of: rule, $0, destination, port, names, scope)) } ?? .fits)
    }
  }

  private func reference(_ rule: Int) -> RuleReference {
    RuleReference(policy: entries[index.rules[rule].entry].name.reference, rule: index.rules[rule].port)
  }

  /// The first failing condition.
  private enum Failure {
    case name, address, port, hidden
  }

  /// How near what fits comes that the pod does not see.
  private static let hidden = Nearness.fits - 1

  /// How near a port of an entry comes; without a failure it fits.
  private func check(_ rule: Int, _ destination: Destination, _ number: UInt16, _ names: [LabelledName], _ scope: IstioScope) -> (nearness: Int, failure: Failure?) {
    let entry = entries[index.rules[rule].entry]
    let port = entry.ports[index.rules[rule].port]
    let addressFits = entry.addresses.contains { $0.contains(destination.address) }
    let nameFits = entry.hosts.contains { names.contains(where: $0.matches) }
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
    let portFits = port.number == number || port.target == number || entry.endpoints.contains { $0.ports[port.name] == number }
    let rating = (placeFits ? Nearness.destination : nameFits || addressFits ? 2 : Nearness.of(names, in: entry.hosts)) + (portFits ? Nearness.port : 0)
    if !placeFits { return (rating, port.matching != .address && !nameFits ? .name : .address) }
    if !portFits { return (rating, .port) }
    return hiding(entry, nameFits ? names : [], port.number, scope) == nil ? (rating, nil) : (Self.hidden, .hidden)
  }

  /// Why the pod sees none of the hosts of an entry that names are about (without names: of all its hosts); nil when it sees one.
  private func hiding(_ entry: ServiceEntry, _ names: [LabelledName], _ port: UInt16, _ scope: IstioScope) -> IstioScope.Hiding? {
    var first: IstioScope.Hiding?
    for host in entry.hosts where names.isEmpty || names.contains(where: host.matches) {
      guard let hiding = scope.hides(host, of: entry, on: port) else { return nil }
      first = first ?? hiding
    }
    return first
  }

  private func miss(
    of rule: Int, _ failure: Failure, _ destination: Destination, _ number: UInt16, _ names: [LabelledName], _ scope: IstioScope
  ) -> String {
    let entry = entries[index.rules[rule].entry]
    let port = entry.ports[index.rules[rule].port]
    switch failure {
    case .name: return destination.miss(of: entry.hosts, names)
    case .address: return "\(destination.address) is not in \(entry.addresses.map(\.description).joined(separator: ", "))"
    case .port: return "port \(number) is not \(port.number)"
    case .hidden:
      let named = entry.hosts.contains { names.contains(where: $0.matches) } ? names : []
      switch hiding(entry, named, port.number, scope) {
      case .notExported: return "it is not exported to namespace \(scope.namespace)"
      case .notShown(let host): return "\(scope.sidecar ?? "the Sidecar") does not show \(entry.namespace)/\(host)"
      case nil: return "it fits"
      }
    }
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
      case .name(let name): return destination.addressNames.contains { $0.name == name }
      }
    }
  }
}
