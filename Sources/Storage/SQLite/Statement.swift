import CSQLite
import EgressModel

/// A prepared statement. Parameters are bound and columns read in the order in which the SQL names them, so every use
/// binds all of them: `statement.bind(a); statement.bind(b); try statement.run()`.
@safe final class Statement {
  private let database: Database
  private let handle: OpaquePointer
  private var parameter: Int32 = 0
  private var column: Int32 = 0
  // SQLite reads a bound text where it lies instead of copying it: here, until every parameter is bound anew for the next use.
  private var arena: UnsafeMutableRawBufferPointer?
  private var arenaUsed = 0
  private static let arenaCapacity = 4096
  // A failed bind is told by the step that follows it, so that binding reads as one list.
  private var bindResult: Int32 = SQLITE_OK

  init(_ database: Database, _ sql: String) throws(StorageError) {
    self.database = database
    var prepared: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    guard code == SQLITE_OK, let statement = unsafe prepared else { throw database.error(code) }
    unsafe handle = statement
  }

  deinit {
    unsafe sqlite3_finalize(handle)
    unsafe arena?.deallocate()
  }

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
    var value = value
    value.withUTF8 { unsafe bindText(UnsafeRawBufferPointer($0)) }
  }

  func bind(_ value: String?) {
    guard let value else { return bindNull() }
    bind(value)
  }

  /// Binds the canonical text.
  func bind(_ address: IPAddress) {
    address.withText { text in unsafe text.withUnsafeBytes { unsafe bindText($0) } }
  }

  /// Binds UTF-8 as text.
  func bind(utf8 bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe bindText($0) }
  }

  private func bindText(_ text: UnsafeRawBufferPointer) {
    parameter += 1
    if unsafe arena == nil { unsafe arena = .allocate(byteCount: Self.arenaCapacity, alignment: 1) }
    guard let arena = unsafe arena, let start = arena.baseAddress, text.count <= Self.arenaCapacity - arenaUsed else {
      // Longer texts are rare; SQLite makes its own copy of them.
      return unsafe note(bindText(text.baseAddress, text.count, csqlite_transient()))
    }
    let place = unsafe start + arenaUsed
    if let source = text.baseAddress { unsafe place.copyMemory(from: source, byteCount: text.count) }
    arenaUsed += text.count
    // No destructor: the arena outlives the statement's use of it.
    unsafe note(bindText(place, text.count, nil))
  }

  private func bindText(_ start: UnsafeRawPointer?, _ count: Int, _ destructor: sqlite3_destructor_type?) -> Int32 {
    // A null pointer would bind NULL, and an empty text is none.
    guard let start = unsafe start else { return unsafe sqlite3_bind_text64(handle, parameter, "", 0, csqlite_transient(), UInt8(SQLITE_UTF8)) }
    return unsafe sqlite3_bind_text64(
      handle, parameter, start.assumingMemoryBound(to: CChar.self), UInt64(count), destructor, UInt8(SQLITE_UTF8))
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
    arenaUsed = 0
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
