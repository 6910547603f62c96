import EgressModel

extension CalicoPolicy {
  static func read(_ object: ManifestObject, _ problems: Problems) -> CalicoPolicy? {
    guard let fields = object.fields(problems), var name = object.objectName(fields), let spec = fields.required("spec") else { return nil }
    let isGlobal = object.kind.hasSuffix("GlobalNetworkPolicy")
    let isStaged = object.kind.hasPrefix("Staged")
    // Kubernetes has a NetworkPolicy of its own.
    if object.kind == "NetworkPolicy" { name.kind = "CalicoNetworkPolicy" }
    name.namespace = isGlobal ? nil : name.namespace ?? "default"
    var known = ["tier", "order", "selector", "types", "ingress", "egress", "serviceAccountSelector", "performanceHints"]
    if isGlobal { known += ["namespaceSelector", "applyOnForward", "doNotTrack", "preDNAT"] }
    if isStaged { known.append("stagedAction") }
    guard let members = spec.members(among: known) else { return nil }
    for key in ["applyOnForward", "doNotTrack", "preDNAT"] { _ = members[key]?.boolean() }
    for hint in members["performanceHints"]?.elements() ?? [] { _ = hint.word(["AssumeNeededOnEveryNode": 0]) }
    for rule in members["ingress"]?.elements() ?? [] { _ = rule.calicoRule(in: name.namespace, isEgress: false) }
    let egress = (members["egress"]?.elements() ?? []).compactMap { $0.calicoRule(in: name.namespace, isEgress: true) }
    let hasIngress = members["ingress"].map { if case .list(let rules) = $0.value.content { !rules.isEmpty } else { false } } ?? false
    var policy = CalicoPolicy(
      name: name, tier: members["tier"]?.string() ?? "default", order: members["order"]?.number(), selector: .all,
      governsEgress: !egress.isEmpty, egress: egress, staged: isStaged ? .set : nil, file: object.file, document: object.document)
    if let types = members["types"] {
      let words = types.elements().compactMap { $0.word(["Ingress": false, "Egress": true]) }
      if Set(words).count < words.count { types.refuse("a type is given twice", "there are Ingress and Egress") }
      if words.isEmpty, case .list = types.value.content { types.refuse("the list is empty", "remove it, or give Ingress, Egress or both") }
      policy.governsEgress = words.contains(true)
    }
    policy.selector = members["selector"]?.calicoSelector() ?? .all
    if let namespace = name.namespace {
      policy.selector = .both(.equals(CalicoLabels.namespace, namespace), policy.selector)
    } else if let namespaces = members["namespaceSelector"]?.calicoSelector() {
      policy.selector = .both(namespaces.ofNamespaces, policy.selector)
    }
    if let accounts = members["serviceAccountSelector"]?.calicoSelector(), accounts.readsLabels { policy.serviceAccountSelector = accounts }
    if let action = members["stagedAction"]?.calicoStagedAction() {
      policy.staged = action
      if action == .delete, hasIngress || !egress.isEmpty { members["stagedAction"]?.refuse("with Delete no rules may be given", "remove the rules") }
    }
    return policy
  }
}

extension CalicoStagedNetworkPolicy {
  static func read(_ object: ManifestObject, _ problems: Problems) -> CalicoStagedNetworkPolicy? {
    guard let fields = object.fields(problems), var name = object.objectName(fields), let spec = fields["spec"]?.anyMembers() else { return nil }
    name.namespace = name.namespace ?? "default"
    let action = spec["stagedAction"].map { $0.calicoStagedAction() } ?? .set
    // The rest is a NetworkPolicy's.
    var root = object.root
    if case .map(var members) = root.content, let index = members.firstIndex(where: { $0.key == "spec" }) {
      members[index].value.content = .map(spec.list.filter { $0.key != "stagedAction" })
      root.content = .map(members)
    }
    let plain = ManifestObject(
      apiVersion: object.apiVersion, kind: object.kind, file: object.file, document: object.document, line: object.line, root: root, path: object.path)
    guard let action, let policy = NetworkPolicy.read(plain, problems) else { return nil }
    return CalicoStagedNetworkPolicy(name: name, policy: policy, action: action)
  }
}

extension CalicoTier {
  static func read(_ object: ManifestObject, _ problems: Problems) -> CalicoTier? {
    guard let fields = object.fields(problems), var name = object.objectName(fields), let spec = fields.required("spec")?.members("order", "defaultAction")
    else { return nil }
    name.namespace = nil
    let order = spec["order"]?.number()
    if let builtIn = Self.builtIn.first(where: { $0.name == name.name }), order != builtIn.order {
      (spec["order"] ?? spec.missing("order")).refuse("the tier \(name.name) is built in, with order \(Int(builtIn.order))", "write that, or remove the tier")
    }
    return CalicoTier(name: name, order: order, denies: spec["defaultAction"]?.word(["Deny": true, "Pass": false]) ?? true)
  }
}

extension CalicoNetworkSet {
  static func read(_ object: ManifestObject, _ problems: Problems) -> CalicoNetworkSet? {
    guard let fields = object.fields(problems), var name = object.objectName(fields) else { return nil }
    name.namespace = object.kind == "GlobalNetworkSet" ? nil : name.namespace ?? "default"
    var labels = object.labels
    if labels[CalicoLabels.namespace] != nil {
      fields["metadata"]?.anyMembers()?["labels"]?.refuse("\(CalicoLabels.namespace) is Calico's own label", "remove it: the namespace is known")
    }
    if let namespace = name.namespace { labels[CalicoLabels.namespace] = namespace }
    let spec = fields["spec"]?.members("nets", "allowedEgressDomains")
    return CalicoNetworkSet(
      name: name, labels: labels, blocks: (spec?["nets"]?.elements() ?? []).compactMap { $0.calicoNet(allowsAddress: true) },
      domains: spec?["allowedEgressDomains"]?.calicoDomains() ?? [])
  }
}

extension Field {
  func calicoSelector() -> CalicoSelector? {
    guard let text = string() else { return nil }
    do throws(CalicoSelector.SyntaxError) {
      let selector = try CalicoSelector(parsing: text)
      if text.contains("global(") { refuse("global() is for the namespaceSelector of a rule", "remove it") }
      return selector
    } catch {
      refuse("\(quoted(text)) is no selector: \(error.problem), at character \(error.offset + 1)", "write it like app == 'web' && has(tier)")
      return nil
    }
  }

  fileprivate func calicoStagedAction() -> CalicoPolicy.StagedAction? {
    word(["Set": CalicoPolicy.StagedAction.set, "Delete": .delete, "Learn": .ignore, "Ignore": .ignore])
  }

  /// The namespace selector of a rule, as one over the labels of endpoints.
  func calicoNamespaces() -> CalicoSelector? {
    guard let text = string() else { return nil }
    if let selector = try? CalicoSelector(parsing: text), selector == .global || !text.contains("global(") { return selector.ofNamespaces }
    if text.contains("global(") { refuse("global() stands alone", "write nothing beside it") } else { _ = calicoSelector() }
    return nil
  }

  /// `order` may have a fraction.
  func number() -> Double? {
    switch value.content {
    case .integer(let number): return Double(number)
    case .number(let written):
      if let number = Double(written), number.isFinite { return number }
    default: break
    }
    refuse("a number is expected, not \(value.account)")
    return nil
  }

  func calicoNet(allowsAddress: Bool = false) -> IPPrefix? {
    if allowsAddress, let text = value.string, let address = IPAddress(text) { return IPPrefix(address) }
    return prefix()
  }

  /// Enterprise's; refused for everybody else, whose Calico does not know the field.
  func calicoDomains() -> [CalicoDomain] {
    guard problems.engine == .calicoEnterprise else {
      refuse("unknown field: open-source Calico matches no names", "if the cluster runs Calico Enterprise or Cloud, say --engine calico-enterprise")
      return []
    }
    return elements().compactMap { field in
      guard let text = field.string() else { return nil }
      if let domain = CalicoDomain(text) { return domain }
      field.refuse("\(quoted(text)) is no domain name", "write it like api.example.com or *.example.com, with at most one *")
      return nil
    }
  }
}
