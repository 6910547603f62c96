import EgressModel

/// What was seen of a peer: the comment beside it.
struct Evidence {
  private var names: Set<DomainName> = []
  private var sources: Set<NameSource> = []
  private var vendors: Set<String> = []
  private var addresses: Set<IPAddress> = []
  private var flows: UInt64 = 0
  private var bytes: UInt64 = 0
  private var lastSeen: Timestamp
  private var answered: UInt64 = 0
  private var isDenied = false
  private var isEncrypted = false
  /// Endpoints that were added: one may need several ports.
  private var known: Set<Key> = []

  private struct Key: Hashable {
    var group: String
    var destination: Destination
  }

  init(_ endpoint: Endpoint) { lastSeen = endpoint.lastSeen }

  mutating func add(_ endpoint: Endpoint) {
    guard known.insert(Key(group: endpoint.workload.group, destination: endpoint.destination)).inserted else { return }
    if let name = endpoint.suggestedName, let source = endpoint.name?.source {
      names.insert(name)
      sources.insert(source)
    }
    if let vendor = endpoint.vendor { vendors.insert(vendor.name) }
    addresses.insert(endpoint.address)
    // Counters come from a file that anybody may have written to.
    flows = flows.addingReportingOverflow(endpoint.flows).overflow ? .max : flows + endpoint.flows
    bytes = bytes.addingReportingOverflow(endpoint.out.bytes).overflow ? .max : bytes + endpoint.out.bytes
    lastSeen = max(lastSeen, endpoint.lastSeen)
    answered = max(answered, endpoint.answered)
    isDenied = isDenied || endpoint.verdict?.decision == .denied
    isEncrypted = isEncrypted || endpoint.ech == .outer
  }

  /// `Stripe, by tls_sni; at 198.51.100.10; 3 flows, 3910 bytes out, last 2026-03-02T09:00:12Z`
  func text(for peer: Needs.Peer) -> String {
    var parts: [String] = []
    var subject: [String]
    switch peer {
    case .name: subject = []
    case .service(let namespace, let name): subject = ["Service \(namespace)/\(name)"]
    case .pods(let group):
      subject = [group.title]
      if !group.others.isEmpty { parts.append("the labels select \(Self.some(group.others)) too") }
    default: subject = names.isEmpty ? [] : [Self.some(names.map(\.text).sorted())]
    }
    if peer.kind > 1 {
      if !vendors.isEmpty { subject.append(Self.some(vendors.sorted())) }
      if !sources.isEmpty { subject.append("by \(sources.sorted().map(\.rawValue).joined(separator: ", "))") }
      if names.isEmpty { subject.append(isEncrypted ? "the hello is encrypted" : "nothing names it") }
      if case .block(let block) = peer, block.isHost {} else { parts.append("at \(Self.some(addresses.sorted().map(\.description)))") }
    }
    parts.append("\(flows) flow\(flows == 1 ? "" : "s"), \(bytes) bytes out, last \(lastSeen)")
    if answered == 0 { parts.append("never answered") }
    if isDenied { parts.append("today's policies deny it") }
    return ([subject.joined(separator: ", ")].filter { !$0.isEmpty } + parts).joined(separator: "; ")
  }

  private static func some(_ words: [String]) -> String {
    words.count <= 3 ? words.joined(separator: ", ") : words.prefix(3).joined(separator: ", ") + " and \(words.count - 3) more"
  }
}
