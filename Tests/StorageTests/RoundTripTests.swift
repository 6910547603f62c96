import EgressModel
import Storage
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: [UInt64(1), 2, 3, UInt64.random(in: 4 ... .max)])
  func `flow records come back as they were stored`(seed: UInt64) throws {
    let scratch = try Scratch()
    var anything = Anything(seed: seed)
    let flows = (0..<500).map { anything.flow($0 == 0 ? .max : UInt64($0)) }
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    try store.transaction { tx throws(StorageError) in try tx.record(flows: flows) }

    var read: [UInt64: FlowRecord] = [:]
    try StoreReader(path: scratch.path()).flows {
      read[$0.id] = $0
      return true
    }
    #expect(read.count == flows.count, "seed \(seed)")
    for flow in flows where read[flow.id] != flow {
      #expect(read[flow.id] == flow, "seed \(seed)")
      break
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, UInt64.random(in: 4 ... .max)])
  func `endpoints hold the sums of their flows`(seed: UInt64) throws {
    let scratch = try Scratch()
    var anything = Anything(seed: seed)
    var random = Seeded(seed)
    let prototypes = (0..<20).map { anything.flow($0) }
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    var expected: [String: Endpoint] = [:]
    var id: UInt64 = 0
    for _ in 0..<10 {
      var batch: [FlowRecord] = []
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        var flow = prototypes[Int.random(in: 0..<prototypes.count, using: &random)]
        id += 1
        flow.id = id
        flow.out = FlowCounters(packets: anything.number(1000), bytes: anything.number(1 << 20))
        flow.in = FlowCounters(packets: anything.number(1000), bytes: anything.number(1 << 20))
        flow.state = anything.pick(FlowState.allCases)
        batch.append(flow)
        add(flow, to: &expected)
      }
      try store.transaction { tx throws(StorageError) in try tx.record(flows: batch) }
    }
    var read: [String: Endpoint] = [:]
    for endpoint in try StoreReader(path: scratch.path()).endpoints() { read[key(endpoint)] = endpoint }
    #expect(read.count == expected.count, "seed \(seed)")
    for (key, endpoint) in expected where read[key] != endpoint {
      #expect(read[key] == endpoint, "seed \(seed)")
      break
    }
  }

  private func key(_ endpoint: Endpoint) -> String {
    "\(endpoint.workload.group)|\(endpoint.name?.name.text ?? "")|\(endpoint.address)|\(endpoint.port.map(Int.init) ?? -1)|\(endpoint.transport)"
  }

  /// The slow and obvious way.
  private func add(_ flow: FlowRecord, to endpoints: inout [String: Endpoint]) {
    let fresh = Endpoint(
      workload: flow.workload ?? Workload(address: flow.source.ip), name: flow.name, address: flow.destination.ip, port: flow.destination.port,
      transport: flow.transport, scope: flow.scope, application: flow.application, vendor: flow.vendor, ech: flow.tls?.ech ?? .none,
      firstSeen: flow.start, lastSeen: flow.end, verdict: flow.verdict)
    var endpoint = endpoints[key(fresh)] ?? fresh
    if let new = flow.name, let old = endpoint.name, (new.source, new.confidence) <= (old.source, old.confidence) { endpoint.name = new }
    endpoint.workload = fresh.workload
    endpoint.scope = flow.scope
    endpoint.application = flow.application ?? endpoint.application
    endpoint.vendor = flow.vendor ?? endpoint.vendor
    endpoint.ech = flow.tls?.ech ?? endpoint.ech
    endpoint.verdict = flow.verdict
    endpoint.firstSeen = min(endpoint.firstSeen, flow.start)
    endpoint.lastSeen = max(endpoint.lastSeen, flow.end)
    endpoint.flows += 1
    if [.established, .closed, .reset, .answered].contains(flow.state) { endpoint.answered += 1 }
    endpoint.out.packets += flow.out.packets
    endpoint.out.bytes += flow.out.bytes
    endpoint.in.packets += flow.in.packets
    endpoint.in.bytes += flow.in.bytes
    endpoints[key(fresh)] = endpoint
  }

  @Test(arguments: [UInt64(1), 2, 3, UInt64.random(in: 4 ... .max)])
  func `name records come back as they were stored`(seed: UInt64) throws {
    let scratch = try Scratch()
    var anything = Anything(seed: seed)
    let names = (0..<300).map { _ in anything.nameRecord() }
    let store = try Store(path: scratch.path())
    try store.transaction { tx throws(StorageError) in try tx.record(names: names) }
    let read = try StoreReader(path: scratch.path()).recentNames(since: Timestamp(nanoseconds: .min))
    #expect(Set(read) == Set(names), "seed \(seed)")
  }

  @Test func `the same answer again is one row with a count`() throws {
    let scratch = try Scratch()
    let store = try Store(path: scratch.path())
    var record = NameRecord(
      time: epoch, client: IPAddress(v4: 1), server: IPAddress(v4: 2), name: DomainName(presentation: "a.example"), type: "A",
      addresses: [IPAddress(v4: 3)], ttl: 30, rcode: "NOERROR")
    for second in [second, 5 * second, 3 * second] {
      record.time = epoch.after(second)
      record.ttl = UInt32(second / 1_000_000_000)
      try store.transaction { tx throws(StorageError) in try tx.record(names: [record]) }
    }
    let names = try StoreReader(path: scratch.path()).names()
    var latest = record
    latest.time = epoch.after(5 * second)
    #expect(names.map(\.record) == [latest])
    #expect(names.map(\.firstSeen) == [epoch.after(second)])
    #expect(names.map(\.count) == [3])
  }

  @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3 ... .max)])
  func `findings come back with those sample flows that are kept`(seed: UInt64) throws {
    let scratch = try Scratch()
    var anything = Anything(seed: seed)
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    var findings: [Finding] = []
    var flows: [FlowRecord] = []
    for index in 0..<50 {
      var flow = anything.flow(UInt64(index))
      flow.workload = anything.workload()
      flows.append(flow)
      var finding = Finding(kind: anything.pick(FindingKind.allCases), severity: anything.pick(Severity.allCases), title: anything.text())
      finding.workload = flow.workload
      finding.destination = Destination(
        address: flow.destination.ip, port: flow.destination.port, transport: flow.transport, names: flow.destinationNames)
      finding.vendor = flow.vendor
      finding.firstSeen = flow.start
      finding.lastSeen = flow.end
      finding.flows = anything.number()
      finding.bytes = FlowCounterPair(out: anything.number(), in: anything.number())
      // A rule of its own for each, so that no two are the same finding.
      finding.rule = RuleReference(policy: anything.text(), rule: index)
      finding.reason = anything.chance() ? anything.text() : nil
      finding.enforcement = anything.chance() ? .reached : nil
      finding.samples = [flow]
      findings.append(finding)
    }
    findings.append(Finding(kind: .stale, severity: .info, title: "a rule alone", rule: RuleReference(policy: "NetworkPolicy/a/b", rule: 1)))
    try store.transaction { tx throws(StorageError) in
      _ = try tx.record(flows: flows)
      _ = try tx.record(findings: findings, at: epoch)
    }
    let read = try StoreReader(path: scratch.path()).findings()
    #expect(read.reversed().map(\.finding) == findings, "seed \(seed)")
    #expect(read.allSatisfy { $0.count == 1 })
  }
}
