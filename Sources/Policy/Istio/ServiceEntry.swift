import EgressModel

/// Istio's `networking.istio.io` ServiceEntry: hosts that the registry of the mesh knows besides the cluster's services.
///
/// Under `REGISTRY_ONLY` a sidecar lets TCP connections out only to what is in the registry. One rule is one port of an entry.
/// ([API](https://istio.io/latest/docs/reference/config/networking/service-entry/))
struct ServiceEntry: PolicyObject {
  enum Resolution: Hashable, Sendable {
    case none, fixed, dns, dynamic
  }

  struct Port: Hashable, Sendable {
    enum Matching: Hashable, Sendable {
      /// HTTP, HTTP2, GRPC: by the Host that was said.
      case host
      /// TLS, HTTPS: by the server name that was said.
      case serverName
      /// TCP and databases: by address, or without addresses by port alone.
      case address
      /// UDP is no matter of a sidecar.
      case never
    }
    var name: String
    var number: UInt16
    /// What the port becomes at the endpoint.
    var target: UInt16
    var matching: Matching
    /// As it was written.
    var text: String
    var line: Int
  }

  struct Endpoint: Hashable, Sendable {
    enum Address: Hashable, Sendable {
      case address(IPAddress)
      case name(DomainName)
    }
    var address: Address
    /// By the name of the entry's port.
    var ports: [String: UInt16]
  }

  var name: ObjectName
  /// `*.` stands for one or more labels.
  var hosts: [NamePattern]
  var addresses: [IPPrefix]
  var ports: [Port]
  var resolution: Resolution
  var endpoints: [Endpoint]
  /// Pods and machines of the entry's namespace that stand behind it.
  var workloads: LabelSelector?
  /// Namespaces that see the entry: names, `.` for its own, `*` for all, `~` for none; nil: as the mesh has it.
  var exportTo: [String]?
  var file: String
  var document: Int

  var namespace: String { name.namespace ?? "default" }
}

extension ServiceEntry {
  var rules: [RuleDescription] {
    ports.enumerated().map { index, port in
      RuleDescription(
        reference: RuleReference(policy: name.reference, rule: index), summary: summary(port), width: width(port), wildcardDomains: hosts.wildcardDomains,
        file: file, document: document, line: port.line)
    }
  }

  private func summary(_ port: Port) -> String {
    let to = (port.matching == .address && addresses.isEmpty ? ["any destination"] : hosts.map(\.description)) + addresses.map(\.description)
    return "to \(to.joined(separator: " or ")) ports \(port.number)/\(port.text)"
  }

  private func width(_ port: Port) -> String? {
    switch port.matching {
    case .never: nil
    case .address: addresses.isEmpty ? "any destination" : addresses.lazy.compactMap { $0.width(everyPort: false) }.first
    case .host, .serverName: hosts.lazy.compactMap(\.width).first
    }
  }
}
