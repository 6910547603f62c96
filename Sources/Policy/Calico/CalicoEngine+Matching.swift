import EgressModel

/// Whether a rule fits a flow, and what it fails at.
extension CalicoEngine {
  /// The first condition that does not hold.
  enum Failure: Hashable {
    case net, notNet(IPPrefix), selector, notSelector, service, domain, source
    case ipVersion, transport, icmp, port, notPort
  }

  struct Check {
    /// About where it goes.
    var destination: Failure?
    /// About what it carries.
    var transport: Failure?
    /// Why it cannot be told whether a condition holds, though none is known not to.
    var doubt: String?

    var fits: Bool { destination == nil && transport == nil }

    /// See `Nearness`.
    var nearness: Int {
      let place =
        switch destination {
        case nil: Nearness.destination
        case .notNet, .notSelector: 2
        default: 0
        }
      return place + (transport == nil ? Nearness.port : transport == .port ? 1 : 0)
    }
  }

  func check(_ rule: Rule, _ flow: CalicoFlow) -> Check {
    var check = Check()
    check.transport = transportFailure(rule.declared, flow, &check.doubt)
    check.destination = destinationFailure(rule, flow, &check.doubt)
    if check.destination == nil, sourceFails(rule, flow, &check.doubt) { check.destination = .source }
    return check
  }

  private func transportFailure(_ rule: CalicoPolicy.Rule, _ flow: CalicoFlow, _ doubt: inout String?) -> Failure? {
    let transport = flow.destination.transport
    if let version = rule.ipVersion, (version == 4) != flow.place.address.isV4 { return .ipVersion }
    if let wanted = rule.transport, wanted != transport { return .transport }
    if rule.notTransport == transport { return .transport }
    if rule.icmp?.type != nil || rule.notICMP?.type != nil, transport == .icmp || transport == .icmpv6 {
      // Who begins to talk ICMP asks for an echo, or nearly always.
      let echo: UInt8 = transport == .icmp ? 8 : 128
      if rule.icmp?.type != nil, rule.icmp != .init(type: echo), rule.icmp != .init(type: echo, code: 0) { doubt = "the type of an ICMP message is not known" }
      if rule.notICMP?.type == echo { return .icmp }
    }
    if flow.unknown != nil, !rule.destination.ports.isEmpty || !rule.destination.notPorts.isEmpty {
      doubt = flow.unknown
    } else {
      if !rule.destination.ports.match(flow.place, transport, cluster) { return .port }
      if !rule.destination.notPorts.isEmpty, rule.destination.notPorts.match(flow.place, transport, cluster) { return .notPort }
    }
    if !rule.source.ports.isEmpty || !rule.source.notPorts.isEmpty { doubt = "the port that the workload sends from is not known" }
    return nil
  }

  private func destinationFailure(_ rule: Rule, _ flow: CalicoFlow, _ doubt: inout String?) -> Failure? {
    let wanted = rule.declared.destination
    if wanted.isAnything { return nil }
    if let service = wanted.service { return serviceFailure(service, flow, &doubt) }
    if let unknown = flow.unknown {
      doubt = unknown
      return nil
    }
    let address = flow.place.address
    if !wanted.nets.isEmpty, !wanted.nets.contains(where: { $0.contains(address) }) { return .net }
    if let net = wanted.notNets.first(where: { $0.contains(address) }) { return .notNet(net) }
    if let selector = rule.destination.selector, !matches(selector, flow) { return .selector }
    if let selector = rule.destination.notSelector, matches(selector, flow) { return .notSelector }
    if !wanted.domains.isEmpty, !wanted.domains.contains(where: { flow.names.contains(where: $0.matches) }) { return .domain }
    if wanted.readsServiceAccounts {
      // Only a pod has a service account.
      if flow.place.pod == nil { return .selector }
      doubt = "labels of service accounts are not in the inventory"
    }
    return nil
  }

  /// Whether a selector means the destination: as an endpoint, or as an address in a network set.
  private func matches(_ selector: Int, _ flow: CalicoFlow) -> Bool {
    if let pod = flow.place.pod, matchedSelectors[pod].holds(selector) { return true }
    return flow.sets.contains { sets[$0].matchedSelectors.holds(selector) }
  }

  /// A Service means its backends, at the ports that they serve it.
  private func serviceFailure(_ wanted: CalicoPolicy.Entity.Service, _ flow: CalicoFlow, _ doubt: inout String?) -> Failure? {
    if let service = flow.service, service.name == wanted.name, service.namespace == wanted.namespace { return nil }
    guard let service = cluster.services.first(where: { $0.name == wanted.name && $0.namespace == wanted.namespace }), !service.selector.isEmpty else {
      doubt = "where service \(wanted.namespace)/\(wanted.name) leads is not in the inventory"
      return nil
    }
    if let unknown = flow.unknown {
      doubt = unknown
      return nil
    }
    guard let index = flow.place.pod, case let pod = cluster.pods[index], pod.namespace == service.namespace else { return .service }
    guard service.selector.allSatisfy({ pod.labels[$0] == $1 }) else { return .service }
    let isServed = service.ports.contains { port in
      guard port.transport == flow.destination.transport else { return false }
      return switch port.target {
      case .number(let number): number == flow.place.port
      case .named(let name): pod.ports.contains { $0.name == name && $0.number == flow.place.port && $0.transport == port.transport }
      }
    }
    return isServed ? nil : .service
  }

  private func sourceFails(_ rule: Rule, _ flow: CalicoFlow, _ doubt: inout String?) -> Bool {
    let wanted = rule.declared.source
    if wanted.isAnything { return false }
    if let selector = rule.source.selector, !matchedSelectors[flow.pod].holds(selector) { return true }
    if let selector = rule.source.notSelector, matchedSelectors[flow.pod].holds(selector) { return true }
    if !wanted.nets.isEmpty || !wanted.notNets.isEmpty {
      let addresses = cluster.pods[flow.pod].addresses.filter { $0.isV4 == flow.place.address.isV4 }
      guard let address = addresses.first else {
        doubt = "the address of the pod is not in the inventory"
        return false
      }
      if !wanted.nets.isEmpty, !wanted.nets.contains(where: { $0.contains(address) }) { return true }
      if wanted.notNets.contains(where: { $0.contains(address) }) { return true }
    }
    if wanted.readsServiceAccounts { doubt = "labels of service accounts are not in the inventory" }
    return false
  }

  /// The first failing condition, in words.
  func miss(of rule: Rule, _ check: Check, _ flow: CalicoFlow) -> String {
    let (address, transport) = (flow.place.address, flow.destination.transport)
    let wanted = rule.declared.destination
    let pod = flow.place.pod.map { "pod \(cluster.pods[$0].namespace)/\(cluster.pods[$0].name)" }
    switch check.destination ?? check.transport {
    case .net: return "\(address) is not in \(wanted.nets.map(\.description).joined(separator: ", "))"
    case .notNet(let net): return "\(address) is in notNets \(net)"
    case .selector:
      let selector = wanted.selector.map { "\($0)" } ?? "the rule's service accounts"
      return pod.map { "\(address) is \($0), which \(selector) does not match" } ?? "\(address) is no pod's, and in no network set that \(selector) matches"
    case .notSelector: return "\(address) is \(pod ?? "in a network set"), which notSelector \(wanted.notSelector.map { "\($0)" } ?? "") matches"
    case .service:
      let service = wanted.service.map { "\($0.namespace)/\($0.name)" } ?? ""
      return "\(address) is \(pod ?? "no pod's"), and no backend of service \(service) at this port"
    case .domain: return flow.destination.miss(of: wanted.domains, flow.names)
    case .source: return "the rule's source is not the pod"
    case .ipVersion: return "\(address) is not of IPv\(rule.declared.ipVersion ?? 4)"
    case .transport: return "\(transport) is not \(rule.declared.transport.map(\.description) ?? "what the rule is about")"
    case .icmp: return "an echo request is excepted"
    case .port: return wanted.ports.miss(flow.place, transport)
    case .notPort: return "port \(flow.place.port.map { "\($0)" } ?? "")/\(transport) is in notPorts"
    case nil: return "it fits"
    }
  }
}
