import EgressModel

extension CiliumPolicy {
  static func read(_ object: ManifestObject, _ problems: Problems) -> CiliumPolicy? {
    guard
      let fields = Field(value: object.root, path: object.path, problems: problems)
        .members("apiVersion", "kind", "metadata", "spec", "specs", "status"),
      var name = object.objectName(fields)
    else { return nil }
    name.namespace = object.kind == "CiliumNetworkPolicy" ? name.namespace ?? "default" : nil
    let specs = [fields["spec"]].compactMap { $0 } + (fields["specs"]?.elements() ?? [])
    if specs.isEmpty { fields.missing("spec").refuse("it is missing", "give spec, or a list of them as specs") }
    return CiliumPolicy(
      name: name, specs: specs.compactMap { $0.ciliumSpec(in: name.namespace) }, file: object.file, document: object.document)
  }
}

extension CiliumCIDRGroup {
  static func read(_ object: ManifestObject, _ problems: Problems) -> CiliumCIDRGroup? {
    guard let fields = object.fields(problems), var name = object.objectName(fields),
      let blocks = fields.required("spec")?.members("externalCIDRs")?.required("externalCIDRs")
    else { return nil }
    name.namespace = nil
    return CiliumCIDRGroup(name: name, labels: object.labels, blocks: blocks.elements().compactMap { $0.prefix() })
  }
}

extension Field {
  fileprivate func ciliumSpec(in namespace: String?) -> CiliumPolicy.Spec? {
    guard
      let members = members(
        "endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny", "labels", "description", "log")
    else { return nil }
    for (key, known) in ["labels": ["key", "value", "source"], "log": ["value"]] {
      guard let field = members[key] else { continue }
      for field in key == "labels" ? field.elements() : [field] {
        guard let parts = field.members(among: known) else { continue }
        for part in known { _ = parts[part]?.string() }
      }
    }
    _ = members["description"]?.string()
    for (key, denies) in ["ingress": false, "ingressDeny": true] {
      for rule in members[key]?.elements() ?? [] { _ = rule.ciliumRule("from", denies: denies, in: namespace) }
    }
    let egress = (members["egress"]?.elements() ?? []).compactMap { $0.ciliumRule("to", denies: false, in: namespace) }
    let egressDeny = (members["egressDeny"]?.elements() ?? []).compactMap { $0.ciliumRule("to", denies: true, in: namespace) }
    let sections = ["ingress", "ingressDeny", "egress", "egressDeny"]
    let isEmpty = sections.allSatisfy { key in
      if case .list(let rules)? = members[key]?.value.content { rules.isEmpty } else { members[key] == nil }
    }
    if isEmpty { refuse("no rule is given", "one of \(sections.joined(separator: ", ")) must hold a rule; egress: [{}] denies everything") }
    let defaults = members["enableDefaultDeny"]?.members("ingress", "egress")
    _ = defaults?["ingress"]?.boolean()
    guard let subject = ciliumSubject(members, in: namespace) else { return nil }
    return CiliumPolicy.Spec(
      subject: subject, egress: egress, egressDeny: egressDeny,
      deniesByDefault: defaults?["egress"]?.boolean() ?? (!egress.isEmpty || !egressDeny.isEmpty))
  }

  private func ciliumSubject(_ members: Members, in namespace: String?) -> CiliumPolicy.Subject? {
    if let nodes = members["nodeSelector"] {
      guard namespace == nil else {
        nodes.refuse("only a CiliumClusterwideNetworkPolicy selects nodes", "use endpointSelector")
        return nil
      }
      if members["endpointSelector"] != nil { nodes.refuse("it excludes endpointSelector", "make two specs of it") }
      return nodes.ciliumSelector().map { .nodes($0) }
    }
    guard let endpoints = members.required("endpointSelector", "{} selects every pod\(namespace == nil ? "" : " of the namespace")"),
      var selector = endpoints.ciliumSelector()
    else { return nil }
    if let namespace { selector.require(CiliumLabels.namespace, namespace) }
    return .endpoints(selector)
  }

  func ciliumSelector() -> LabelSelector? { labelSelector(key: CiliumLabels.key) }

  fileprivate func ciliumRule(_ way: String, denies: Bool, in namespace: String?) -> CiliumPolicy.Rule? {
    var kinds = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Groups", "Nodes"].map { way + $0 }
    if way == "to" { kinds.append("toServices") }
    if way == "to", !denies { kinds.append("toFQDNs") }
    guard let members = members(among: kinds + ["toPorts", "icmps", "\(way)Requires"] + (denies ? [] : ["authentication"])) else { return nil }
    members["\(way)Requires"]?.refuse("it is not judged here", "Cilium deprecates it: put the labels into \(way)Endpoints")
    if let authentication = members["authentication"]?.members("mode") {
      _ = authentication.required("mode")?.word(["disabled": 0, "required": 1, "test-always-fail": 2])
    }
    let given = kinds.filter { members[$0]?.elementCount ?? 0 > 0 }
    if given.count > 1 { refuse("\(given.joined(separator: " and ")) exclude each other", "make a rule of each") }
    var peers: [CiliumPolicy.Peer]?
    for kind in kinds {
      guard let list = members[kind] else { continue }
      peers = (peers ?? []) + list.elements().flatMap { $0.ciliumPeers(String(kind.dropFirst(way.count)), in: namespace) }
    }
    // An empty list beside a filled one means nobody, too.
    if kinds.contains(where: { members[$0]?.elementCount == 0 }) { peers = [] }
    let ports = (members["toPorts"]?.elements() ?? []).compactMap { $0.ciliumPortRule(denies: denies) }
    if let icmps = members["icmps"], members["toPorts"]?.elementCount ?? 0 > 0 {
      icmps.refuse("it does not go with toPorts", "make a rule of its own for ICMP")
    }
    // A rule without any condition is about nobody, unlike a NetworkPolicy's.
    if peers == nil, members["toPorts"]?.elementCount ?? 0 == 0, members["icmps"]?.elementCount ?? 0 == 0 { peers = [] }
    let icmp = members["icmps"].map { $0.elements().flatMap { $0.ciliumICMPTypes() } }
    return CiliumPolicy.Rule(peers: peers, ports: ports, icmp: icmp?.isEmpty == true ? nil : icmp, denies: denies, line: value.line)
  }

  /// Nil for what is no list.
  private var elementCount: Int? {
    if case .list(let values) = value.content { values.count } else { nil }
  }
}
