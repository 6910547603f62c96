import EgressModel

/// Interns what many rows share: workloads with their groups, vendors and verdicts, each stored once and named by a number.
final class FactTable {
  /// A workload and its group, as rows name them.
  struct Party {
    var workload: Int64
    var group: Int64
  }

  // Beyond this many a cache starts again: a bound on memory, not on what is stored.
  private static let capacity = 16_384

  private let find: Statement
  private let insert: Statement
  private let findGroup: Statement
  private let insertGroup: Statement
  private let database: Database
  private var parties: [Workload: Party] = [:]
  private var vendors: [Vendor: Int64] = [:]
  private var verdicts: [Verdict: Int64] = [:]

  init(_ database: Database) throws(StorageError) {
    self.database = database
    find = try Statement(database, "SELECT id FROM facts WHERE json = ?")
    insert = try Statement(database, "INSERT INTO facts(json) VALUES(?)")
    findGroup = try Statement(database, "SELECT id FROM groups WHERE name = ?")
    insertGroup = try Statement(database, "INSERT INTO groups(name) VALUES(?)")
  }

  /// After a rollback or a deletion, what was remembered may not be in the file.
  func forget() {
    parties.removeAll(keepingCapacity: true)
    vendors.removeAll(keepingCapacity: true)
    verdicts.removeAll(keepingCapacity: true)
  }

  func party(_ workload: Workload) throws(StorageError) -> Party {
    if let known = parties[workload] { return known }
    let party = Party(workload: try row(StoredJSON.text(workload), find, insert), group: try row(workload.group, findGroup, insertGroup))
    if parties.count >= Self.capacity { parties.removeAll(keepingCapacity: true) }
    parties[workload] = party
    return party
  }

  func row(_ vendor: Vendor?) throws(StorageError) -> Int64? {
    guard let vendor else { return nil }
    if let known = vendors[vendor] { return known }
    let id = try row(StoredJSON.text(vendor), find, insert)
    if vendors.count >= Self.capacity { vendors.removeAll(keepingCapacity: true) }
    vendors[vendor] = id
    return id
  }

  func row(_ verdict: Verdict?) throws(StorageError) -> Int64? {
    guard let verdict else { return nil }
    if let known = verdicts[verdict] { return known }
    let id = try row(StoredJSON.text(verdict), find, insert)
    if verdicts.count >= Self.capacity { verdicts.removeAll(keepingCapacity: true) }
    verdicts[verdict] = id
    return id
  }

  private func row(_ text: String, _ find: Statement, _ insert: Statement) throws(StorageError) -> Int64 {
    find.bind(text)
    if try find.step() {
      defer { find.reset() }
      return find.anyInteger()
    }
    insert.bind(text)
    try insert.run()
    return database.lastInsertedRow
  }
}
