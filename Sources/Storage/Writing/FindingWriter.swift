import EgressModel

/// Writes findings: one row for what is found, raised as often as it is found again.
final class FindingWriter {
  private let upsert: Statement
  private let facts: FactTable

  init(_ database: Database, facts: FactTable) throws(StorageError) {
    self.facts = facts
    upsert = try Statement(
      database,
      """
      INSERT INTO findings(key, run, kind, severity, title, workload, destination, vendor, first_seen, last_seen, recorded, flows,
        bytes_out, bytes_in, policy, rule, reason, enforcement, samples, count)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
      ON CONFLICT(key) DO UPDATE SET run = excluded.run, severity = excluded.severity, title = excluded.title,
        workload = excluded.workload, destination = excluded.destination, vendor = excluded.vendor,
        first_seen = min(coalesce(first_seen, excluded.first_seen), coalesce(excluded.first_seen, first_seen)),
        last_seen = max(coalesce(last_seen, excluded.last_seen), coalesce(excluded.last_seen, last_seen)),
        recorded = excluded.recorded, flows = excluded.flows, bytes_out = excluded.bytes_out, bytes_in = excluded.bytes_in,
        reason = excluded.reason, enforcement = excluded.enforcement, samples = excluded.samples, count = count + 1
      RETURNING id
      """)
  }

  func record(_ findings: [Finding], run: Int64, at time: Timestamp) throws(StorageError) -> [FindingID] {
    var ids: [FindingID] = []
    for finding in findings {
      upsert.bind(finding.identity)
      upsert.bind(run)
      upsert.bind(finding.kind.rawValue)
      upsert.bind(finding.severity.rawValue)
      upsert.bind(finding.title)
      if let workload = finding.workload { upsert.bind(try facts.party(workload).workload) } else { upsert.bindNull() }
      upsert.bind(finding.destination?.json.text)
      upsert.bind(try facts.row(finding.vendor))
      upsert.bind(finding.firstSeen?.nanoseconds)
      upsert.bind(finding.lastSeen?.nanoseconds)
      upsert.bind(time.nanoseconds)
      upsert.bind(Int64(clamping: finding.flows))
      upsert.bind(Int64(clamping: finding.bytes.out))
      upsert.bind(Int64(clamping: finding.bytes.in))
      upsert.bind(finding.rule?.policy)
      upsert.bind(finding.rule.map { Int64($0.rule) })
      upsert.bind(finding.reason)
      upsert.bind(finding.enforcement?.rawValue)
      // Sample flows lie in `flows`; here are their ids.
      upsert.bind(finding.samples.isEmpty ? nil : finding.samples.map { String($0.id) }.joined(separator: " "))
      while try upsert.step() { ids.append(FindingID(rawValue: upsert.anyInteger())) }
    }
    return ids
  }
}

extension Finding {
  /// What makes two findings the same: their kind, the workload's group, the name or address with its port, and the rule.
  var identity: String {
    let destination = destination.map { "\($0.names.first?.name.text ?? $0.address.description) \($0.port.map(String.init) ?? "-") \($0.transport)" }
    return [kind.rawValue, workload?.group ?? "-", destination ?? "-", rule?.description ?? "-"].joined(separator: " ")
  }
}
