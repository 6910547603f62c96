import CSQLite

/// One SQLite connection. Not for more than one thread at a time: SQLite's own mutex is off.
@safe final class Database {
  enum Access {
    case readOnly
    case readWrite
  }

  // Before the first connection; afterwards it would change nothing.
  private static let isConfigured = csqlite_forgo_memory_statistics() == SQLITE_OK

  let path: String
  fileprivate(set) var handle: OpaquePointer

  /// Opens an existing file.
  init(path: String, access: Access, busyTimeout milliseconds: Int32 = 5000) throws(StorageError) {
    self.path = path
    _ = Self.isConfigured
    var opened: OpaquePointer?
    // A file in WAL mode is read by way of files beside it, which cannot be made there. Where nothing can be written nothing changes, either.
    let isImmutable = access == .readOnly && DatabaseFile.isFrozen(path)
    let name = isImmutable ? DatabaseFile.uri(path) + "?immutable=1" : path
    let flags =
      (access == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
      | (isImmutable ? SQLITE_OPEN_URI : 0)
    // sqlite3_open_v2 returns a handle even when it fails, for its message; it must be closed, too.
    let code = unsafe sqlite3_open_v2(name, &opened, flags, nil)
    guard let connection = unsafe opened else { throw .cannotOpen(path: path, cause: "out of memory") }
    guard code == SQLITE_OK else {
      let error = unsafe StorageError(code: code, path: path, message: String(cString: sqlite3_errmsg(connection)))
      unsafe sqlite3_close_v2(connection)
      throw error
    }
    unsafe handle = connection
    unsafe sqlite3_busy_timeout(connection, milliseconds)
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Runs statements that return nothing, one after another.
  func execute(_ sql: String) throws(StorageError) {
    let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code) }
  }

  /// The one integer that a query gives.
  func integer(_ sql: String) throws(StorageError) -> Int64 {
    let statement = try Statement(self, sql)
    guard try statement.step() else { throw .failed(path: path, cause: "no row from \(sql)") }
    return statement.anyInteger()
  }

  /// The one text that a query gives; nil for NULL.
  func text(_ sql: String) throws(StorageError) -> String? {
    let statement = try Statement(self, sql)
    guard try statement.step() else { return nil }
    return statement.anyText()
  }

  var isReadOnly: Bool { unsafe sqlite3_db_readonly(handle, "main") == 1 }
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }
  var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle) }
  var changes: Int { Int(unsafe sqlite3_changes64(handle)) }

  func error(_ code: Int32) -> StorageError {
    let message = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) } ?? "unknown error"
    return StorageError(code: code, path: path, message: message)
  }
}

extension StorageError {
  /// Sorts an [SQLite result code](https://www.sqlite.org/rescode.html), extended or not.
  init(code: Int32, path: String, message: String) {
    switch code & 0xff {
    case SQLITE_BUSY, SQLITE_LOCKED: self = .locked(path: path, cause: "another process holds its write lock")
    case SQLITE_FULL: self = .full(path: path)
    case SQLITE_READONLY: self = .readOnly(path: path, cause: message)
    case SQLITE_NOTADB: self = .notADatabase(path: path)
    case SQLITE_CORRUPT: self = .corrupt(path: path, cause: message)
    case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: self = .cannotOpen(path: path, cause: message)
    // SQLITE_IOERR_SHMSIZE, a macro that Swift cannot import: the log's shared memory could not grow, which is what a full disk looks like.
    case SQLITE_IOERR where code == SQLITE_IOERR | 19 << 8: self = .full(path: path)
    default: self = .failed(path: path, cause: "\(message) (SQLite result \(code))")
    }
  }
}
