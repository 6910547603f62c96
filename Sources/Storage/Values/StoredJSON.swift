import EgressModel
import FoundationEssentials

/// How values lie in columns that hold JSON: the shapes of the flow record, with the facts it leaves out.
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

  static func workload(_ text: String) -> Workload? { decode(WorkloadMirror.self, text)?.value }
  static func vendor(_ text: String) -> Vendor? { decode(VendorMirror.self, text)?.value }
  static func verdict(_ text: String) -> Verdict? { decode(VerdictMirror.self, text)?.value }
  static func names(_ text: String) -> [NameEvidence]? { decode([NameMirror].self, text)?.map(\.value) }
  static func tls(_ text: String) -> TLSFacts? { decode(TLSMirror.self, text)?.value }
  static func proxy(_ text: String) -> ProxyTarget? { decode(ProxyMirror.self, text)?.value }
  static func strings(_ text: String) -> [String]? { decode([String].self, text) }

  /// A destination; nil also when an address or a transport in it cannot be read.
  static func destination(_ text: String) -> Destination? { decode(DestinationMirror.self, text)?.value }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }
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
}

private struct WorkloadMirror: Decodable {
  struct Owner: Decodable {
    var kind: String
    var name: String
  }
  var kind: String
  var namespace: String?
  var name: String
  var uid: String?
  var owner: Owner?
  var node: String?
  var candidates: [WorkloadMirror]?

  var value: Workload {
    Workload(
      kind: Workload.Kind(rawValue: kind), namespace: namespace, name: name, uid: uid,
      owner: owner.map { Workload.Owner(kind: $0.kind, name: $0.name) }, node: node, candidates: candidates?.map(\.value) ?? [])
  }
}

private struct VendorMirror: Decodable {
  var name: String
  var category: String
  var domain: String
  var many_tenant: Bool

  var value: Vendor { Vendor(name: name, category: category, domain: DomainName(stored: domain), isManyTenant: many_tenant) }
}

private struct VerdictMirror: Decodable {
  struct Rule: Decodable {
    var policy: String
    var rule: Int
    var value: RuleReference { RuleReference(policy: policy, rule: rule) }
  }
  var decision: Verdict.Decision
  var by: [Rule]?
  var reason: String?
  var nearest: Rule?
  var selected_by: [String]?

  var value: Verdict {
    Verdict(decision: decision, by: by?.map(\.value) ?? [], reason: reason, nearest: nearest?.value, selectedBy: selected_by ?? [])
  }
}

private struct NameMirror: Decodable {
  var name: String
  var source: NameSource
  var confidence: Confidence
  var chain: [String]?

  var value: NameEvidence {
    NameEvidence(name: DomainName(stored: name), source: source, confidence: confidence, chain: chain?.map(DomainName.init(stored:)) ?? [])
  }
}

private struct TLSMirror: Decodable {
  var sni: String?
  var alpn: [String]?
  var version: String?
  var ja4: String?
  var ech: TLSFacts.ECH

  var value: TLSFacts { TLSFacts(sni: sni.map(DomainName.init(stored:)), alpn: alpn ?? [], version: version, ja4: ja4, ech: ech) }
}

private struct ProxyMirror: Decodable {
  var kind: String
  var target: String
  var port: UInt16?

  var value: ProxyTarget { ProxyTarget(kind: kind, target: DomainName(stored: target), port: port) }
}

private struct DestinationMirror: Decodable {
  var ip: String
  var port: UInt16?
  var transport: String
  var names: [NameMirror]?

  var value: Destination? {
    guard let address = IPAddress(ip), let transport = Transport(transport) else { return nil }
    return Destination(address: address, port: port, transport: transport, names: names?.map(\.value) ?? [])
  }
}
