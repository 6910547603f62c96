import EgressModel

/// Whom a suggested policy selects, and what it lets through: what the writers of all dialects write.
struct SuggestionDraft {
  var subject: SuggestionSubject
  var dialect: PolicyDialect
  /// Of the object.
  var name: String
  /// Nil for hosts.
  var namespace: String?
  /// The pods of the namespace; empty is all of them.
  var labels: [String: String] = [:]
  var rules: [Needs.Rule]
  /// What a reader has to know about the dialect.
  var remarks: [String] = []

  init(_ subject: SuggestionSubject, _ needs: Needs, _ dialect: PolicyDialect, _ cluster: Cluster) throws(PolicyError) {
    self.subject = subject
    self.dialect = dialect
    name = subject.objectName
    rules = needs.rules
    switch subject {
    case .namespace(let namespace): self.namespace = namespace
    case .pods where dialect == .egressFirewall:
      throw .noSuggestion("an EgressFirewall is for all pods of a namespace; ask for the namespace, or for another --dialect")
    case .pods(let namespace, let group):
      guard let pods = PodGroup(of: group, in: cluster) else {
        throw .noSuggestion("no label is known that selects \(group); pass --inventory with its pods, which must have labels")
      }
      self.namespace = namespace
      labels = pods.labels
      if !pods.others.isEmpty { remarks.append("Its labels select \(pods.others.joined(separator: ", ")) too, for which nothing was looked at.") }
    case .host(let kind, _):
      guard dialect == .egressPolicy || dialect == .systemd && kind == .systemd else {
        throw .noSuggestion("\(dialect.title) is not for \(subject.title); say --dialect \(PolicyDialect.egressPolicy.rawValue)")
      }
    }
    if dialect == .systemd, namespace != nil { throw .noSuggestion("a systemd drop-in is for units of a host, and \(subject.title) is of a cluster") }
    switch dialect {
    case .egressFirewall: name = "default"
    // Objects of the whole cluster share their names.
    case .clusterNetworkPolicy: name = "\(namespace ?? "default").\(name)"
    default: break
    }
    if !dialect.knowsNames, needs.rules.contains(where: { $0.peers.contains { if case .block(let block) = $0.peer { !block.isHost } else { false } } }) {
      remarks.append("\(dialect.title) knows no names: what has one stands as the block it was seen in (/24, /48), with all its neighbours.")
    }
    remarks += dialectRemarks
  }

  /// What errors and the check call the text.
  var file: String { dialect == .systemd ? SystemdWriter.path(unit) : "suggestion.yaml" }

  /// Of systemd.
  var unit: String {
    if case .host(_, let name) = subject { name } else { "" }
  }

  private var dialectRemarks: [String] {
    switch dialect {
    case .cilium: CiliumWriter.remarks(self)
    case .clusterNetworkPolicy: ClusterNetworkPolicyWriter.remarks
    case .istio: IstioWriter.remarks
    case .systemd: ["It goes to \(file); it knows neither names nor ports."]
    case .networkPolicy, .calico, .calicoEnterprise, .egressFirewall, .egressPolicy: []
    }
  }

  func write(to yaml: inout YAMLWriter) {
    switch dialect {
    case .networkPolicy: NetworkPolicyWriter.write(self, to: &yaml)
    case .cilium: CiliumWriter.write(self, to: &yaml)
    case .calico, .calicoEnterprise: CalicoWriter.write(self, to: &yaml)
    case .clusterNetworkPolicy: ClusterNetworkPolicyWriter.write(self, to: &yaml)
    case .egressFirewall: EgressFirewallWriter.write(self, to: &yaml)
    case .istio: IstioWriter.write(self, to: &yaml)
    case .systemd: SystemdWriter.write(self, to: &yaml)
    case .egressPolicy: EgressPolicyWriter.write(self, to: &yaml)
    }
  }

  func writeHead(_ apiVersion: String, _ kind: String, to yaml: inout YAMLWriter) {
    yaml.line("apiVersion: \(apiVersion)")
    yaml.line("kind: \(kind)")
    yaml.line("metadata:")
    yaml.nested {
      $0.line("name: \(YAMLWriter.scalar(name))")
      if let namespace, dialect != .clusterNetworkPolicy { $0.line("namespace: \(YAMLWriter.scalar(namespace))") }
    }
    yaml.line("spec:")
  }
}

extension Needs.Rule {
  /// The ports of one protocol after the other.
  var portsByTransport: [(transport: Transport, numbers: [UInt16])] {
    var groups: [(transport: Transport, numbers: [UInt16])] = []
    for port in ports {
      if groups.last?.transport != port.transport { groups.append((port.transport, [])) }
      if let number = port.number { groups[groups.count - 1].numbers.append(number) }
    }
    return groups
  }
}
