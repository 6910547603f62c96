extension Database {
  /// Refuses a file that is not ours or newer than `supported`. Gives its schema version; 0 for an empty database.
  func checkOrigin(supported: Int) throws(StorageError) -> Int {
    let applicationID = try integer("PRAGMA application_id")
    let version = try schemaVersion()
    if applicationID == 0, version == 0, try integer("SELECT count(*) FROM sqlite_schema") == 0 { return 0 }
    guard applicationID == Int64(Schema.applicationID) else { throw .foreign(path: path, applicationID: applicationID) }
    guard version <= supported else { throw .newer(path: path, schema: version, supported: supported) }
    return version
  }

  func prepareForWriting(isTemporary: Bool, migrations: [Migration]) throws(StorageError) {
    let version = try checkOrigin(supported: migrations.count)
    // SQLite opens a file that cannot be written for reading, without a word.
    guard !isReadOnly else { throw .readOnly(path: path, cause: "the file is write-protected") }
    if version == 0 {
      // Only before the first table: it lays out the file so that retention can give space back.
      try execute("PRAGMA auto_vacuum = INCREMENTAL")
      // Larger pages are fewer, and nobody waits for a single one.
      if isTemporary { try execute("PRAGMA page_size = 8192") }
    }
    if isTemporary {
      try execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048")
    } else {
      let mode = try text("PRAGMA journal_mode = WAL")
      guard mode == "wal" else {
        throw .failed(path: path, cause: "its file system does not support write-ahead logging (journal mode \(mode ?? "unknown"))")
      }
      try execute("PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192")
    }
    // Our views and statements need no foreign functions from an edited schema.
    try execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")
    try migrate(migrations, applicationID: Schema.applicationID)
    // A temporary database is read once, from end to end; `EndpointTable` and `NameWriter` make their own indexes again when they must search.
    if isTemporary {
      try execute("DROP INDEX flows_end; DROP INDEX flows_endpoint; DROP INDEX endpoints_key; DROP TABLE names; CREATE TABLE names(\(Schema.nameColumns))")
    }
  }

  func prepareForReading() throws(StorageError) {
    let supported = Schema.migrations.count
    let version = try checkOrigin(supported: supported)
    guard version == supported else {
      // Whoever was to write the first table was stopped before.
      if try integer("SELECT count(*) FROM sqlite_schema") == 0 { throw .missing(path: path) }
      throw .older(path: path, schema: version, supported: supported)
    }
    try execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")
  }
}
