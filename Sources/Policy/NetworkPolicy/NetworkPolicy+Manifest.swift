import EgressModel

extension NetworkPolicy {
  /// Reads an object strictly, by the rules of the API server.
  static func read(_ object: ManifestObject, _ problems: Problems) -> NetworkPolicy? {
    guard let fields = object.fields(problems), var name = object.objectName(fields) else { return nil }
    name.namespace = name.namespace ?? "default"
    var policy = NetworkPolicy(
      name: name, podSelector: LabelSelector(), isolatesEgress: false, egress: [],
      file: object.file, document: object.document, line: object.line)
    guard let spec = fields["spec"] else { return policy }
    guard let spec = spec.members("podSelector", "policyTypes", "ingress", "egress") else { return nil }
    policy.podSelector = spec["podSelector"]?.labelSelector() ?? LabelSelector()
    policy.ingress = (spec["ingress"]?.elements() ?? []).compactMap { $0.networkPolicyRule(peers: "from") }
    policy.declaresEgress = spec["egress"] != nil
    policy.egress = (spec["egress"]?.elements() ?? []).compactMap { $0.networkPolicyRule(peers: "to") }
    policy.isolatesEgress = !policy.egress.isEmpty
    if let types = spec["policyTypes"], case let elements = types.elements(), !elements.isEmpty {
      if elements.count > 2 { types.refuse("\(elements.count) policy types are given", "there are only Ingress and Egress") }
      let isEgress = elements.compactMap { $0.word(["Ingress": false, "Egress": true]) }
      policy.isolatesEgress = isEgress.contains(true)
      if !isEgress.contains(false) { policy.ingress = nil }
    }
    return policy
  }
}

extension Field {
  fileprivate func networkPolicyRule(peers key: String) -> NetworkPolicy.Rule? {
    guard let members = members("ports", key) else { return nil }
    let ports = (members["ports"]?.elements() ?? []).compactMap { $0.networkPolicyPort() }
    let peers = (members[key]?.elements() ?? []).compactMap { $0.networkPolicyPeer() }
    return NetworkPolicy.Rule(peers: peers, ports: ports, line: value.line)
  }

  private func networkPolicyPeer() -> NetworkPolicy.Peer? {
    guard let members = members("podSelector", "namespaceSelector", "ipBlock") else { return nil }
    let pods = members["podSelector"]
    let namespaces = members["namespaceSelector"]
    if let block = members["ipBlock"] {
      if pods != nil || namespaces != nil { refuse("ipBlock excludes podSelector and namespaceSelector", "make two peers of it") }
      return block.ipBlock()
    }
    guard pods != nil || namespaces != nil else {
      refuse("the peer names nobody", "give podSelector, namespaceSelector or ipBlock; {} as podSelector means every pod of the namespace")
      return nil
    }
    return .pods(pods?.labelSelector(), namespaces: namespaces?.labelSelector())
  }

  private func ipBlock() -> NetworkPolicy.Peer? {
    guard let members = members("cidr", "except") else { return nil }
    let cidr = members.required("cidr")?.prefix()
    var except: [IPPrefix] = []
    for field in members["except"]?.elements() ?? [] {
      guard let prefix = field.prefix() else { continue }
      except.append(prefix)
      if let cidr, !cidr.contains(prefix) || cidr.length == prefix.length {
        field.refuse("\(prefix) does not lie strictly within cidr \(cidr)", "except can only take away a part of cidr")
      }
    }
    return cidr.map { .block($0, except: except) }
  }

  private func networkPolicyPort() -> NetworkPolicy.Port? {
    guard let members = members("protocol", "port", "endPort") else { return nil }
    let transport = members["protocol"].map { $0.word(["TCP": Transport.tcp, "UDP": .udp, "SCTP": .sctp]) } ?? .tcp
    let endPort = members["endPort"]
    var number: NetworkPolicy.Port.Number? = .any
    if let port = members["port"] {
      if case .string(let name) = port.value.content {
        number = .named(name)
        if !isPortName(name) {
          port.refuse(
            "\(quoted(name)) is no port name",
            UInt16(name) == nil
              ? "a name has at most 15 lower-case letters, digits and hyphens, and a letter" : "write the number without quotes")
        }
        endPort?.refuse("it does not go with a named port", "remove endPort, or give port as a number")
      } else {
        let first = port.integer(1...65535)
        let last = endPort.map { $0.integer(1...65535) } ?? first
        number = nil
        if let first, let last {
          if last < first {
            endPort?.refuse("\(last) is less than port \(first)", "write the smaller number as port")
          } else {
            number = .range(UInt16(first)...UInt16(last))
          }
        }
      }
    } else if let endPort {
      members.missing("port").refuse("it is missing, though endPort is \(endPort.value.account)", "give the first port of the range")
    }
    guard let transport, let number else { return nil }
    return NetworkPolicy.Port(transport: transport, number: number)
  }

  /// An IANA service name, RFC 6335 §5.1.
  private func isPortName(_ text: String) -> Bool {
    text.utf8.count <= 15 && ObjectName.isLabel(text.utf8) && text.utf8.contains { (0x61...0x7a).contains($0) } && !text.contains("--")
  }
}
