import EgressModel

extension Field {
  /// An element of `toPorts`.
  func ciliumPortRule(denies: Bool) -> CiliumPolicy.PortRule? {
    let known = ["ports"] + (denies ? [] : ["rules", "serverNames", "listener", "terminatingTLS", "originatingTLS"])
    guard let members = members(among: known) else { return nil }
    let ports = members["ports"]?.elements() ?? []
    if ports.count > 40 { members["ports"]?.refuse("\(ports.count) ports are given", "at most 40 go into one rule") }
    var rule = CiliumPolicy.PortRule(ports: ports.flatMap { $0.ciliumPorts() }, serverNames: [], application: members["rules"]?.ciliumRules())
    for field in members["serverNames"]?.elements() ?? [] {
      if let name = field.ciliumName("a name has letters, digits, - _ and ., and may begin with *. or **.", { CiliumNamePattern(pattern: $0) }) {
        rule.serverNames.append(name)
      }
    }
    if members["serverNames"] != nil, rule.serverNames.isEmpty { members["serverNames"]?.refuse("it names nothing", "remove it to allow every name") }
    for key in ["terminatingTLS", "originatingTLS"] {
      guard let context = members[key]?.members("secret", "trustedCA", "certificate", "privateKey") else { continue }
      _ = context.required("secret")?.ciliumReference()
    }
    if let listener = members["listener"]?.members("envoyConfig", "name", "priority") {
      _ = listener.required("name")?.string()
      _ = listener.required("envoyConfig")?.ciliumReference()
      _ = listener["priority"]?.integer(1...100)
    }
    return rule
  }

  private func ciliumReference() -> String? {
    guard let members = members("kind", "name", "namespace") else { return nil }
    return members.required("name")?.string()
  }

  private func ciliumPorts() -> [RulePort] {
    guard let members = members("port", "endPort", "protocol") else { return [] }
    let transports: KeyValuePairs<String, Transport?> = ["TCP": .tcp, "UDP": .udp, "SCTP": .sctp, "ANY": nil]
    let transport = members["protocol"].map { $0.word(transports) } ?? .some(nil)
    guard let field = members.required("port", "\"0\" is every port"), let text = field.string() else { return [] }
    var number = RulePort.Number.any
    let endPort = members["endPort"]?.integer(0...65535).map { UInt16($0) } ?? 0
    if let first = UInt16(text) {
      let last = endPort == 0 ? first : endPort
      if last < first { members["endPort"]?.refuse("\(last) is less than port \(first)", "write the smaller number as port") }
      if first > 0, last >= first { number = .range(first...last) } else if last > 0 { number = .range(1...last) }
    } else {
      let isName = ObjectName.isLabel(text.lowercased().utf8) && text.utf8.contains { (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) }
      if !isName { field.refuse("\(quoted(text)) is no port", "write \"443\", a port's name, or \"0\" for every port") }
      if endPort > 0 { members["endPort"]?.refuse("it does not go with a named port", "give port as a number") }
      number = .named(text)
    }
    guard let transport else { return [] }
    // Every port of any protocol is still none of ICMP.
    if transport == nil, number == .any { return [.tcp, .udp, .sctp].map { RulePort(transport: $0, number: .any) } }
    return [RulePort(transport: transport, number: number)]
  }

  /// What may be asked above TCP or UDP. It is read so that a mistake is found, and not judged.
  private func ciliumRules() -> String? {
    guard let members = members("http", "kafka", "dns", "l7proto", "l7") else { return nil }
    let given = ["http", "kafka", "dns", "l7proto"].filter { members[$0] != nil }
    if given.count > 1 { refuse("\(given.joined(separator: " and ")) exclude each other", "make an element of toPorts of each") }
    for rule in members["http"]?.elements() ?? [] {
      guard let parts = rule.members("method", "path", "host", "headers", "headerMatches") else { continue }
      for key in ["method", "path", "host"] { _ = parts[key]?.string() }
      _ = parts["headers"]?.strings()
      for match in parts["headerMatches"]?.elements() ?? [] {
        _ = match.members("name", "value", "mismatch", "secret")?.required("name")?.string()
      }
    }
    for rule in members["kafka"]?.elements() ?? [] {
      let keys = ["role", "apiKey", "apiVersion", "clientID", "topic"]
      guard let parts = rule.members(among: keys) else { continue }
      for key in keys { _ = parts[key]?.string() }
    }
    for rule in members["dns"]?.elements() ?? [] { _ = rule.ciliumName() }
    for rule in members["l7"]?.elements() ?? [] { _ = rule.stringMap() }
    return given.first == "l7proto" ? members["l7proto"]?.string() : given.first
  }

  /// An element of `icmps`.
  func ciliumICMPTypes() -> [CiliumPolicy.ICMPType] {
    guard let fields = members("fields")?["fields"]?.elements() else { return [] }
    if fields.count > 40 { refuse("\(fields.count) fields are given", "at most 40 go into one rule") }
    return fields.compactMap { field in
      guard let members = field.members("family", "type") else { return nil }
      let families: KeyValuePairs<String, Transport> = ["IPv4": .icmp, "IPv6": .icmpv6]
      guard let transport = members["family"].map({ $0.word(families) }) ?? .icmp, let type = members.required("type") else { return nil }
      let number: UInt8? =
        if case .string(let text) = type.value.content {
          UInt8(text) ?? (transport == .icmp ? CiliumPolicy.ICMPType.v4 : CiliumPolicy.ICMPType.v6)[text]
        } else {
          type.integer(0...255).map { UInt8($0) }
        }
      if number == nil, let text = type.value.string { type.refuse("\(quoted(text)) is no ICMP type", "write its number") }
      return number.map { CiliumPolicy.ICMPType(transport: transport, number: $0) }
    }
  }
}

extension CiliumPolicy.ICMPType {
  /// The [IANA names](https://www.iana.org/assignments/icmp-parameters), without blanks.
  fileprivate static let v4: [String: UInt8] = [
    "EchoReply": 0, "DestinationUnreachable": 3, "Redirect": 5, "Echo": 8, "EchoRequest": 8, "RouterAdvertisement": 9, "RouterSelection": 10,
    "TimeExceeded": 11, "ParameterProblem": 12, "Timestamp": 13, "TimestampReply": 14, "Photuris": 40, "ExtendedEchoRequest": 42,
    "ExtendedEcho Reply": 43, "ExtendedEchoReply": 43,
  ]
  fileprivate static let v6: [String: UInt8] = [
    "DestinationUnreachable": 1, "PacketTooBig": 2, "TimeExceeded": 3, "ParameterProblem": 4, "EchoRequest": 128, "EchoReply": 129,
    "MulticastListenerQuery": 130, "MulticastListenerReport": 131, "MulticastListenerDone": 132, "RouterSolicitation": 133,
    "RouterAdvertisement": 134, "NeighborSolicitation": 135, "NeighborAdvertisement": 136, "RedirectMessage": 137, "RouterRenumbering": 138,
    "ICMPNodeInformationQuery": 139, "ICMPNodeInformationResponse": 140, "InverseNeighborDiscoverySolicitation": 141,
    "InverseNeighborDiscoveryAdvertisement": 142, "HomeAgentAddressDiscoveryRequest": 144, "HomeAgentAddressDiscoveryReply": 145,
    "MobilePrefixSolicitation": 146, "MobilePrefixAdvertisement": 147, "DuplicateAddressRequestCodeSuffix": 157,
    "DuplicateAddressConfirmationCodeSuffix": 158, "ExtendedEchoRequest": 160, "ExtendedEchoReply": 161,
  ]
}
