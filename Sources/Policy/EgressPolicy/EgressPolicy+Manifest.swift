import EgressModel

extension EgressPolicy {
  static let apiVersion = "egress-obs.dev/v1"

  static func read(_ object: ManifestObject, _ problems: Problems) -> EgressPolicy? {
    guard let fields = object.fields(problems), let name = object.objectName(fields),
      let spec = fields.required("spec")?.members("select", "allow"),
      let select = spec.required("select", "say which workloads the policy is for: pods or hosts"),
      let selection = select.egressSelection(in: name.namespace)
    else { return nil }
    let rules = (spec["allow"]?.elements() ?? []).compactMap { $0.egressRule() }
    return EgressPolicy(
      name: name, selection: selection, allow: rules, file: object.file, document: object.document, line: object.line)
  }
}

extension Field {
  fileprivate func egressSelection(in namespace: String?) -> EgressPolicy.Selection? {
    guard let members = members("pods", "hosts") else { return nil }
    switch (members["pods"], members["hosts"]) {
    case (let pods?, nil): return pods.podSelection(in: namespace)
    case (nil, let hosts?):
      if namespace != nil { hosts.refuse("hosts are in no namespace", "remove metadata.namespace") }
      return hosts.hostSelection()
    case (nil, nil):
      refuse("it selects nothing", "give pods or hosts; pods: {} means every pod")
      return nil
    default:
      refuse("pods and hosts exclude each other", "make two policies of it")
      return nil
    }
  }

  private func podSelection(in namespace: String?) -> EgressPolicy.Selection? {
    guard let members = members("namespaces", "podSelector") else { return nil }
    let selector = members["podSelector"].map { $0.labelSelector() } ?? LabelSelector()
    var namespaces = members["namespaces"].map { $0.globs() }
    if let namespace {
      if let field = members["namespaces"] {
        field.refuse("a policy in a namespace selects only there", "remove metadata.namespace or this list")
      }
      namespaces = [Glob(namespace)]
    }
    return selector.map { .pods(namespaces: namespaces, $0) }
  }

  private func hostSelection() -> EgressPolicy.Selection? {
    guard let members = members("units", "containers", "nodes") else { return nil }
    let units = members["units"]?.globs() ?? []
    let containers = members["containers"]?.globs() ?? []
    if members["units"] == nil, members["containers"] == nil {
      refuse("it selects nothing", "give units, such as [nginx.service], or containers; \"*\" means all")
    }
    return .hosts(units: units, containers: containers, nodes: members["nodes"]?.globs())
  }

  private func globs() -> [Glob] {
    let fields = elements()
    if fields.isEmpty, case .list = value.content { refuse("the list is empty, so it selects nothing", "remove it, or write [\"*\"] for all") }
    return fields.compactMap { field in
      guard let text = field.string() else { return nil }
      if text.isEmpty { field.refuse("it is empty") }
      return Glob(text)
    }
  }

  fileprivate func egressRule() -> EgressPolicy.Rule? {
    guard let members = members("names", "cidrs", "except", "ports", "transports", "note") else { return nil }
    var rule = EgressPolicy.Rule(line: value.line)
    rule.note = members["note"]?.string()
    for key in ["names", "cidrs", "except", "ports", "transports"] {
      // An empty list reads like "none", and absence means "any": a mistake here would open everything.
      if let field = members[key], case .list(let values) = field.value.content, values.isEmpty {
        field.refuse("the list is empty", "remove it to allow any, or remove the rule to allow none")
      }
    }
    for field in members["names"]?.elements() ?? [] {
      guard let text = field.string() else { continue }
      if let address = IPAddress(text) {
        field.refuse("\(quoted(text)) is an address", "write \(IPPrefix(address)) into cidrs")
      } else if let pattern = NamePattern(text) {
        rule.names.append(pattern)
      } else {
        field.refuse("\(quoted(text)) is no domain name", "write it like api.example.com, *.example.com (one label) or **.example.com (any depth)")
      }
    }
    rule.cidrs = (members["cidrs"]?.elements() ?? []).compactMap { $0.prefix() }
    for field in members["except"]?.elements() ?? [] {
      guard let prefix = field.prefix() else { continue }
      rule.except.append(prefix)
      if !rule.cidrs.contains(where: { $0.contains(prefix) && $0.length < prefix.length }) {
        field.refuse("\(prefix) does not lie strictly within any of cidrs", "except can only take away a part of this rule's cidrs")
      }
    }
    rule.ports = (members["ports"]?.elements() ?? []).compactMap { $0.portRange() }
    rule.transports = transports(members)
    return rule
  }

  private func portRange() -> ClosedRange<UInt16>? {
    if case .integer = value.content { return integer(1...65535).map { UInt16($0)...UInt16($0) } }
    guard let text = string() else { return nil }
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
    if (1...2).contains(bounds.count), let first = bounds.first ?? nil, let last = bounds.last ?? nil, first >= 1, first <= last {
      return first...last
    }
    refuse("\(quoted(text)) is no port and no range", "write 443 or \"8000-8100\"")
    return nil
  }

  private func transports(_ members: Members) -> [Transport] {
    guard let field = members["transports"] else { return members["ports"] == nil ? [] : [.tcp, .udp, .sctp] }
    let words = field.elements().compactMap { element in
      element.word(["tcp": [Transport.tcp], "udp": [.udp], "sctp": [.sctp], "icmp": [.icmp, .icmpv6], "any": []])
    }
    if words.contains([]), words.count > 1 { field.refuse("any stands for all, so nothing goes beside it", "write [any]") }
    let transports = words.flatMap { $0 }
    if members["ports"] != nil {
      if transports.contains(.icmp) { field.refuse("icmp has no ports", "make a rule of its own for it") }
      if words.contains([]) { return [.tcp, .udp, .sctp] }
    }
    return transports
  }
}
