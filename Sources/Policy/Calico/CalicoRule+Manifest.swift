import EgressModel

extension Field {
  func calicoRule(in namespace: String?, isEgress: Bool) -> CalicoPolicy.Rule? {
    guard
      let members = members(
        "action", "protocol", "notProtocol", "ipVersion", "icmp", "notICMP", "source", "destination", "http", "metadata")
    else { return nil }
    let action = members.required("action")?.word(["Allow": CalicoPolicy.Action.allow, "Deny": .deny, "Log": .log, "Pass": .pass])
    var rule = CalicoPolicy.Rule(
      action: action ?? .log, transport: members["protocol"]?.calicoProtocol(), notTransport: members["notProtocol"]?.calicoProtocol(),
      source: CalicoPolicy.Entity(), destination: CalicoPolicy.Entity(), line: value.line)
    if let field = members["ipVersion"] {
      let version = field.integer(0...255)
      if let version, version != 4, version != 6 { field.refuse("\(version) is no IP version", "write 4 or 6") }
      rule.ipVersion = version.map { Int($0) }
    }
    rule.icmp = members["icmp"]?.calicoICMP()
    rule.notICMP = members["notICMP"]?.calicoICMP()
    if rule.icmp != nil, rule.transport != .icmp, rule.transport != .icmpv6 {
      members["icmp"]?.refuse("the protocol is not ICMP", "add protocol: ICMP or ICMPv6")
    }
    for (transport, version) in [(Transport.icmp, 4), (.icmpv6, 6)] where rule.transport == transport || rule.notTransport == transport {
      if let given = rule.ipVersion, given != version { members["ipVersion"]?.refuse("\(transport) is of IPv\(version)", "remove ipVersion") }
    }
    if let http = members["http"] {
      if isEgress { http.refuse("an egress rule matches no HTTP", "remove it") } else { _ = http.members("methods", "paths") }
    }
    if let metadata = members["metadata"]?.members("annotations") { _ = metadata["annotations"]?.stringMap() }
    for (key, isPeer) in [("source", !isEgress), ("destination", isEgress)] {
      guard let field = members[key], let entity = field.calicoEntity(rule, in: namespace, isPeer: isPeer) else { continue }
      if key == "source" { rule.source = entity } else { rule.destination = entity }
    }
    checkFamilies(of: rule, members)
    return action == nil ? nil : rule
  }

  /// A rule is about one address family, if about any.
  private func checkFamilies(of rule: CalicoPolicy.Rule, _ members: Members) {
    var family = rule.ipVersion.map { $0 == 4 }
    for (key, entity) in [("source", rule.source), ("destination", rule.destination)] {
      for (list, nets) in [("nets", entity.nets), ("notNets", entity.notNets)] {
        for net in nets {
          if let family, family != net.isV4 {
            members[key]?.anyMembers()?[list]?.refuse("the rule is about both IPv4 and IPv6", "make two rules of it")
            return
          }
          family = net.isV4
        }
      }
    }
  }

  /// `TCP`, `UDP`, `ICMP`, `ICMPv6`, `SCTP`, `UDPLite`, or a number from 1 to 255.
  private func calicoProtocol() -> Transport? {
    if case .string(let text) = value.content {
      if let number = UInt8(text), number > 0 { return Transport(rawValue: number) }
      let words: KeyValuePairs<String, Transport> = [
        "TCP": .tcp, "UDP": .udp, "ICMP": .icmp, "ICMPv6": .icmpv6, "SCTP": .sctp, "UDPLite": Transport(rawValue: 136),
      ]
      return word(words)
    }
    return integer(1...255).map { Transport(rawValue: UInt8($0)) }
  }

  private func calicoICMP() -> CalicoPolicy.ICMP? {
    guard let members = members("type", "code") else { return nil }
    let icmp = CalicoPolicy.ICMP(type: members["type"]?.integer(0...254).map { UInt8($0) }, code: members["code"]?.integer(0...255).map { UInt8($0) })
    if icmp.code != nil, icmp.type == nil { members["code"]?.refuse("a code goes with a type", "add type") }
    return icmp
  }

  /// One end of a flow; `isPeer`: the other end than the one that the policy selects.
  private func calicoEntity(_ rule: CalicoPolicy.Rule, in namespace: String?, isPeer: Bool) -> CalicoPolicy.Entity? {
    guard
      let members = members(
        "nets", "notNets", "selector", "notSelector", "namespaceSelector", "ports", "notPorts", "serviceAccounts", "services", "domains")
    else { return nil }
    var entity = CalicoPolicy.Entity()
    entity.nets = (members["nets"]?.elements() ?? []).compactMap { $0.calicoNet() }
    entity.notNets = (members["notNets"]?.elements() ?? []).compactMap { $0.calicoNet() }
    entity.notSelector = members["notSelector"]?.calicoSelector()
    entity.ports = members["ports"]?.calicoPorts(rule) ?? []
    entity.notPorts = members["notPorts"]?.calicoPorts(rule) ?? []
    if let domains = members["domains"] {
      entity.domains = domains.calicoDomains()
      if rule.action != .allow, !entity.domains.isEmpty { domains.refuse("names are for rules that allow", "use nets, or action: Allow") }
      if !isPeer, !entity.domains.isEmpty { domains.refuse("names are for where a flow goes", "move them to destination") }
    }
    readSelectors(members, in: namespace, into: &entity)
    if let field = members["services"], let service = field.members("name", "namespace") {
      let home = service["namespace"]?.string() ?? namespace
      if home == nil { service.missing("namespace").refuse("it is missing", "a global policy has no namespace of its own") }
      if !isPeer { field.refuse("a Service is the other end of a flow, never the policy's own", "move it") }
      for key in ["nets", "notNets", "selector", "notSelector", "namespaceSelector", "serviceAccounts", "ports", "notPorts"] where members[key] != nil {
        field.refuse("\(key) does not go with services", "make two rules of it")
      }
      if let name = service.required("name")?.string(), let home { entity.service = .init(namespace: home, name: name) }
    }
    return entity
  }

  /// Selector, namespace selector and service accounts make one selector together, which is confined to the policy's namespace unless it says which.
  private func readSelectors(_ members: Members, in namespace: String?, into entity: inout CalicoPolicy.Entity) {
    var parts: [CalicoSelector] = []
    if let accounts = members["serviceAccounts"]?.members("names", "selector") {
      if let names = accounts["names"]?.strings(), !names.isEmpty { parts.append(.isIn(CalicoLabels.serviceAccount, Set(names))) }
      if let selector = accounts["selector"]?.calicoSelector() {
        entity.readsServiceAccounts = selector.readsLabels
        if !selector.readsLabels { parts.append(.has(CalicoLabels.serviceAccount)) }
      }
    }
    // An empty text is like none.
    if let field = members["selector"], let selector = field.calicoSelector(), field.value.string != "" { parts.append(selector) }
    var scope: CalicoSelector?
    if let field = members["namespaceSelector"], field.value.string != "" {
      scope = field.calicoNamespaces()
    } else if let namespace, !parts.isEmpty || entity.notSelector != nil || entity.readsServiceAccounts {
      scope = .equals(CalicoLabels.namespace, namespace)
    }
    let all = [scope].compactMap { $0 } + parts
    if let first = all.first { entity.selector = all.dropFirst().reduce(first) { .both($0, $1) } }
  }

  private func calicoPorts(_ rule: CalicoPolicy.Rule) -> [RulePort] {
    let ports = elements().compactMap { $0.calicoPort(rule.transport) }
    if !ports.isEmpty, rule.transport?.hasPorts != true {
      refuse("the rule's protocol has no ports", "add protocol: TCP, UDP or SCTP")
    }
    return ports
  }

  /// A number, a range such as `"8000:8100"`, or the name of a container port.
  private func calicoPort(_ transport: Transport?) -> RulePort? {
    if case .integer = value.content { return integer(0...65535).map { RulePort(transport: transport, number: .range(UInt16($0)...UInt16($0))) } }
    guard let text = string() else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let bounds = parts.map { UInt16($0) }
    if parts.count <= 2, let first = bounds.first ?? nil, let last = bounds.last ?? nil {
      if first <= last { return RulePort(transport: transport, number: .range(first...last)) }
      refuse("\(first) is greater than \(last)", "write the smaller number first")
      return nil
    }
    let isName = (1...128).contains(text.utf8.count) && Int(text) == nil && text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || "_.-".utf8.contains($0)
    }
    if isName { return RulePort(transport: transport, number: .named(text)) }
    refuse("\(quoted(text)) is no port", "write 443, \"8000:8100\" or a port's name")
    return nil
  }
}
