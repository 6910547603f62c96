import EgressModel

/// Reads interned facts, each of them once.
final class FactReader {
  private static let capacity = 16_384

  private let find: Statement
  private let path: String
  private var workloads: [Int64: Workload] = [:]
  private var vendors: [Int64: Vendor] = [:]
  private var verdicts: [Int64: Verdict] = [:]

  init(_ database: Database) throws(StorageError) {
    path = database.path
    find = try Statement(database, "SELECT id, json FROM facts WHERE id = ?")
  }

  /// Ids may be used again after a deletion, so what is remembered holds for one snapshot.
  func forget() {
    workloads.removeAll(keepingCapacity: true)
    vendors.removeAll(keepingCapacity: true)
    verdicts.removeAll(keepingCapacity: true)
  }

  func workload(_ id: Int64) throws(StorageError) -> Workload { try fact(id, "a workload", &workloads, StoredJSON.workload) }
  func workload(_ id: Int64?) throws(StorageError) -> Workload? {
    guard let id else { return nil }
    return try workload(id)
  }

  func vendor(_ id: Int64?) throws(StorageError) -> Vendor? {
    guard let id else { return nil }
    return try fact(id, "a vendor", &vendors, StoredJSON.vendor)
  }

  func verdict(_ id: Int64?) throws(StorageError) -> Verdict? {
    guard let id else { return nil }
    return try fact(id, "a verdict", &verdicts, StoredJSON.verdict)
  }

  private func fact<Value>(
    _ id: Int64, _ kind: String, _ known: inout [Int64: Value], _ decode: (String) -> Value?
  ) throws(StorageError) -> Value {
    if let value = known[id] { return value }
    find.bind(id)
    guard try find.step() else {
      throw .malformed(path: path, table: "facts", row: String(id), cause: "\(kind) that other rows name is missing")
    }
    defer { find.reset() }
    let row = try Row(find, table: "facts")
    guard let value = try row.json("json", decode) else { throw row.malformed("json", "is NULL") }
    if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
    known[id] = value
    return value
  }
}
