public import EgressModel

extension StoreReader {
  /// Findings raised in the window, the most recently raised first.
  public func findings(
    from: Timestamp = Timestamp(nanoseconds: .min), until: Timestamp = Timestamp(nanoseconds: .max)
  ) throws(StorageError) -> [StoredFinding] {
    var findings: [StoredFinding] = []
    try rows(
      """
      SELECT id, run, kind, severity, title, workload, destination, vendor, first_seen, last_seen, flows, bytes_out, bytes_in, policy, rule,
        reason, enforcement, samples, count
      FROM findings WHERE coalesce(last_seen, recorded) >= ?1 AND (coalesce(first_seen, recorded) < ?2 OR ?2 = 9223372036854775807)
      ORDER BY recorded DESC, id DESC
      """,
      bind: {
        $0.bind(from.nanoseconds)
        $0.bind(until.nanoseconds)
      }
    ) { (statement) throws(StorageError) in
      findings.append(try finding(statement))
      return true
    }
    return findings
  }

  private func finding(_ statement: Statement) throws(StorageError) -> StoredFinding {
    let row = try Row(statement, table: "findings")
    let run = try row.integer("run")
    var finding = Finding(kind: try row.word("kind"), severity: try row.word("severity"), title: try row.text("title"))
    finding.workload = try facts.workload(try row.optionalInteger("workload"))
    finding.destination = try row.json("destination", StoredJSON.destination)
    finding.vendor = try facts.vendor(try row.optionalInteger("vendor"))
    finding.firstSeen = try row.optionalTime("first_seen")
    finding.lastSeen = try row.optionalTime("last_seen")
    finding.flows = try row.counter("flows")
    finding.bytes = FlowCounterPair(out: try row.counter("bytes_out"), in: try row.counter("bytes_in"))
    let policy = try row.optionalText("policy")
    let rule = try row.optionalInteger("rule")
    finding.rule = policy.map { RuleReference(policy: $0, rule: Int(clamping: rule ?? 0)) }
    finding.reason = try row.optionalText("reason")
    finding.enforcement = try row.optionalWord("enforcement")
    var samples: [Int64] = []
    for word in try row.words("samples") {
      guard let id = UInt64(word) else { throw row.malformed("samples", "has '\(word)', which is no flow") }
      samples.append(Int64(bitPattern: id))
    }
    let count = try row.counter("count")
    if !samples.isEmpty, let group = finding.workload?.group, let destination = finding.destination {
      finding.samples = try flows(run: run, ids: samples, group: group, destination)
    }
    return StoredFinding(id: FindingID(rawValue: row.id), finding: finding, count: count)
  }

  /// The alert queue, oldest first; those in `state`, or all.
  public func alerts(_ state: QueuedAlert.State? = nil) throws(StorageError) -> [QueuedAlert] {
    var alerts: [QueuedAlert] = []
    try rows(
      "SELECT \(AlertColumns.list) FROM alerts WHERE ?1 IS NULL OR state = ?1 ORDER BY seq", bind: { $0.bind(state?.rawValue) }
    ) { (statement) throws(StorageError) in
      alerts.append(try AlertColumns.read(statement))
      return true
    }
    return alerts
  }

  /// The alert with this id; nil when there is none.
  public func alert(_ id: String) throws(StorageError) -> QueuedAlert? {
    var found: QueuedAlert?
    try rows("SELECT \(AlertColumns.list) FROM alerts WHERE id = ?", bind: { $0.bind(id) }) { (statement) throws(StorageError) in
      found = try AlertColumns.read(statement)
      return true
    }
    return found
  }
}
