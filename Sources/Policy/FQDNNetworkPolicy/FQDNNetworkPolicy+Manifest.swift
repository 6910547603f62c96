import EgressModel

extension FQDNNetworkPolicy {
  static func read(_ object: ManifestObject, _ problems: Problems) -> FQDNNetworkPolicy? {
    guard let fields = object.fields(problems), var name = object.objectName(fields) else { return nil }
    name.namespace = name.namespace ?? "default"
    guard let spec = fields.required("spec")?.members("podSelector", "egress"),
      let selector = spec.required("podSelector", "write {} for every pod of the namespace")?.labelSelector(),
      let list = spec.required("egress")
    else { return nil }
    let elements = list.elements()
    if elements.isEmpty, case .list = list.value.content { list.refuse("the list is empty", "give at least one rule") }
    return FQDNNetworkPolicy(
      name: name, podSelector: selector, egress: elements.compactMap { $0.fqdnRule() }, file: object.file, document: object.document,
      line: object.line)
  }
}

extension Field {
  fileprivate func fqdnRule() -> FQDNNetworkPolicy.Rule? {
    guard let members = members("matches", "ports"), let matches = members.required("matches", "give at least one name or pattern") else { return nil }
    let elements = matches.elements()
    if elements.isEmpty, case .list = matches.value.content { matches.refuse("the list is empty", "give at least one name or pattern") }
    let names = elements.compactMap { $0.fqdnMatch() }
    let ports = (members["ports"]?.elements() ?? []).compactMap { $0.fqdnPort() }
    return FQDNNetworkPolicy.Rule(names: names, ports: ports, line: value.line)
  }

  private func fqdnMatch() -> FQDNPattern? {
    guard let (key, field) = onlyMember("name", "pattern"), let text = field.string() else { return nil }
    if let pattern = FQDNPattern(text, wildcards: key == "pattern") { return pattern }
    let advice = key == "name" && text.contains("*") ? "give it as pattern" : "write it like api.example.com\(key == "pattern" ? ", or *.example.com" : "")"
    field.refuse("\(quoted(text)) is no \(key == "name" ? "domain name" : "pattern of domain names")", advice)
    return nil
  }

  private func fqdnPort() -> RulePort? {
    guard let members = members("protocol", "port") else { return nil }
    let transport: Transport?? = members["protocol"].map { $0.word(["TCP": .tcp, "UDP": .udp, "ALL": nil]) } ?? .some(nil)
    var number: RulePort.Number? = .any
    if let port = members["port"] { number = port.integer(1...65535).map { .range(UInt16($0)...UInt16($0)) } }
    guard let transport, let number else { return nil }
    return RulePort(transport: transport, number: number)
  }
}
