import EgressModel

extension CiliumPolicy {
  var rules: [RuleDescription] {
    zip(specs, numberedRules).flatMap { spec, rules in
      guard spec.governsEgress else { return [RuleDescription]() }
      return rules.map { number, rule in
        RuleDescription(
          reference: RuleReference(policy: name.reference, rule: number), summary: (rule.denies ? "deny " : "") + rule.summary,
          width: rule.denies ? nil : rule.width, wildcardDomains: rule.denies ? [] : rule.wildcardDomains, denies: rule.denies, file: file,
          document: document, line: rule.line)
      }
    }
  }
}

extension CiliumPolicy.Rule {
  var summary: String {
    let to = peers.map { $0.isEmpty ? "nobody" : $0.map(\.description).joined(separator: " or ") } ?? "any destination"
    if let icmp { return "to \(to) " + icmp.map { "\($0.transport) type \($0.number)" }.joined(separator: ", ") }
    let parts = ports.map { rule in
      let names = rule.serverNames.isEmpty ? "" : " with server name \(rule.serverNames.map(\.description).joined(separator: " or "))"
      return (rule.ports.isEmpty ? "every port" : rule.ports.map(\.description).joined(separator: ", ")) + names
        + (rule.application.map { " (\($0) rules not judged)" } ?? "")
    }
    return "to \(to)" + (parts.isEmpty ? "" : " ports \(parts.joined(separator: ", "))")
  }

  private var allowsEveryPort: Bool {
    icmp == nil && (ports.isEmpty || ports.contains { $0.serverNames.isEmpty && ($0.ports.isEmpty || $0.ports.contains { $0.number == .any }) })
  }

  var width: String? {
    guard let peers else { return allowsEveryPort ? "any destination, every port" : "any destination" }
    for peer in peers {
      switch peer {
      case .entity(.all): return allowsEveryPort ? "any destination, every port" : "any destination"
      case .entity(let entity) where [.world, .worldIPv4, .worldIPv6].contains(entity): return "\(entity.rawValue) is everything outside the cluster"
      case .block(let prefix, _): if let width = prefix.width(everyPort: allowsEveryPort) { return width }
      case .name(let pattern):
        if let domain = pattern.wildcardDomain, !domain.contains(".") {
          return "\(pattern) is \(domain.isEmpty ? "every name" : "a whole top-level domain")"
        }
        if allowsEveryPort { return "every port of \(pattern)" }
      default: break
      }
    }
    return nil
  }

  var wildcardDomains: [DomainName] {
    (peers ?? []).compactMap { peer in
      guard case .name(let pattern) = peer, let domain = pattern.wildcardDomain, !domain.isEmpty else { return nil }
      return DomainName(presentation: domain)
    }
  }
}

extension CiliumPolicy.Peer: CustomStringConvertible {
  var description: String {
    func without(_ except: [IPPrefix]) -> String { except.isEmpty ? "" : " except \(except.map(\.description).joined(separator: ", "))" }
    switch self {
    case .endpoints(let selector): return selector.selectsEverything ? "every pod" : "pods \(selector)"
    case .entity(let entity): return entity.rawValue
    case .block(let prefix, let except): return "\(prefix)" + without(except)
    case .group(.named(let name), let except): return "CIDR group \(name)" + without(except)
    case .group(.selected(let selector), let except): return "CIDR groups \(selector)" + without(except)
    case .name(let pattern): return "\(pattern)"
    case .service(let service): return "\(service)"
    case .nodes(let selector): return "nodes \(selector)"
    case .cloudGroup: return "a group of a cloud"
    }
  }
}

extension CiliumPolicy.ServiceReference: CustomStringConvertible {
  var description: String {
    switch self {
    case .named(let name, let namespace): "service \(namespace)/\(name)"
    case .selected(let selector, let namespace): "services \(selector)" + (namespace.map { " of \($0)" } ?? "")
    }
  }
}
