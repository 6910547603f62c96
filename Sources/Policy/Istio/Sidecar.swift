import EgressModel

/// Istio's `networking.istio.io` Sidecar: how much of the registry some pods see, and what becomes of the rest.
///
/// To a pod applies the Sidecar of its namespace that selects it, else the one of its namespace without a selector, else the one of the mesh's
/// root namespace. What one leaves out is taken from the next.
/// ([API](https://istio.io/latest/docs/reference/config/networking/sidecar/))
struct Sidecar: PolicyObject {
  /// `namespace/dnsName`.
  struct Host: Hashable, Sendable {
    enum Namespace: Hashable, Sendable {
      case any
      /// The pod's own.
      case own
      case none
      case named(String)
    }
    var namespace: Namespace
    var name: NamePattern
  }

  /// Part of the registry, seen on one port or on every port.
  struct Listener: Hashable, Sendable {
    var port: UInt16?
    var hosts: [Host]
  }

  var name: ObjectName
  /// Nil: every pod of the namespace.
  var workloads: LabelSelector?
  /// Nil: not said.
  var egress: [Listener]?
  /// Nil: not said.
  var outbound: OutboundTrafficPolicy?

  var namespace: String { name.namespace ?? "default" }
  /// It narrows what entries allow and allows nothing itself.
  var rules: [RuleDescription] { [] }
}

/// What a sidecar does with connections to what is not in the registry.
enum OutboundTrafficPolicy: Hashable, Sendable {
  case allowAny
  case registryOnly
}

extension Sidecar.Listener {
  /// Whether a service or a host of an entry is seen on a port by a pod of `namespace`.
  func shows(_ host: NamePattern, of owner: String, on port: UInt16, to namespace: String) -> Bool {
    if let own = self.port, own != port { return false }
    return hosts.contains { shown in
      let fits =
        switch shown.namespace {
        case .any: true
        case .own: owner == namespace
        case .none: false
        case .named(let name): owner == name
        }
      return fits && shown.name.covers(host)
    }
  }
}

extension Sidecar {
  static func read(_ object: ManifestObject, _ problems: Problems) -> Sidecar? {
    guard let fields = object.fields(problems), var name = object.objectName(fields) else { return nil }
    name.namespace = name.namespace ?? "default"
    var sidecar = Sidecar(name: name)
    guard let spec = fields["spec"] else { return sidecar }
    guard let members = spec.members("workloadSelector", "ingress", "egress", "inboundConnectionPool", "outboundTrafficPolicy") else { return nil }
    sidecar.workloads = members["workloadSelector"].flatMap { $0.istioSelector() }
    for listener in members["ingress"]?.elements() ?? [] {
      _ = listener.members("port", "bind", "captureMode", "defaultEndpoint", "tls", "connectionPool")
    }
    if let egress = members["egress"] {
      let listeners = egress.elements().compactMap { $0.listener() }
      sidecar.egress = listeners.isEmpty ? nil : listeners
    }
    if let policy = members["outboundTrafficPolicy"]?.members("mode", "egressProxy") {
      sidecar.outbound = policy.outboundMode() ?? .registryOnly
    }
    return sidecar
  }
}

extension Members {
  /// The member `mode` of an OutboundTrafficPolicy.
  func outboundMode() -> OutboundTrafficPolicy? {
    self["mode"].flatMap { $0.word(["REGISTRY_ONLY": OutboundTrafficPolicy.registryOnly, "ALLOW_ANY": .allowAny]) }
  }
}

extension Field {
  fileprivate func listener() -> Sidecar.Listener? {
    guard let members = members("port", "bind", "captureMode", "hosts") else { return nil }
    _ = members["captureMode"]?.word(["DEFAULT": 0, "IPTABLES": 1, "NONE": 2])
    let port = members["port"]?.members("number", "protocol", "name", "targetPort")?["number"]?.integer(0...65535)
    guard let hosts = members.required("hosts", "write ./* for everything of the namespace") else { return nil }
    return Sidecar.Listener(
      port: port.flatMap { $0 == 0 ? nil : UInt16($0) }, hosts: hosts.elements(upTo: 4096).compactMap { $0.sidecarHost() })
  }

  private func sidecarHost() -> Sidecar.Host? {
    guard let text = string() else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let name = NamePattern(String(parts[1]), asterisk: .oneOrMoreLabels, minimum: 0) else {
      refuse("\(quoted(text)) is no namespace/dnsName", "write it like ./* or prod/api.example.com or */*.example.com")
      return nil
    }
    switch parts[0] {
    case "*": return Sidecar.Host(namespace: .any, name: name)
    case ".": return Sidecar.Host(namespace: .own, name: name)
    case "~": return Sidecar.Host(namespace: .none, name: name)
    default:
      guard ObjectName.isLabel(parts[0].utf8) else {
        refuse("\(quoted(String(parts[0]))) is no namespace", "write a namespace's name, . for its own, * for all or ~ for none")
        return nil
      }
      return Sidecar.Host(namespace: .named(String(parts[0])), name: name)
    }
  }
}
