public import EgressModel

/// How a verdict comes about: what each rule of the policies that select the workload has to do with the flow.
public struct Explanation: Sendable {
  /// By what a reading goes.
  public enum Basis: Hashable, Sendable {
    /// The name that was said in the connection.
    case said(DomainName)
    /// Nothing was said, so that what the workload looked up decides.
    case lookedUp([DomainName])
    /// Nothing names the address.
    case nothing
    /// Names are known only as addresses, so that each name that leads to the address counts.
    case address([DomainName])
  }

  public struct Reading: Sendable {
    public var basis: Basis
    public var verdict: Verdict
    /// Where the connection may end: several for a Service.
    public var ends: [End]
  }

  public struct End: Sendable {
    /// `outside the cluster`, `pod kube-system/coredns-0 at 10.0.0.7:53`, or why it is not known.
    public var place: String
    /// In the order in which they are asked.
    public var rules: [RuleAccount]
  }

  /// A canonical name on the way to the address that a rule would allow, had it been asked for.
  public struct Alias: Hashable, Sendable {
    public var name: DomainName
    public var rule: RuleReference
  }

  public var verdict: Verdict
  /// `pod shop/cart-1`: the pod of the inventory that the workload is, or that stands for it; nil for a host's.
  public var subject: String?
  /// First by what names the flow; the last one by its address, where that may make a difference.
  public var readings: [Reading] = []
  /// Of what denies the flow on its own: all of it would have to change.
  public var denials: [Verdict] = []
  public var aliases: [Alias] = []
}

extension Judge {
  /// The verdict with all that led to it. Nothing is read or resolved: what is not in the destination is not known.
  public func explain(_ workload: Workload, _ destination: Destination) -> Explanation {
    var explanation = Explanation(verdict: judge(workload, destination))
    guard hasPolicies else { return explanation }
    switch workload.kind {
    case .ambiguous: return explanation
    case .pod, .address:
      guard let pod = workload.kind == .pod ? cluster.pod(for: workload) : IPAddress(workload.name).flatMap(cluster.pod(at:)) else { return explanation }
      explanation.subject = "pod \(cluster.pods[pod].namespace)/\(cluster.pods[pod].name)"
      guard !isExempt(pod, destination) else { return explanation }
      let ends: [(place: String, end: FlowEnd)] =
        switch cluster.targets(of: destination) {
        case .places(let places): places.map { (cluster.account(of: $0, destination), .place($0)) }
        case .unknown(let reason): [(reason, .unknown(reason))]
        }
      explain(
        &explanation, destination, judge: { $0.judge(pod, $1) },
        ends: { engines, destination in ends.map { end in Explanation.End(place: end.place, rules: engines.flatMap { $0.accounts(pod, to: end.end, destination) }) } })
    default:
      let place = Place(address: destination.address, pod: cluster.pod(at: destination.address), port: destination.port)
      explain(
        &explanation, destination, judge: { $0.judge(host: workload, $1) },
        ends: { engines, destination in
          [Explanation.End(place: cluster.account(of: place, destination), rules: engines.flatMap { $0.accounts(host: workload, destination) })]
        })
    }
    if explanation.verdict.decision == .denied { explanation.aliases = aliases(of: workload, destination) }
    return explanation
  }

  private func explain(
    _ explanation: inout Explanation, _ destination: Destination, judge: (any PolicyEngine, Destination) -> Verdict,
    ends: ([any PolicyEngine], Destination) -> [Explanation.End]
  ) {
    let alternatives = destination.alternatives
    for one in alternatives {
      let basis: Explanation.Basis =
        if let said = one.saidNames.first { .said(said) } else if !one.lookedUpNames.isEmpty { .lookedUp(one.lookedUpNames) } else { .nothing }
      explanation.readings.append(.init(basis: basis, verdict: Self.all(engines.map { judge($0, one) }), ends: ends(engines, one)))
    }
    explanation.denials = alternatives.flatMap { one in engines.map { judge($0, one) } }.filter { $0.decision == .denied }
    guard let seen = destination.asAddress else { return }
    explanation.readings.append(
      .init(
        basis: .address(seen.addressNames.map(\.name)), verdict: passing(seen, alternatives, judge), ends: ends(engines.filter(\.knowsNamesAsAddresses), seen)))
  }

  /// Names are matched as they were asked for, which surprises where the policy names what an alias leads to.
  private func aliases(of workload: Workload, _ destination: Destination) -> [Explanation.Alias] {
    var aliases: [Explanation.Alias] = []
    for name in destination.names.flatMap(\.chain) where !aliases.contains(where: { $0.name == name }) {
      var other = destination
      other.names = [NameEvidence(name: name, source: .dns, confidence: .resolved)]
      let verdict = judge(workload, other)
      if verdict.decision == .allowed, let rule = verdict.by.first { aliases.append(.init(name: name, rule: rule)) }
    }
    return aliases
  }
}

extension Cluster {
  /// What a place is, for people.
  fileprivate func account(of place: Place, _ destination: Destination) -> String {
    let way = service(at: destination.address).map { "through service \($0.namespace)/\($0.name) to " } ?? ""
    if let pod = place.pod {
      return way + "pod \(pods[pod].namespace)/\(pods[pod].name) at \(SocketAddress(ip: place.address, port: place.port))"
    }
    if let node = node(at: place.address) { return way + "node \(nodes[node].name)" }
    if hostNetworkPod(at: place.address) != nil { return way + "a node" }
    return way + (isPodNetwork(place.address) ? "the pod network, and to no pod of the inventory" : "outside the cluster")
  }
}
