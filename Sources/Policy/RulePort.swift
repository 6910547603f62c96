import EgressModel

/// Which ports of which transport a rule is about.
struct RulePort: Hashable, Sendable {
  enum Number: Hashable, Sendable {
    /// Every port, and what has no ports.
    case any
    case range(ClosedRange<UInt16>)
    /// A container port of the destination pod; its number may differ from pod to pod.
    case named(String)
  }

  /// Nil: every transport.
  var transport: Transport?
  var number: Number

  func matches(_ place: Place, _ flow: Transport, _ cluster: Cluster) -> Bool {
    if let transport, transport != flow { return false }
    switch number {
    case .any: return true
    case .range(let range): return place.port.map(range.contains) ?? false
    case .named(let name):
      // A name means a container port of the destination; what is no pod has none.
      guard let pod = place.pod, let port = place.port else { return false }
      return cluster.pods[pod].ports.contains { $0.name == name && $0.transport == flow && $0.number == port }
    }
  }
}

extension RulePort: CustomStringConvertible {
  /// `443/tcp`, `8000-8100/udp`, `http`, `every port/tcp`, `443`.
  var description: String {
    let suffix = transport.map { "/\($0)" } ?? ""
    return switch number {
    case .any: "every port" + suffix
    case .range(let range): range.text + suffix
    case .named(let name): name + suffix
    }
  }
}

extension [RulePort] {
  /// Whether any of them fits; none at all means everything.
  func match(_ place: Place, _ flow: Transport, _ cluster: Cluster) -> Bool {
    isEmpty || contains { $0.matches(place, flow, cluster) }
  }

  /// `ports 443/tcp, http`; empty for none.
  var summary: String { isEmpty ? "" : " ports \(map(\.description).joined(separator: ", "))" }

  /// What a flow to a fitting place fails at.
  func miss(_ place: Place, _ flow: Transport) -> String {
    let wanted = map(\.description).joined(separator: ", ")
    guard let port = place.port else { return "\(flow) has no port, and the rule is only about \(wanted)" }
    return "port \(port)/\(flow) is not \(wanted)"
  }
}
