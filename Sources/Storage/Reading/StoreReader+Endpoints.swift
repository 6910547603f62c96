public import EgressModel

extension StoreReader {
  private static let columns = """
    id, name, port, transport, address, workload, trust, chain, scope, application, vendor, ech, first_seen, last_seen, flows, answered,
    packets_out, bytes_out, packets_in, bytes_in, verdict
    """

  /// Endpoints seen in the window, by workload group, name and address. Their counters are those of their whole life.
  public func endpoints(
    from: Timestamp = Timestamp(nanoseconds: .min), until: Timestamp = Timestamp(nanoseconds: .max)
  ) throws(StorageError) -> [Endpoint] {
    var endpoints: [Endpoint] = []
    try rows(
      """
      SELECT \(Self.columns) FROM endpoints WHERE last_seen >= ?1 AND (first_seen < ?2 OR ?2 = 9223372036854775807)
      ORDER BY grp, name, port, transport, address
      """,
      bind: {
        $0.bind(from.nanoseconds)
        $0.bind(until.nanoseconds)
      }
    ) { (statement) throws(StorageError) in
      endpoints.append(try endpoint(statement))
      return true
    }
    return endpoints
  }

  /// Whether the workload group ever talked to this name (or, without a name, to this address), port and transport.
  public func isKnown(group: String, _ destination: Destination) throws(StorageError) -> Bool {
    var isKnown = false
    try rows(
      """
      SELECT 1 FROM endpoints e JOIN groups g ON g.id = e.grp
      WHERE g.name = ?1 AND e.name = ?2 AND e.port = ?3 AND e.transport = ?4 AND (?2 <> '' OR e.address = ?5) LIMIT 1
      """,
      bind: { $0.bind(group: group, destination) }
    ) { (_) throws(StorageError) in
      isKnown = true
      return false
    }
    return isKnown
  }

  private func endpoint(_ statement: Statement) throws(StorageError) -> Endpoint {
    let row = try Row(statement, table: "endpoints")
    let name = try row.text("name")
    let port = try row.port("port")
    let transport = try row.transport("transport")
    let address = try row.address("address")
    let workload = try facts.workload(try row.integer("workload"))
    let trust = try row.integer("trust")
    let chain = try row.words("chain")
    var evidence: NameEvidence?
    if !name.isEmpty {
      guard let (source, confidence) = NameEvidence.evidence(trust: trust) else {
        throw row.malformed("trust", "is \(trust), which is no source and confidence")
      }
      evidence = NameEvidence(
        name: DomainName(stored: name), source: source, confidence: confidence, chain: chain.map { DomainName(stored: String($0)) })
    }
    return Endpoint(
      workload: workload, name: evidence, address: address, port: port, transport: transport, scope: try row.word("scope"),
      application: try row.optionalText("application").map(Application.init), vendor: try facts.vendor(try row.optionalInteger("vendor")),
      ech: try row.word("ech"), firstSeen: try row.time("first_seen"), lastSeen: try row.time("last_seen"), flows: try row.counter("flows"),
      answered: try row.counter("answered"), out: try row.counters("packets_out", "bytes_out"), in: try row.counters("packets_in", "bytes_in"),
      verdict: try facts.verdict(try row.optionalInteger("verdict")))
  }
}

extension Statement {
  /// Binds what an endpoint's row is found by: group, name or '', port or -1, transport, address.
  func bind(group: String, _ destination: Destination) {
    bind(group)
    bind(destination.names.first?.name.text ?? "")
    bind(destination.port.map(Int64.init) ?? -1)
    bind(Int64(destination.transport.rawValue))
    bind(destination.address)
  }
}
