import EgressModel

extension ClusterNetworkPolicy {
  /// Reads an object of any of the three kinds strictly, by the rules of its CRD. Ingress rules are checked, too, though nothing is made of them.
  static func read(_ object: ManifestObject, _ problems: Problems) -> ClusterNetworkPolicy? {
    guard let fields = object.fields(problems), let name = object.objectName(fields) else { return nil }
    if let namespace = name.namespace {
      fields["metadata"]?.anyMembers()?["namespace"]?.refuse("a \(object.kind) is in no namespace, not in \(quoted(namespace))", "remove it")
    }
    var policy = ClusterNetworkPolicy(
      name: name, tier: .admin, priority: lastPriority, subject: Pods(), egress: [], file: object.file, document: object.document, line: object.line)
    guard let spec = fields.required("spec") else { return nil }
    switch object.kind {
    case "AdminNetworkPolicy":
      guard let members = spec.members("priority", "subject", "ingress", "egress") else { return nil }
      policy.fill(members, dialect: .admin)
    case "BaselineAdminNetworkPolicy":
      if name.name != "default" {
        fields["metadata"]?.anyMembers()?["name"]?.refuse("the only BaselineAdminNetworkPolicy is called default, not \(quoted(name.name))", "write default")
      }
      guard let members = spec.members("subject", "ingress", "egress") else { return nil }
      policy.tier = .baseline
      policy.fill(members, dialect: .baseline)
    default:
      guard let members = spec.members("tier", "priority", "subject", "ingress", "egress") else { return nil }
      policy.tier = members.required("tier")?.word(["Admin": Tier.admin, "Baseline": .baseline]) ?? .admin
      policy.fill(members, dialect: .cluster)
    }
    return policy
  }

  private mutating func fill(_ spec: Members, dialect: Dialect) {
    if dialect != .baseline { priority = spec.required("priority")?.integer(0...1000).map { Int($0) } ?? Self.lastPriority }
    subject = spec.required("subject", "say which pods the policy is for; namespaces: {} means all")?.subject(dialect) ?? Pods()
    for rule in spec["ingress"]?.rules(dialect) ?? [] { _ = rule.rule(peers: "from", dialect) }
    egress = (spec["egress"]?.rules(dialect) ?? []).compactMap { $0.rule(peers: "to", dialect) }
  }

  fileprivate enum Dialect {
    /// AdminNetworkPolicy and BaselineAdminNetworkPolicy.
    case admin, baseline
    /// ClusterNetworkPolicy.
    case cluster

    var ruleLimit: Int { self == .cluster ? 25 : 100 }
  }
}

extension Field {
  fileprivate func rules(_ dialect: ClusterNetworkPolicy.Dialect) -> [Field] {
    let fields = elements()
    if fields.count > dialect.ruleLimit { refuse("\(fields.count) rules are given, at most \(dialect.ruleLimit) are allowed") }
    return fields
  }

  fileprivate func subject(_ dialect: ClusterNetworkPolicy.Dialect) -> ClusterNetworkPolicy.Pods? {
    guard let (key, field) = onlyMember("namespaces", "pods") else { return nil }
    return key == "pods" ? field.pods(dialect) : field.labelSelector().map { ClusterNetworkPolicy.Pods(namespaces: $0) }
  }

  private func pods(_ dialect: ClusterNetworkPolicy.Dialect) -> ClusterNetworkPolicy.Pods? {
    guard let members = members("namespaceSelector", "podSelector") else { return nil }
    // Objects of v1alpha1 without one of both are about, and mean what an empty selector does.
    if dialect == .cluster { _ = members.required("podSelector", "write {} for every pod") }
    return ClusterNetworkPolicy.Pods(
      pods: members["podSelector"]?.labelSelector() ?? LabelSelector(),
      namespaces: members["namespaceSelector"]?.labelSelector() ?? LabelSelector())
  }

  fileprivate func rule(peers key: String, _ dialect: ClusterNetworkPolicy.Dialect) -> ClusterNetworkPolicy.Rule? {
    let portsKey = dialect == .cluster ? "protocols" : "ports"
    guard let members = members("name", "action", key, portsKey) else { return nil }
    let name = members["name"]?.string()
    if let name, name.unicodeScalars.count > 100 { members["name"]?.refuse("it is longer than 100 characters") }
    let action: ClusterNetworkPolicy.Action? =
      switch dialect {
      case .admin: members.required("action")?.word(["Allow": .accept, "Deny": .deny, "Pass": .pass])
      case .baseline: members.required("action")?.word(["Allow": .accept, "Deny": .deny])
      case .cluster: members.required("action")?.word(["Accept": .accept, "Deny": .deny, "Pass": .pass])
      }
    let list = members.required(key, "a rule must name its peers; namespaces: {} means every pod")
    let peers = (list?.elements(upTo: dialect.ruleLimit) ?? []).compactMap { field in
      key == "from" ? field.podsPeer(dialect) : field.peer(dialect, allows: action == .accept)
    }
    let ports = (members[portsKey]?.elements(upTo: dialect.ruleLimit) ?? []).compactMap { dialect == .cluster ? $0.protocolPort() : $0.adminPort() }
    if ports.contains(where: { if case .named = $0.number { true } else { false } }),
      peers.contains(where: { if case .pods = $0 { false } else { true } })
    {
      refuse("a named port does not go with networks, nodes and domainNames, which have none", "give the port's number, or make two rules of it")
    }
    return action.map { ClusterNetworkPolicy.Rule(name: name, action: $0, peers: peers, ports: ports, line: value.line) }
  }

  private func podsPeer(_ dialect: ClusterNetworkPolicy.Dialect) -> ClusterNetworkPolicy.Peer? { subject(dialect).map { .pods($0) } }

  private func peer(_ dialect: ClusterNetworkPolicy.Dialect, allows: Bool) -> ClusterNetworkPolicy.Peer? {
    let only =
      dialect == .baseline
      ? onlyMember("namespaces", "pods", "nodes", "networks") : onlyMember("namespaces", "pods", "nodes", "networks", "domainNames")
    guard let (key, field) = only else { return nil }
    switch key {
    case "namespaces": return field.labelSelector().map { .pods(ClusterNetworkPolicy.Pods(namespaces: $0)) }
    case "pods": return field.pods(dialect).map { .pods($0) }
    case "nodes": return field.labelSelector().map { .nodes($0) }
    case "networks": return .networks(field.elements(upTo: 25).compactMap { $0.prefix() })
    default:
      if !allows {
        field.refuse(
          "names are only for rules that \(dialect == .cluster ? "Accept" : "Allow")",
          "accept the names that are wanted, and deny networks in a later rule")
      }
      return .names(
        field.elements(upTo: 25).compactMap { element in
          guard let text = element.string() else { return nil }
          if let pattern = NamePattern(text, asterisk: .oneOrMoreLabels, minimum: 2) { return pattern }
          element.refuse("\(quoted(text)) is no domain name", "write it like api.example.com or *.example.com (any depth)")
          return nil
        })
    }
  }

  /// An element of v1alpha2's `protocols`.
  private func protocolPort() -> RulePort? {
    guard let (key, field) = onlyMember("tcp", "udp", "sctp", "destinationNamedPort") else { return nil }
    guard key != "destinationNamedPort" else { return field.string().map { RulePort(transport: nil, number: .named($0)) } }
    guard let members = field.members("destinationPort"), let port = members.required("destinationPort"),
      let (kind, number) = port.onlyMember("number", "range")
    else { return nil }
    let range = kind == "number" ? number.integer(1...65535).map { UInt16($0)...UInt16($0) } : number.members("start", "end")?.portRange(strictly: true)
    return range.map { RulePort(transport: Transport(key), number: .range($0)) }
  }

  /// An element of v1alpha1's `ports`.
  private func adminPort() -> RulePort? {
    guard let (key, field) = onlyMember("portNumber", "portRange", "namedPort") else { return nil }
    switch key {
    case "namedPort": return field.string().map { RulePort(transport: nil, number: .named($0)) }
    case "portNumber":
      guard let members = field.members("protocol", "port"), let port = members.required("port")?.integer(1...65535) else { return nil }
      return members.transport().map { RulePort(transport: $0, number: .range(UInt16(port)...UInt16(port))) }
    default:
      guard let members = field.members("protocol", "start", "end"), let transport = members.transport() else { return nil }
      return members.portRange(strictly: false).map { RulePort(transport: transport, number: .range($0)) }
    }
  }
}

extension Members {
  /// `strictly`: a range of one port is refused.
  fileprivate func portRange(strictly: Bool) -> ClosedRange<UInt16>? {
    guard let first = required("start")?.integer(1...65535), let last = required("end")?.integer(1...65535) else { return nil }
    if last < first || strictly && last == first {
      self["end"]?.refuse("\(last) is not greater than start \(first)", "write the smaller number as start")
      return nil
    }
    return UInt16(first)...UInt16(last)
  }

  fileprivate func transport() -> Transport? {
    self["protocol"].map { $0.word(["TCP": Transport.tcp, "UDP": .udp, "SCTP": .sctp]) } ?? .tcp
  }
}
