public import EgressModel

/// A rule of a policy, for people: what it allows in one line, where it stands, and whether it says anything.
public struct RuleDescription: Hashable, Sendable {
  public var reference: RuleReference
  /// `to 10.0.0.0/8 except 10.1.0.0/16 ports 443/tcp`
  public var summary: String
  /// Why the rule is so wide that it says nothing; nil when it is not.
  ///
  /// Wide is: any destination; a block shorter than /8 (IPv4) or /32 (IPv6); every port of a destination that is not a pod and not wholly
  /// inside private address space (RFC 1918, RFC 6598, RFC 4193, loopback, link-local); a wildcard over a top-level domain.
  public var width: String?
  /// The domains under which a wildcard of the rule lets names in: `example.com` for `*.example.com`.
  public var wildcardDomains: [DomainName] = []
  /// Whether the rule only denies: that nothing uses it is as it should be.
  public var denies = false
  /// The policy's own remark.
  public var note: String?
  public var file: String
  public var document: Int
  /// Of the rule itself.
  public var line: Int
}

extension NetworkPolicy {
  var rules: [RuleDescription] {
    guard isolatesEgress else { return [] }
    return egress.enumerated().map { index, rule in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: rule.summary, width: rule.width, file: file,
        document: document, line: rule.line)
    }
  }
}

extension EgressPolicy {
  var rules: [RuleDescription] {
    allow.enumerated().map { index, rule in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: rule.summary, width: rule.width,
        wildcardDomains: rule.names.wildcardDomains,
        note: rule.note, file: file, document: document, line: rule.line)
    }
  }
}

extension NetworkPolicy.Rule {
  var summary: String {
    let to = peers.isEmpty ? "any destination" : peers.map(\.description).joined(separator: " or ")
    return "to \(to)" + (ports.isEmpty ? "" : " ports \(ports.map(\.description).joined(separator: ", "))")
  }

  var width: String? {
    if peers.isEmpty { return ports.isEmpty ? "any destination, every port" : "any destination" }
    for case .block(let prefix, _) in peers {
      if let width = prefix.width(everyPort: ports.isEmpty) { return width }
    }
    return nil
  }
}

extension NetworkPolicy.Peer: CustomStringConvertible {
  var description: String {
    switch self {
    case .block(let prefix, let except):
      return "\(prefix)" + (except.isEmpty ? "" : " except \(except.map(\.description).joined(separator: ", "))")
    case .pods(let pods, let namespaces):
      let who = pods.map { $0.selectsEverything ? "every pod" : "pods \($0)" } ?? "every pod"
      guard let namespaces else { return "\(who) of the namespace" }
      return who + (namespaces.selectsEverything ? " of every namespace" : " of namespaces \(namespaces)")
    }
  }
}

extension NetworkPolicy.Port: CustomStringConvertible {
  /// `443/tcp`, `8000-8100/udp`, `http/tcp`, `every port/tcp`.
  var description: String {
    switch number {
    case .any: "every port/\(transport)"
    case .range(let range): "\(range.text)/\(transport)"
    case .named(let name): "\(name)/\(transport)"
    }
  }
}

extension EgressPolicy.Rule {
  var summary: String {
    var to = names.map(\.description) + cidrs.map(\.description)
    if to.isEmpty { to = ["any destination"] }
    var text = "to \(to.joined(separator: " or "))"
    if !except.isEmpty { text += " except \(except.map(\.description).joined(separator: ", "))" }
    if let conditions { text += " ports \(conditions)" }
    return text
  }

  /// `443/tcp, 443/udp`, `icmp`; nil when anything goes.
  var conditions: String? {
    let transports = transports.contains(.icmp) ? transports.filter { $0 != .icmpv6 } : transports
    if ports.isEmpty { return transports.isEmpty ? nil : transports.map(\.description).joined(separator: ", ") }
    let protocols = transports.map(\.description).joined(separator: "|")
    return ports.map { "\($0.text)/\(protocols)" }.joined(separator: ", ")
  }

  var width: String? {
    if allowsAnyDestination { return ports.isEmpty ? "any destination, every port" : "any destination" }
    if let width = names.lazy.compactMap(\.width).first { return width }
    for prefix in cidrs {
      if let width = prefix.width(everyPort: ports.isEmpty) { return width }
    }
    return ports.isEmpty && !names.isEmpty ? "every port of \(names.map(\.description).joined(separator: ", "))" : nil
  }
}

extension IPPrefix {
  /// Why a rule that allows the block says nothing; nil when it does.
  func width(everyPort: Bool) -> String? {
    if length == 0 { return "\(self) is every \(isV4 ? "IPv4" : "IPv6") address" }
    if length < (isV4 ? 8 : 32), !isInternal { return "\(self) is shorter than \(isV4 ? "/8" : "/32")" }
    return everyPort && !isInternal ? "every port of \(self)" : nil
  }

  /// Whether no address of it is a third party's.
  private var isInternal: Bool {
    Self.internalBlocks.contains { $0.contains(self) }
  }

  private static let internalBlocks = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
  ].compactMap { IPPrefix($0) }
}

extension ClosedRange<UInt16> {
  /// `443` or `8000-8100`.
  var text: String { lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound)-\(upperBound)" }
}
