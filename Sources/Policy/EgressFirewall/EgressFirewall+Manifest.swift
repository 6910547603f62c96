import EgressModel

extension EgressFirewall {
  /// The most rules that OVN-Kubernetes takes.
  static let ruleLimit = 8000

  static func read(_ object: ManifestObject, _ problems: Problems) -> EgressFirewall? {
    guard let fields = object.fields(problems), var name = object.objectName(fields) else { return nil }
    name.namespace = name.namespace ?? "default"
    if name.name != "default" {
      fields["metadata"]?.anyMembers()?["name"]?.refuse("the only EgressFirewall of a namespace is called default, not \(quoted(name.name))", "write default")
    }
    guard let spec = fields.required("spec")?.members("egress"), let list = spec.required("egress", "write [] to allow everything") else { return nil }
    let elements = list.elements()
    if elements.count > ruleLimit { list.refuse("\(elements.count) rules are given, at most \(ruleLimit) are allowed") }
    return EgressFirewall(
      name: name, egress: elements.compactMap { $0.firewallRule() }, file: object.file, document: object.document, line: object.line)
  }
}

extension Field {
  fileprivate func firewallRule() -> EgressFirewall.Rule? {
    guard let members = members("type", "to", "ports") else { return nil }
    let action = members.required("type")?.word(["Allow": EgressFirewall.Action.allow, "Deny": .deny])
    let target = members.required("to")?.firewallTarget()
    let ports = (members["ports"]?.elements() ?? []).compactMap { $0.firewallPort() }
    guard let action, let target else { return nil }
    return EgressFirewall.Rule(action: action, target: target, ports: ports, line: value.line)
  }

  private func firewallTarget() -> EgressFirewall.Target? {
    guard let (key, field) = onlyMember("cidrSelector", "dnsName", "nodeSelector") else { return nil }
    switch key {
    case "cidrSelector": return field.prefix().map { .block($0) }
    case "nodeSelector": return field.labelSelector().map { .nodes($0) }
    default:
      guard let text = field.string() else { return nil }
      guard let pattern = NamePattern(text, asterisk: .oneLabel, minimum: 1) else {
        field.refuse("\(quoted(text)) is no domain name", "write it like api.example.com, or *.example.com for one label")
        return nil
      }
      if let domain = pattern.wildcardDomain, !domain.contains(".") {
        field.refuse("\(quoted(text)) is a whole top-level domain", "write at least two labels after the wildcard")
      }
      return .name(pattern)
    }
  }

  private func firewallPort() -> RulePort? {
    guard let members = members("protocol", "port") else { return nil }
    let transport = members.required("protocol")?.word(["TCP": Transport.tcp, "UDP": .udp, "SCTP": .sctp])
    // 0 is what an absent port is to the data path: all of them.
    let port = members["port"].map { $0.integer(0...65535) } ?? 0
    guard let transport, let port else { return nil }
    return RulePort(transport: transport, number: port == 0 ? .any : .range(UInt16(port)...UInt16(port)))
  }
}
