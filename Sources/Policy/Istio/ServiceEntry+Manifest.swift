import EgressModel

extension ServiceEntry {
  static func read(_ object: ManifestObject, _ problems: Problems) -> ServiceEntry? {
    guard let fields = object.fields(problems), var name = object.objectName(fields) else { return nil }
    name.namespace = name.namespace ?? "default"
    guard
      let spec = fields.required("spec")?.members(
        "hosts", "addresses", "ports", "location", "resolution", "endpoints", "workloadSelector", "exportTo", "subjectAltNames"),
      let hostList = spec.required("hosts")
    else { return nil }
    _ = spec["location"]?.word(["MESH_EXTERNAL": true, "MESH_INTERNAL": false])
    _ = spec["subjectAltNames"]?.strings()
    let resolution = spec["resolution"]?.word(["NONE": Resolution.none, "STATIC": .fixed, "DNS": .dns, "DNS_ROUND_ROBIN": .dns, "DYNAMIC_DNS": .dynamic]) ?? .none
    let endpoints = spec["endpoints"]?.elements() ?? []
    if resolution == .none, !endpoints.isEmpty { spec["endpoints"]?.refuse("it does not go with resolution NONE", "write resolution: STATIC or DNS") }
    if !endpoints.isEmpty { spec["workloadSelector"]?.refuse("it does not go with endpoints", "make two entries of it") }
    let hosts = hostList.elements(upTo: 256).compactMap { $0.host(resolution, hasEndpoints: !endpoints.isEmpty) }
    let addresses = (spec["addresses"]?.elements() ?? []).compactMap { $0.serviceAddress(resolution) }
    let ports = (spec["ports"]?.elements() ?? []).compactMap { $0.servicePort() }
    for key in [\Port.name, \Port.number.description] {
      var known: Set<String> = []
      for port in ports where !known.insert(port[keyPath: key]).inserted {
        spec["ports"]?.refuse("\(port[keyPath: key]) stands there twice", "names and numbers of ports are unique in an entry")
      }
    }
    return ServiceEntry(
      name: name, hosts: hosts, addresses: addresses, ports: ports, resolution: resolution, endpoints: endpoints.compactMap { $0.endpoint() },
      workloads: spec["workloadSelector"].flatMap { $0.istioSelector() }, exportTo: spec["exportTo"]?.strings(), file: object.file,
      document: object.document)
  }
}

extension Field {
  /// `{labels: {…}}`.
  func istioSelector() -> LabelSelector? {
    guard let members = members("labels") else { return nil }
    return LabelSelector(matchLabels: members["labels"]?.stringMap() ?? [:])
  }

  fileprivate func host(_ resolution: ServiceEntry.Resolution, hasEndpoints: Bool) -> NamePattern? {
    guard let text = string() else { return nil }
    guard let pattern = NamePattern(text, asterisk: .oneOrMoreLabels, minimum: 0) else {
      refuse("\(quoted(text)) is no host", "write it like api.example.com or *.example.com (any depth)")
      return nil
    }
    if pattern.wildcardDomain == "", resolution != .none, resolution != .dynamic {
      refuse("every host goes only with resolution NONE", "name the hosts, or write resolution: NONE")
    } else if pattern.wildcardDomain != nil, resolution == .dns, !hasEndpoints {
      refuse("\(quoted(text)) cannot be resolved", "name the host in full, or write resolution: NONE")
    }
    return pattern
  }

  fileprivate func serviceAddress(_ resolution: ServiceEntry.Resolution) -> IPPrefix? {
    guard let text = string() else { return nil }
    if let address = IPAddress(text) { return IPPrefix(address) }
    guard let prefix = IPPrefix(text) else {
      refuse("\(quoted(text)) is no address and no address block", "write it like 240.1.0.1 or 10.0.0.0/8")
      return nil
    }
    if resolution != .none, resolution != .fixed { refuse("blocks go only with resolution NONE or STATIC", "write single addresses") }
    return prefix
  }

  fileprivate func servicePort() -> ServiceEntry.Port? {
    guard let members = members("number", "protocol", "name", "targetPort") else { return nil }
    let number = members.required("number")?.integer(1...65535).map { UInt16($0) }
    let target = members["targetPort"].map { $0.integer(1...65535).map { UInt16($0) } } ?? number
    let name = members.required("name")?.string()
    let text = members["protocol"].map { $0.string() } ?? "TCP"
    guard let number, let target, let name, let text else { return nil }
    let matching: ServiceEntry.Port.Matching
    switch text.uppercased() {
    case "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "GRPCWEB", "HTTP_PROXY": matching = .host
    case "TLS", "HTTPS": matching = .serverName
    case "TCP", "MONGO", "REDIS", "MYSQL", "POSTGRES", "THRIFT": matching = .address
    case "UDP": matching = .never
    default:
      members["protocol"]?.refuse("\(quoted(text)) is none of HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP, TLS")
      return nil
    }
    return ServiceEntry.Port(name: name, number: number, target: target, matching: matching, text: text.lowercased(), line: value.line)
  }

  fileprivate func endpoint() -> ServiceEntry.Endpoint? {
    guard let members = members("address", "ports", "labels", "network", "locality", "weight", "serviceAccount") else { return nil }
    // Without an address it is behind a gateway of its network, or a socket in the file system.
    guard let text = members["address"]?.string(), !text.hasPrefix("unix://") else { return nil }
    var ports: [String: UInt16] = [:]
    if let field = members["ports"], let entries = field.anyMembers() {
      for entry in entries.list {
        if let number = entries[entry.key]?.integer(1...65535) { ports[entry.key] = UInt16(number) }
      }
    }
    if let address = IPAddress(text) { return ServiceEntry.Endpoint(address: .address(address), ports: ports) }
    guard NamePattern(text, asterisk: .oneLabel, minimum: 1)?.wildcardDomain == nil else {
      members["address"]?.refuse("\(quoted(text)) is no address and no host")
      return nil
    }
    return ServiceEntry.Endpoint(address: .name(DomainName(presentation: text)), ports: ports)
  }
}
