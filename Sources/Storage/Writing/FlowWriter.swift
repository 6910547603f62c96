import EgressModel

/// Writes flow records, and through them endpoints.
final class FlowWriter {
  private let facts: FactTable
  private let endpoints: EndpointTable
  /// Whether endpoints may wait for the end of the run: nobody reads them before.
  private let isTemporary: Bool
  private let insert: Statement
  private let delete: Statement
  private let findLive: Statement
  private var json = JSONText()

  init(_ database: Database, facts: FactTable, isTemporary: Bool) throws(StorageError) {
    self.facts = facts
    self.isTemporary = isTemporary
    endpoints = try EndpointTable(database)
    insert = try Statement(
      database,
      """
      INSERT INTO flows(run, flow, endpoint, start, end, transport, source, source_port, address, port,
        packets_out, bytes_out, packets_in, bytes_in, reported, state, end_reason, application,
        names, tls, proxy, encapsulation, scope, workload, vendor, verdict, findings, backend, backend_port)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    delete = try Statement(database, "DELETE FROM flows WHERE id = ?")
    findLive = try Statement(
      database,
      """
      SELECT f.id, f.packets_out, f.bytes_out, f.packets_in, f.bytes_in, f.state, f.findings, e.grp, e.name
      FROM flows f LEFT JOIN endpoints e ON e.id = f.endpoint
      WHERE f.run = ? AND f.flow = ? AND (f.end_reason IS NULL OR f.end_reason = 2)
      """)
  }

  func forget() { endpoints.forget() }

  /// For each flow, whether its endpoint is new to its workload group.
  func record(
    _ flows: [FlowRecord], run: Int64, findings: (FlowRecord, _ isNew: Bool) -> [FindingKind]
  ) throws(StorageError) -> [Bool] {
    var news: [Bool] = []
    news.reserveCapacity(flows.count)
    // Lent, and not copied out of the array: a record holds a dozen references.
    let flows = flows.span
    for index in flows.indices {
      news.append(try record(flows[index], run: run, findings))
      if endpoints.isFull { try endpoints.flush() }
    }
    if !isTemporary { try endpoints.flush() }
    return news
  }

  /// Writes what waits for the end of the run.
  func finish() throws(StorageError) { try endpoints.flush() }

  private func record(
    _ flow: FlowRecord, run: Int64, _ findings: (FlowRecord, _ isNew: Bool) -> [FindingKind]
  ) throws(StorageError) -> Bool {
    let party = try facts.party(flow.workload ?? Workload(address: flow.source.ip))
    let vendor = try facts.row(flow.vendor)
    let verdict = try facts.row(flow.verdict)
    let key = EndpointTable.Key(
      group: party.group, name: flow.name?.name.text ?? "", port: flow.destination.port.map(Int64.init) ?? -1, transport: flow.transport,
      address: flow.destination.ip)
    var earlier = try earlier(flow, run: run)
    if let found = earlier, found.endpoint == nil {
      // The endpoint of a flow that comes twice in one batch may not be written yet.
      try endpoints.flush()
      earlier = try self.earlier(flow, run: run)
    }
    let movedFrom = earlier?.key(of: key).flatMap { $0 == key ? nil : $0 }
    if let earlier, let movedFrom {
      // At once, so that an endpoint that nobody talked to is none for the flows that follow.
      endpoints.remove(earlier.totals, from: try endpoints.endpoint(movedFrom).change)
      try endpoints.flush()
    }
    let (endpoint, isNew) = try endpoints.endpoint(key)
    var before = FlowTotals()
    var isFirst = true
    if let earlier, movedFrom == nil {
      before = earlier.totals
      isFirst = false
    } else if earlier == nil, flow.isContinued {
      // Its row was retained away, or the batch that told of it was lost.
      before = FlowTotals(out: flow.reportedOut, in: flow.reportedIn, isAnswered: false)
      isFirst = false
    }
    endpoints.add(flow, workload: party.workload, vendor: vendor, verdict: verdict, before: before, isFirst: isFirst, to: endpoint)
    bind(flow, run: run, endpoint: endpoints.id(endpoint))
    insert.bind(flow.workload == nil ? nil : party.workload)
    insert.bind(vendor)
    insert.bind(verdict)
    let kinds = findings(flow, isNew)
    switch kinds.count {
    case 0: insert.bind(earlier?.findings)
    case 1: insert.bind(kinds[0].rawValue)
    default: insert.bind(kinds.map(\.rawValue).joined(separator: " "))
    }
    insert.bind(flow.backend?.ip.description)
    insert.bind(flow.backend?.port.map(Int64.init))
    try insert.run()
    if let earlier {
      // A new row, and only then the old one away: who follows the flows by row sees that this one went on.
      delete.bind(earlier.row)
      try delete.run()
    }
    return isNew
  }

  /// What the file holds of a flow already.
  private struct Earlier {
    var row: Int64
    var totals: FlowTotals
    var findings: String?
    var endpoint: (group: Int64, name: String)?

    func key(of key: EndpointTable.Key) -> EndpointTable.Key? {
      guard let endpoint else { return nil }
      var key = key
      (key.group, key.name) = endpoint
      return key
    }
  }

  private func earlier(_ flow: FlowRecord, run: Int64) throws(StorageError) -> Earlier? {
    guard flow.isContinued else { return nil }
    findLive.bind(run)
    findLive.bind(Int64(bitPattern: flow.id))
    guard try findLive.step() else { return nil }
    defer { findLive.reset() }
    let row = findLive.anyInteger()
    func counter() -> UInt64 { UInt64(max(0, findLive.anyInteger())) }
    let out = FlowCounters(packets: counter(), bytes: counter())
    let `in` = FlowCounters(packets: counter(), bytes: counter())
    let isAnswered = findLive.anyText().flatMap(FlowState.init)?.isAnswered == true
    let findings = findLive.anyText()
    let group = findLive.anyInteger()
    return Earlier(
      row: row, totals: FlowTotals(out: out, in: `in`, isAnswered: isAnswered), findings: findings,
      endpoint: findLive.anyText().map { (group, $0) })
  }

  private func bind(_ flow: FlowRecord, run: Int64, endpoint: Int64) {
    insert.bind(run)
    insert.bind(Int64(bitPattern: flow.id))
    insert.bind(endpoint)
    insert.bind(flow.start.nanoseconds)
    insert.bind(flow.end.nanoseconds)
    insert.bind(Int64(flow.transport.rawValue))
    insert.bind(flow.source.ip)
    insert.bind(flow.source.port.map(Int64.init))
    insert.bind(flow.destination.ip)
    insert.bind(flow.destination.port.map(Int64.init))
    insert.bind(Int64(clamping: flow.out.packets))
    insert.bind(Int64(clamping: flow.out.bytes))
    insert.bind(Int64(clamping: flow.in.packets))
    insert.bind(Int64(clamping: flow.in.bytes))
    // Most flows have one record, which nothing was reported before.
    let reported = [flow.reportedOut, flow.reportedIn]
    let wasReported = reported.contains { $0 != FlowCounters() }
    insert.bind(wasReported ? reported.map { "\($0.packets) \($0.bytes)" }.joined(separator: " ") : nil)
    insert.bind(flow.state.rawValue)
    insert.bind(flow.endReason.map { Int64($0.rawValue) })
    insert.bind(flow.application?.rawValue)
    bind(flow.names.isEmpty ? nil : flow.names) { $1.write($0) }
    bind(flow.tls) { $1.write($0) }
    bind(flow.proxy) { $1.write($0.json) }
    bind(flow.encapsulation.isEmpty ? nil : flow.encapsulation) { $1.write($0) }
    insert.bind(flow.scope.rawValue)
  }

  private func bind<Value>(_ value: Value?, _ write: (Value, inout JSONText) -> Void) {
    guard let value else { return insert.bindNull() }
    json.clear()
    write(value, &json)
    insert.bind(utf8: json.bytes)
  }
}

extension FlowRecord {
  /// Whether an earlier record told of this flow: its first one reports nothing told before.
  fileprivate var isContinued: Bool { reportedOut.packets > 0 || reportedIn.packets > 0 }
}
