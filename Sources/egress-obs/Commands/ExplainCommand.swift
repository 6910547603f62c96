import ArgumentParser
import Drift
import EgressModel
import Host
import Policy
import Reporting
import Storage

/// `egress-obs explain`: how a workload came to an endpoint, and how the verdict on it comes about.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "The whole chain: query, CNAMEs, addresses, the name that was said, each policy and its first failing condition.",
    discussion: """
      With --db it explains what was seen; with --policies alone, what would be. Nothing is looked up: a name's address comes from the database, from the
      inventory's services, or from --address. Without a port TCP 443 is taken.
      """)

  @Argument(help: ArgumentHelp("shop/web-1, shop/web, shop/Deployment/web, systemd/nginx.service, container/db or an address.", valueName: "workload"))
  var whom: String
  @Argument(help: ArgumentHelp("api.example.com, api.example.com:443, 192.0.2.53:53/udp, [2001:db8::1]:443.", valueName: "destination"))
  var what: String
  @Option(help: ArgumentHelp("The name's address, where nothing else tells it; may be repeated.", valueName: "address"))
  var address: [IPAddress] = []
  @Option(help: ArgumentHelp("A database of what was seen, by run or replay; without it, only the manifests are asked.", valueName: "file"))
  var db: String?
  @Option(help: "Only what was seen since then: a duration back from now (90s, 15m, 2h, 7d) or an RFC 3339 time.")
  var since: TimeBound?
  @Option(help: "Only what began before then (as --since).")
  var until: TimeBound?
  @OptionGroup var input: InputOptions
  @OptionGroup var engine: EngineOption
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if input.policies.isEmpty, db == nil { throw ValidationError("--policies or --db is missing: name the manifests to judge by, or what was seen.") }
    guard let endpoint = Approval.Endpoint(what) else {
      throw ValidationError("\(what) is no destination; write it like api.example.com, api.example.com:443, [2001:db8::1]:443 or 192.0.2.53:53/udp.")
    }
    if case .address = endpoint.host, !address.isEmpty { throw ValidationError("--address is for names, and \(what) is an address.") }
  }

  func run() throws {
    let declared = try input.load(for: engine.engine)
    guard let asked = Approval.Endpoint(what) else { return }
    let now = WallClock.now
    let seen = try db.map { path in
      try Trouble.naming { try SeenFlows(StoreReader(path: path), from: since?.timestamp(now: now), until: until?.timestamp(now: now)) }
    }
    let workload = try subject(among: (seen?.workloads ?? []) + declared.inventory.pods.map(\.workload))
    var flows = try Trouble.naming { try seen?.flows(of: workload, to: asked, declared.inventory) } ?? []
    if flows.isEmpty { flows = imagined(asked, declared.inventory).map { SeenFlows.Flow(destination: $0, lookups: []) } }
    let judge = Judge(policies: declared.policies, inventory: declared.inventory)
    let rules = Dictionary(declared.policies.rules.map { ($0.reference, $0) }) { first, _ in first }
    let explained = flows.map { flow in
      var explanation = judge.explain(workload, flow.destination)
      // Without policies of today the daemon's own verdict is all there is.
      if !declared.hasPolicies {
        explanation.verdict = flow.observed?.verdict ?? Verdict(decision: .undecidable, reason: "it was not judged when it was seen; name the manifests with --policies")
      }
      return ExplainedFlow(
        workload: workload, destination: flow.destination, isAddressKnown: !flow.destination.address.isUnspecified, lookups: flow.lookups,
        observed: flow.observed, samples: flow.samples, explanation: explanation, rules: rules)
    }
    StandardOutput.write(ExplanationReport(flows: explained, coverage: seen?.coverage).render(as: output.output, style: StandardOutput.style))
  }

  /// Whom `whom` means: one that is known, else what its words say.
  private func subject(among known: [Workload]) throws -> Workload {
    let named = Dictionary(known.filter { $0.isCalled(whom) }.map { ($0.group, $0) }) { first, _ in first }
    if named.count > 1 { throw Trouble("\(whom) may be any of \(named.keys.sorted().joined(separator: ", ")); name one of these") }
    if let one = named.values.first { return one }
    guard let workload = FlowQuery.workload(whom) else {
      throw Trouble("\(whom) is no workload; write namespace/pod, namespace/Kind/name, systemd/unit, container/name or an address")
    }
    return workload
  }

  /// A flow that nobody has seen, as it would be.
  private func imagined(_ asked: Approval.Endpoint, _ inventory: Inventory) -> [Destination] {
    let transport = asked.transport ?? .tcp
    let port = asked.port ?? (transport.hasPorts ? 443 : nil)
    switch asked.host {
    case .address(let address): return [Destination(address: address, port: port, transport: transport.matching(address))]
    case .name(let name):
      let service = inventory.services.first { name.text.hasPrefix("\($0.name).\($0.namespace).svc") || name.text == "\($0.name).\($0.namespace)" }
      let known = address.isEmpty ? service?.clusterIPs ?? [] : address
      let names = [NameEvidence(name: name, source: .tlsSNI, confidence: .confirmed)]
      return (known.isEmpty ? [IPAddress(v4: 0)] : known).map {
        Destination(address: $0, port: port, transport: transport.matching($0), names: service == nil ? names : [])
      }
    }
  }
}

extension Transport {
  /// ICMP's number differs between the families.
  fileprivate func matching(_ address: IPAddress) -> Transport { self == .icmp && !address.isV4 ? .icmpv6 : self }
}

extension Workload {
  /// Whether a person would mean it by these words.
  fileprivate func isCalled(_ text: String) -> Bool {
    group == text || shortName == text || kind == .pod && "\(namespace ?? "default")/\(name)" == text
  }
}
