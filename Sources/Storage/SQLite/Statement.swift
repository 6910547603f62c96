import CSQLite
import EgressModel

/// A prepared statement. Parameters are bound and columns read in the order in which the SQL names them, so every use
/// binds all of them: `statement.bind(a); statement.bind(b); try statement.run()`.
@safe final class Statement {
  private let database: Database
  private let handle: OpaquePointer
  private var parameter: Int32 = 0
  private var column: Int32 = 0
  // A failed bind is told by the step that follows it, so that binding reads as one list.
  private var bindResult: Int32 = SQLITE_OK

  init(_ database: Database, _ sql: String) throws(StorageError) {
    self.database = database
    var prepared: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let statement = unsafe prepared else { throw database.error(code) }
    unsafe handle = statement
  }

  deinit { unsafe sqlite3_finalize(handle) }

  // MARK: Parameters

  func bind(_ value: Int64) {
    parameter += 1
    unsafe note(sqlite3_bind_int64(handle, parameter, value))
  }

  func bind(_ value: Int64?) {
    guard let value else { return bindNull() }
    bind(value)
  }

  func bindNull() {
    parameter += 1
    unsafe note(sqlite3_bind_null(handle, parameter))
  }

  func bind(_ value: String) {
    parameter += 1
    var value = value
    let code = value.withUTF8 { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        unsafe sqlite3_bind_text64(handle, parameter, characters.baseAddress, UInt64(characters.count), csqlite_transient(), UInt8(SQLITE_UTF8))
      }
    }
    note(code)
  }

  func bind(_ value: String?) {
    guard let value else { return bindNull() }
    bind(value)
  }

  /// Binds the canonical text.
  func bind(_ address: IPAddress) {
    guard let bits = address.v4 else { return bind(address.description) }
    // Most addresses are IPv4: 15 octets of text at most, which Swift keeps in the string itself.
    bind(
      unsafe String(unsafeUninitializedCapacity: 15) { buffer in
        var count = 0
        for shift: UInt32 in [24, 16, 8, 0] {
          let octet = UInt8(truncatingIfNeeded: bits >> shift)
          if octet >= 100 {
            unsafe buffer[count] = 0x30 + octet / 100
            count += 1
          }
          if octet >= 10 {
            unsafe buffer[count] = 0x30 + octet / 10 % 10
            count += 1
          }
          unsafe buffer[count] = 0x30 + octet % 10
          count += 1
          if shift > 0 {
            unsafe buffer[count] = UInt8(ascii: ".")
            count += 1
          }
        }
        return count
      })
  }

  /// Binds UTF-8 as text.
  func bind(utf8 bytes: [UInt8]) {
    parameter += 1
    let code = unsafe bytes.withUnsafeBytes { buffer in
      unsafe sqlite3_bind_text64(
        handle, parameter, buffer.bindMemory(to: CChar.self).baseAddress, UInt64(buffer.count), csqlite_transient(), UInt8(SQLITE_UTF8))
    }
    note(code)
  }

  private func note(_ code: Int32) {
    if code != SQLITE_OK, bindResult == SQLITE_OK { bindResult = code }
  }

  // MARK: Steps

  /// Runs a statement that returns no row and makes it ready for its next use.
  func run() throws(StorageError) {
    while try step() {}
  }

  /// Advances to the next row; false, and ready for the next use, after the last one.
  func step() throws(StorageError) -> Bool {
    if bindResult != SQLITE_OK {
      let code = bindResult
      reset()
      throw database.error(code)
    }
    column = 0
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      reset()
      return false
    case let code:
      let error = database.error(code)
      reset()
      throw error
    }
  }

  /// Ends a query before its last row.
  func reset() {
    unsafe sqlite3_reset(handle)
    parameter = 0
    bindResult = SQLITE_OK
  }

  // MARK: Columns

  /// The next column, by its storage class.
  func nextType() -> Int32 { unsafe sqlite3_column_type(handle, column) }

  func skip() { column += 1 }

  /// The next column, converted as SQLite converts.
  func anyInteger() -> Int64 {
    defer { column += 1 }
    return unsafe sqlite3_column_int64(handle, column)
  }

  /// The next column as text; nil for NULL.
  func anyText() -> String? {
    defer { column += 1 }
    guard let start = unsafe sqlite3_column_text(handle, column) else { return nil }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  var path: String { database.path }
}
