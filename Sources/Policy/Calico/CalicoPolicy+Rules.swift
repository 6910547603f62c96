import EgressModel

extension CalicoPolicy {
  /// What is only staged has no effect.
  var rules: [RuleDescription] {
    guard governsEgress, staged == nil else { return [] }
    return egress.enumerated().map { index, rule in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: rule.summary, width: rule.width,
        // Logging and passing decide nothing either, so no verdict is by such a rule.
        wildcardDomains: rule.action == .allow ? rule.destination.domains.compactMap(\.wildcardDomain) : [], denies: rule.action != .allow, file: file,
        document: document, line: rule.line)
    }
  }
}

extension CalicoPolicy.Rule {
  /// `to 203.0.113.0/24 ports 443/tcp`; with what it does before it, unless it allows.
  var summary: String { (action == .allow ? "" : "\(action.rawValue.lowercased()) ") + scope }

  /// `to 203.0.113.0/24 ports 443/tcp`
  var scope: String {
    var text = "to \(destination.summary ?? "any destination")"
    if !destination.ports.isEmpty {
      text += destination.ports.summary
    } else if let transport {
      text += " \(transport)"
    }
    if !destination.notPorts.isEmpty { text += " but\(destination.notPorts.summary)" }
    if let notTransport { text += " but \(notTransport)" }
    if let ipVersion { text += " over IPv\(ipVersion)" }
    if let icmp { text += icmp.summary }
    if let notICMP { text += " but\(notICMP.summary)" }
    if let from = source.summary { text += " from \(from)" }
    return text
  }

  var width: String? {
    guard action == .allow else { return nil }
    let everyPort = destination.ports.isEmpty && destination.notPorts.isEmpty && (transport == nil || transport?.hasPorts == true)
    if destination.isAnything { return everyPort ? "any destination, every port" : "any destination" }
    guard destination.selector == nil, destination.service == nil else { return nil }
    if let domain = destination.domains.first { return everyPort ? "every port of \(domain)" : nil }
    if destination.nets.isEmpty { return "any destination but \(destination.notNets.map(\.description).joined(separator: ", "))" }
    return destination.nets.lazy.compactMap { $0.width(everyPort: everyPort) }.first
  }
}

extension CalicoPolicy.ICMP {
  fileprivate var summary: String { (type.map { " type \($0)" } ?? "") + (code.map { " code \($0)" } ?? "") }
}

extension CalicoPolicy.Entity {
  /// Whether every address will do.
  var isAnything: Bool {
    nets.isEmpty && notNets.isEmpty && selector == nil && notSelector == nil && service == nil && domains.isEmpty && !readsServiceAccounts
  }

  /// Nil when anything goes.
  fileprivate var summary: String? {
    if isAnything { return nil }
    var parts = nets.isEmpty ? [] : [nets.map(\.description).joined(separator: " or ")]
    if let selector { parts.append("\(selector)") }
    if readsServiceAccounts { parts.append("service accounts by label") }
    if let service { parts.append("service \(service.namespace)/\(service.name)") }
    if !domains.isEmpty { parts.append(domains.map(\.description).joined(separator: " or ")) }
    if parts.isEmpty { parts.append("any destination") }
    if !notNets.isEmpty { parts.append("except \(notNets.map(\.description).joined(separator: ", "))") }
    if let notSelector { parts.append("except \(notSelector)") }
    return parts.joined(separator: " ")
  }
}

extension CalicoDomain {
  /// What follows the `*`, without a dot in front.
  fileprivate var wildcardDomain: DomainName? {
    guard let star = description.lastIndex(of: "*") else { return nil }
    let rest = description[description.index(after: star)...].drop { $0 == "." }
    return rest.isEmpty ? nil : DomainName(presentation: String(rest))
  }
}
