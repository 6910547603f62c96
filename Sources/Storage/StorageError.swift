/// What can go wrong with the database: which file, why, and what to do next.
public enum StorageError: Error, Equatable, Sendable {
  /// The file's directory is not there, and neither is the directory above it.
  case missingDirectory(path: String, directory: String)
  /// A reader found no file.
  case missing(path: String)
  /// The operating system refused: `cause` is its word for it.
  case cannotOpen(path: String, cause: String)
  /// The file, its directory or its file system cannot be written.
  case readOnly(path: String, cause: String)
  /// The file is not an SQLite database.
  case notADatabase(path: String)
  /// An SQLite database of another program; `applicationID` is its `PRAGMA application_id`.
  case foreign(path: String, applicationID: Int64)
  /// Written by a later egress-obs.
  case newer(path: String, schema: Int, supported: Int)
  /// Written by an earlier egress-obs, and a reader cannot migrate it.
  case older(path: String, schema: Int, supported: Int)
  /// Another process records into the database, or held its write lock for longer than we wait.
  case locked(path: String, cause: String)
  /// No space is left; the transaction was rolled back.
  case full(path: String)
  /// SQLite found the file damaged.
  case corrupt(path: String, cause: String)
  /// A row does not hold what our writer puts there: somebody edited it.
  case malformed(path: String, table: String, row: String, cause: String)
  /// A migration failed and was rolled back; the file is as it was.
  case migration(path: String, to: Int, cause: String)
  /// Anything else that SQLite reports.
  case failed(path: String, cause: String)
}

extension StorageError: CustomStringConvertible {
  /// One line: the thing, the cause, the next step.
  public var description: String {
    switch self {
    case .missingDirectory(let path, let directory):
      "cannot create \(path): the directory above \(directory) does not exist (create \(directory), or give another path with --db)"
    case .missing(let path):
      "no database at \(path): nothing was recorded there yet (start `egress-obs run`, or give the path with --db)"
    case .cannotOpen(let path, let cause):
      "cannot open \(path): \(cause) (check the path and its permissions, or give another path with --db)"
    case .readOnly(let path, let cause):
      "cannot write \(path): \(cause) (make the file, its directory and its file system writable, or give another path with --db)"
    case .notADatabase(let path):
      "\(path) is not an SQLite database: it was left untouched (move it away, or give another path with --db)"
    case .foreign(let path, let applicationID):
      "\(path) is a database of another program (application_id \(applicationID)): it was left untouched (give another path with --db)"
    case .newer(let path, let schema, let supported):
      "\(path) has schema \(schema), written by a later egress-obs; this one knows up to \(supported) (upgrade egress-obs, or give another path with --db)"
    case .older(let path, let schema, let supported):
      "\(path) has schema \(schema), written by an earlier egress-obs; this one reads \(supported) (start `egress-obs run` on it once to migrate it)"
    case .locked(let path, let cause):
      "cannot write \(path): \(cause) (stop the other process, or give another path with --db)"
    case .full(let path):
      "cannot write \(path): no space is left on its file system; the batch was not stored (free some space, or lower the retention)"
    case .corrupt(let path, let cause):
      "\(path) is damaged: \(cause) (save what is left with `sqlite3 \(path) .recover`, move the file away and start again)"
    case .malformed(let path, let table, let row, let cause):
      "\(path): table \(table), row \(row): \(cause) (the row was edited by hand: correct or delete it)"
    case .migration(let path, let version, let cause):
      "cannot migrate \(path) to schema \(version): \(cause); it was left as it was (report this, with a copy of the file's schema)"
    case .failed(let path, let cause):
      "\(path): \(cause) (see `egress-obs doctor`)"
    }
  }
}
