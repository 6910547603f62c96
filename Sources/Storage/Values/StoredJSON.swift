import EgressModel

/// How values lie in columns that hold JSON: the shapes of the flow record, with the facts that it leaves out.
/// What is written with every flow is written by `JSONText`; what is interned goes through `JSONValue`.
enum StoredJSON {
  static func text(_ workload: Workload) -> String {
    workload.json.adding("group", .string(workload.group)).text
  }

  static func text(_ vendor: Vendor) -> String {
    vendor.json.adding("many_tenant", .boolean(vendor.isManyTenant)).text
  }

  static func text(_ verdict: Verdict) -> String {
    verdict.json.adding("selected_by", verdict.selectedBy.isEmpty ? nil : .strings(verdict.selectedBy)).text
  }

  static func workload(_ text: String) -> Workload? { JSONReader.value(text).flatMap(Workload.init(stored:)) }
  static func vendor(_ text: String) -> Vendor? { JSONReader.value(text).flatMap(Vendor.init(stored:)) }
  static func verdict(_ text: String) -> Verdict? { JSONReader.value(text).flatMap(Verdict.init(stored:)) }
  static func names(_ text: String) -> [NameEvidence]? { JSONReader.value(text)?.list(NameEvidence.init(stored:)) }
  static func tls(_ text: String) -> TLSFacts? { JSONReader.value(text).flatMap(TLSFacts.init(stored:)) }
  static func proxy(_ text: String) -> ProxyTarget? { JSONReader.value(text).flatMap(ProxyTarget.init(stored:)) }
  static func strings(_ text: String) -> [String]? { JSONReader.value(text)?.list(\.string) }
  static func destination(_ text: String) -> Destination? { JSONReader.value(text).flatMap(Destination.init(stored:)) }
}

extension DomainName {
  /// Takes a name that was stored: exactly the text of a `DomainName`.
  init(stored text: String) {
    // The initialiser drops one trailing dot, and a name may end in one of its own.
    self.init(presentation: text + ".")
  }
}

extension JSONValue {
  fileprivate func adding(_ key: String, _ value: JSONValue?) -> JSONValue {
    guard let value, case .object(let members) = self else { return self }
    return .object(members + [Member(key, value)])
  }

  var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  fileprivate var integer: Int64? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  fileprivate func text(_ key: String) -> String? { self[key]?.string }

  fileprivate func port() -> UInt16? { self["port"]?.integer.flatMap { UInt16(exactly: $0) } }

  /// The elements of an array; nil when this is none, or one of them is not what it should be.
  fileprivate func list<Value>(_ element: (JSONValue) -> Value?) -> [Value]? {
    guard case .array(let values) = self else { return nil }
    var list: [Value] = []
    for value in values {
      guard let element = element(value) else { return nil }
      list.append(element)
    }
    return list
  }

  /// The elements of a member, none when it is absent.
  fileprivate func list<Value>(of key: String, _ element: (JSONValue) -> Value?) -> [Value]? {
    guard let member = self[key] else { return [] }
    return member.list(element)
  }
}

extension Workload {
  fileprivate init?(stored json: JSONValue) {
    guard let kind = json.text("kind"), let name = json.text("name"),
      let candidates = json.list(of: "candidates", Workload.init(stored:))
    else { return nil }
    var owner: Owner?
    if let stored = json["owner"] {
      guard let kind = stored.text("kind"), let name = stored.text("name") else { return nil }
      owner = Owner(kind: kind, name: name)
    }
    self.init(
      kind: Kind(rawValue: kind), namespace: json.text("namespace"), name: name, uid: json.text("uid"), owner: owner, node: json.text("node"),
      candidates: candidates)
  }
}

extension Vendor {
  fileprivate init?(stored json: JSONValue) {
    guard let name = json.text("name"), let category = json.text("category"), let domain = json.text("domain"),
      case .boolean(let isManyTenant)? = json["many_tenant"]
    else { return nil }
    self.init(name: name, category: category, domain: DomainName(stored: domain), isManyTenant: isManyTenant)
  }
}

extension RuleReference {
  fileprivate init?(stored json: JSONValue) {
    guard let policy = json.text("policy"), let rule = json["rule"]?.integer else { return nil }
    self.init(policy: policy, rule: Int(clamping: rule))
  }
}

extension Verdict {
  fileprivate init?(stored json: JSONValue) {
    guard let decision = json.text("decision").flatMap(Decision.init), let by = json.list(of: "by", RuleReference.init(stored:)),
      let selectedBy = json.list(of: "selected_by", \.string)
    else { return nil }
    self.init(
      decision: decision, by: by, reason: json.text("reason"), nearest: json["nearest"].flatMap(RuleReference.init(stored:)),
      bypass: json["bypass"].flatMap(RuleReference.init(stored:)), selectedBy: selectedBy,
      would: json["would"].flatMap(Proposal.init(stored:)))
  }
}

extension Verdict.Proposal {
  fileprivate init?(stored json: JSONValue) {
    guard let decision = json.text("decision").flatMap(Verdict.Decision.init), let by = json.list(of: "by", RuleReference.init(stored:)) else { return nil }
    self.init(decision: decision, by: by, reason: json.text("reason"))
  }
}

extension NameEvidence {
  fileprivate init?(stored json: JSONValue) {
    guard let name = json.text("name"), let source = json.text("source").flatMap(NameSource.init),
      let confidence = json.text("confidence").flatMap(Confidence.init),
      let chain = json.list(of: "chain", { $0.string.map(DomainName.init(stored:)) })
    else { return nil }
    self.init(name: DomainName(stored: name), source: source, confidence: confidence, chain: chain)
  }
}

extension TLSFacts {
  fileprivate init?(stored json: JSONValue) {
    guard let ech = json.text("ech").flatMap(ECH.init), let alpn = json.list(of: "alpn", \.string) else { return nil }
    self.init(
      sni: json.text("sni").map(DomainName.init(stored:)), alpn: alpn, version: json.text("version"), ja4: json.text("ja4"), ech: ech)
  }
}

extension ProxyTarget {
  fileprivate init?(stored json: JSONValue) {
    guard let kind = json.text("kind").flatMap(Kind.init), let target = json.text("target") else { return nil }
    self.init(
      kind: kind, target: DomainName(stored: target), port: json.port(), innerName: json.text("inner_name").map(DomainName.init(stored:)))
  }
}

extension Destination {
  fileprivate init?(stored json: JSONValue) {
    guard let address = json.text("ip").flatMap(IPAddress.init), let transport = json.text("transport").flatMap({ Transport($0) }),
      let names = json.list(of: "names", NameEvidence.init(stored:))
    else { return nil }
    self.init(address: address, port: json.port(), transport: transport, names: names)
  }
}
