public import EgressModel

extension StoreReader {
  private static let columns = """
    id, flow, start, end, transport, source, source_port, address, port, packets_out, bytes_out, packets_in, bytes_in,
    reported, state, end_reason, application, names, tls,
    proxy, encapsulation, scope, workload, vendor, verdict, findings,
    backend, backend_port
    """

  /// Flows that were alive in the window, ordered by their end. `body` says whether to go on.
  public func flows(
    from: Timestamp = Timestamp(nanoseconds: .min), until: Timestamp = Timestamp(nanoseconds: .max), newestFirst: Bool = false,
    body: (FlowRecord) -> Bool
  ) throws(StorageError) {
    try rows(
      """
      SELECT \(Self.columns) FROM flows WHERE end >= ?1 AND (start < ?2 OR ?2 = 9223372036854775807)
      ORDER BY end \(newestFirst ? "DESC" : "ASC"), id \(newestFirst ? "DESC" : "ASC")
      """,
      bind: {
        $0.bind(from.nanoseconds)
        $0.bind(until.nanoseconds)
      }
    ) { (statement) throws(StorageError) in body(try flow(statement)) }
  }

  /// Flows recorded after `cursor`, in the order of their recording, and the cursor to go on from; for following. A flow comes again when
  /// it has a later record. Begin with `nil` for what is recorded from now on.
  public func flows(after cursor: Int64?, limit: Int = 10_000) throws(StorageError) -> (flows: [FlowRecord], cursor: Int64) {
    guard let cursor else { return ([], try database.integer("SELECT coalesce(max(id), 0) FROM flows")) }
    var flows: [FlowRecord] = []
    var last = cursor
    try rows(
      "SELECT \(Self.columns) FROM flows WHERE id > ? ORDER BY id LIMIT ?",
      bind: {
        $0.bind(cursor)
        $0.bind(Int64(limit))
      }
    ) { (statement) throws(StorageError) in
      let row = try Row(statement, table: "flows")
      last = row.id
      flows.append(try flow(row))
      return true
    }
    return (flows, last)
  }

  /// The latest flows of an endpoint, newest first.
  public func sampleFlows(_ endpoint: Endpoint, limit: Int = 3) throws(StorageError) -> [FlowRecord] {
    var flows: [FlowRecord] = []
    try rows(
      """
      SELECT \(Self.columns) FROM flows WHERE endpoint = (
        SELECT e.id FROM endpoints e JOIN groups g ON g.id = e.grp
        WHERE g.name = ? AND e.name = ? AND e.port = ? AND e.transport = ? AND e.address = ?)
      ORDER BY end DESC, id DESC LIMIT ?
      """,
      bind: {
        $0.bind(group: endpoint.workload.group, endpoint.destination)
        $0.bind(Int64(limit))
      }
    ) { (statement) throws(StorageError) in
      flows.append(try flow(statement))
      return true
    }
    return flows
  }

  /// The flows of a run with these ids to a destination, as far as they are still kept.
  func flows(run: Int64, ids: [Int64], group: String, _ destination: Destination) throws(StorageError) -> [FlowRecord] {
    var flows: [Int64: FlowRecord] = [:]
    let list = ids.map { String($0) }.joined(separator: ", ")
    try rows(
      """
      SELECT \(Self.columns) FROM flows WHERE endpoint IN (
        SELECT e.id FROM endpoints e JOIN groups g ON g.id = e.grp
        WHERE g.name = ?1 AND e.name = ?2 AND e.port = ?3 AND e.transport = ?4 AND (?2 <> '' OR e.address = ?5))
      AND run = ?6 AND flow IN (\(list))
      """,
      bind: {
        $0.bind(group: group, destination)
        $0.bind(run)
      }
    ) { (statement) throws(StorageError) in
      let record = try flow(statement)
      flows[Int64(bitPattern: record.id)] = record
      return true
    }
    return ids.compactMap { flows[$0] }
  }

  private func flow(_ statement: Statement) throws(StorageError) -> FlowRecord { try flow(try Row(statement, table: "flows")) }

  private func flow(_ row: Row) throws(StorageError) -> FlowRecord {
    var flow = FlowRecord(
      id: UInt64(bitPattern: try row.integer("flow")), start: try row.time("start"), end: try row.time("end"),
      transport: try row.transport("transport"), source: SocketAddress(ip: try row.address("source"), port: try row.port("source_port")),
      destination: SocketAddress(ip: try row.address("address"), port: try row.port("port")),
      out: try row.counters("packets_out", "bytes_out"), in: try row.counters("packets_in", "bytes_in"),
      state: .attempted)
    let reported = try row.words("reported")
    if !reported.isEmpty {
      let numbers = reported.compactMap { UInt64($0) }
      guard reported.count == 4, numbers.count == 4 else { throw row.malformed("reported", "is not four counters") }
      flow.reportedOut = FlowCounters(packets: numbers[0], bytes: numbers[1])
      flow.reportedIn = FlowCounters(packets: numbers[2], bytes: numbers[3])
    }
    flow.state = try row.word("state")
    if let reason = try row.optionalInteger("end_reason") {
      guard let reason = UInt8(exactly: reason).flatMap(FlowEndReason.init) else {
        throw row.malformed("end_reason", "is \(reason), which is no flow end reason")
      }
      flow.endReason = reason
    }
    flow.application = try row.optionalText("application").map(Application.init)
    flow.names = try row.json("names", StoredJSON.names) ?? []
    flow.tls = try row.json("tls", StoredJSON.tls)
    flow.proxy = try row.json("proxy", StoredJSON.proxy)
    flow.encapsulation = try row.json("encapsulation", StoredJSON.strings) ?? []
    flow.scope = try row.word("scope")
    flow.workload = try facts.workload(try row.optionalInteger("workload"))
    flow.vendor = try facts.vendor(try row.optionalInteger("vendor"))
    flow.verdict = try facts.verdict(try row.optionalInteger("verdict"))
    for word in try row.words("findings") {
      guard let kind = FindingKind(rawValue: String(word)) else { throw row.malformed("findings", "has '\(word)', which is no finding") }
      flow.findings.append(kind)
    }
    let backend = try row.optionalAddress("backend")
    let backendPort = try row.port("backend_port")
    flow.backend = backend.map { SocketAddress(ip: $0, port: backendPort) }
    return flow
  }
}
