import Kubernetes
import Reporting

extension Diagnosis {
  /// What of the cluster can be read. Nothing of it stops `run`, which goes on with what it is told.
  static func cluster(_ client: APIClient) async -> [Diagnosis] {
    let rows = await ClusterWatch.examine(client)
    await client.shutdown()
    return rows.map { row in
      // The error names the next step.
      Diagnosis(check: row.name, status: row.error == nil ? .ok : .warn, detail: row.error.map { "\($0)" } ?? "can be read")
    }
  }
}
