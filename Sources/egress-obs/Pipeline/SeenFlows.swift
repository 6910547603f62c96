import Drift
import EgressModel
import Reporting
import Storage

/// What a database holds of a workload and a destination, to be explained.
struct SeenFlows {
  struct Flow {
    var destination: Destination
    var lookups: [ExplainedFlow.Lookup]
    /// Nil when it was only looked up.
    var observed: Endpoint?
    var samples: [FlowRecord] = []
  }

  /// So many endpoints are explained, the latest.
  private static let limit = 3

  let coverage: Coverage
  private let reader: StoreReader
  private let endpoints: [Endpoint]

  init(_ reader: StoreReader, from: Timestamp?, until: Timestamp?) throws(StorageError) {
    self.reader = reader
    let observations = try Observations(reader, from: from, until: until)
    endpoints = observations.endpoints
    coverage = observations.coverage
  }

  var workloads: [Workload] { endpoints.map(\.workload) }

  /// The latest first; none when neither a flow nor a look-up fits.
  func flows(of workload: Workload, to asked: Approval.Endpoint, _ inventory: Inventory) throws(StorageError) -> [Flow] {
    let own = endpoints.filter { $0.workload.group == workload.group }.sorted { $0.lastSeen > $1.lastSeen }
    var flows: [Flow] = []
    var clients = Set(inventory.pods.filter { $0.workload.group == workload.group }.flatMap(\.addresses))
    if workload.kind == .address, let address = IPAddress(workload.name) { clients.insert(address) }
    for endpoint in own where asked.port ?? endpoint.port == endpoint.port && asked.transport ?? endpoint.transport == endpoint.transport {
      let samples = try reader.sampleFlows(endpoint)
      clients.formUnion(samples.map(\.source.ip))
      let isMeant =
        switch asked.host {
        case .address(let address): endpoint.address == address
        case .name(let name): endpoint.name?.name == name || samples.contains { $0.judged.names.contains { $0.name == name } }
        }
      if isMeant {
        flows.append(Flow(destination: samples.first?.judged ?? endpoint.destination, lookups: [], observed: endpoint, samples: samples))
      }
      if flows.count == Self.limit { break }
    }
    let answers = try reader.names(from: coverage.from, until: coverage.until).filter { clients.contains($0.record.client) }
    let lookups = answers.filter { asked.host.concerns($0.record) }.map { ExplainedFlow.Lookup($0.record, count: $0.count) }
    for index in flows.indices { flows[index].lookups = lookups }
    return flows.isEmpty ? onlyLookedUp(asked, lookups) : flows
  }

  private func onlyLookedUp(_ asked: Approval.Endpoint, _ lookups: [ExplainedFlow.Lookup]) -> [Flow] {
    guard case .name(let name) = asked.host, let answer = lookups.last(where: { $0.answer.name == name && !$0.answer.addresses.isEmpty })?.answer else { return [] }
    let evidence = NameEvidence(name: name, source: .dns, confidence: .resolved, chain: answer.chain)
    let transport = asked.transport ?? .tcp
    return answer.addresses.prefix(Self.limit).map { address in
      let destination = Destination(address: address, port: asked.port ?? (transport.hasPorts ? 443 : nil), transport: transport, names: [evidence])
      return Flow(destination: destination, lookups: lookups)
    }
  }
}

extension Approval.Endpoint.Host {
  /// Whether an answer tells how a client came to it, or failed to: search domains are put behind a name before it is asked for alone.
  fileprivate func concerns(_ answer: NameRecord) -> Bool {
    switch self {
    case .name(let name): answer.name == name || answer.name.text.hasPrefix(name.text + ".")
    case .address(let address): answer.addresses.contains(address)
    }
  }
}
