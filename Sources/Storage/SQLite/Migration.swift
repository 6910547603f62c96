/// One step of the schema. Steps are appended, never edited: the version a step leads to is its place in the list, from 1.
struct Migration {
  let sql: String
}

extension Database {
  /// `PRAGMA user_version`: how many migrations the file has seen.
  func schemaVersion() throws(StorageError) -> Int { Int(try integer("PRAGMA user_version")) }

  /// Brings the file up to the last of `migrations`, each step and its version number in one transaction.
  func migrate(_ migrations: [Migration], applicationID: Int32) throws(StorageError) {
    while try schemaVersion() < migrations.count {
      try execute("BEGIN IMMEDIATE")
      // Read again under the lock: another process may have migrated meanwhile.
      let version = try schemaVersion()
      guard version < migrations.count else { return try execute("COMMIT") }
      do throws(StorageError) {
        try execute(migrations[version].sql)
        try execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version + 1); COMMIT")
      } catch {
        if isInTransaction { try execute("ROLLBACK") }
        switch error {
        case .failed(_, let cause): throw .migration(path: path, to: version + 1, cause: cause)
        default: throw error
        }
      }
    }
  }
}
