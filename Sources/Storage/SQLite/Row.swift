import CSQLite
import EgressModel

/// Reads the columns of one row, in their order, and says which row and column is not as our writer leaves it.
///
/// The first column is the row's own key; the others are read by the calls that follow, whose argument is the column's name.
struct Row {
  private let statement: Statement
  private let table: String
  /// The rowid.
  let id: Int64

  init(_ statement: Statement, table: String) throws(StorageError) {
    self.statement = statement
    self.table = table
    id = statement.anyInteger()
  }

  /// For tables without a rowid.
  init(_ statement: Statement, tableWithoutID table: String) {
    self.statement = statement
    self.table = table
    id = 0
  }

  func malformed(_ column: String, _ cause: String) -> StorageError {
    .malformed(path: statement.path, table: table, row: id == 0 ? "(without a number)" : String(id), cause: "column \(column) \(cause)")
  }

  func optionalInteger(_ column: String) throws(StorageError) -> Int64? {
    switch statement.nextType() {
    case SQLITE_INTEGER: return statement.anyInteger()
    case SQLITE_NULL:
      statement.skip()
      return nil
    default: throw malformed(column, "is not an integer")
    }
  }

  func integer(_ column: String) throws(StorageError) -> Int64 {
    guard let value = try optionalInteger(column) else { throw malformed(column, "is NULL") }
    return value
  }

  func counter(_ column: String) throws(StorageError) -> UInt64 {
    guard let value = UInt64(exactly: try integer(column)) else { throw malformed(column, "is negative") }
    return value
  }

  func counters(_ packets: String, _ bytes: String) throws(StorageError) -> FlowCounters {
    FlowCounters(packets: try counter(packets), bytes: try counter(bytes))
  }

  func optionalText(_ column: String) throws(StorageError) -> String? {
    switch statement.nextType() {
    case SQLITE_TEXT: return statement.anyText()
    case SQLITE_NULL:
      statement.skip()
      return nil
    default: throw malformed(column, "is not text")
    }
  }

  func text(_ column: String) throws(StorageError) -> String {
    guard let value = try optionalText(column) else { throw malformed(column, "is NULL") }
    return value
  }

  func time(_ column: String) throws(StorageError) -> Timestamp { Timestamp(nanoseconds: try integer(column)) }

  func optionalTime(_ column: String) throws(StorageError) -> Timestamp? {
    try optionalInteger(column).map { Timestamp(nanoseconds: $0) }
  }

  /// A word of an enumeration.
  func word<Value: RawRepresentable<String>>(_ column: String) throws(StorageError) -> Value {
    let text = try text(column)
    guard let value = Value(rawValue: text) else { throw malformed(column, "is '\(text)', which is no word of ours") }
    return value
  }

  func optionalWord<Value: RawRepresentable<String>>(_ column: String) throws(StorageError) -> Value? {
    guard let text = try optionalText(column) else { return nil }
    guard let value = Value(rawValue: text) else { throw malformed(column, "is '\(text)', which is no word of ours") }
    return value
  }

  /// Words separated by spaces; none for NULL.
  func words(_ column: String) throws(StorageError) -> [Substring] {
    try optionalText(column)?.split(separator: " ") ?? []
  }

  func address(_ column: String) throws(StorageError) -> IPAddress {
    guard let address = try optionalAddress(column) else { throw malformed(column, "is NULL") }
    return address
  }

  func optionalAddress(_ column: String) throws(StorageError) -> IPAddress? {
    guard let text = try optionalText(column) else { return nil }
    guard let address = IPAddress(text) else { throw malformed(column, "is '\(text)', which is no address") }
    return address
  }

  /// A port, or nil for NULL or -1.
  func port(_ column: String) throws(StorageError) -> UInt16? {
    guard let value = try optionalInteger(column), value != -1 else { return nil }
    guard let port = UInt16(exactly: value) else { throw malformed(column, "is \(value), which is no port") }
    return port
  }

  func transport(_ column: String) throws(StorageError) -> Transport {
    let value = try integer(column)
    guard let number = UInt8(exactly: value) else { throw malformed(column, "is \(value), which is no IP protocol number") }
    return Transport(rawValue: number)
  }

  /// A value that lies as JSON; nil for NULL.
  func json<Value>(_ column: String, _ decode: (String) -> Value?) throws(StorageError) -> Value? {
    guard let text = try optionalText(column) else { return nil }
    guard let value = decode(text) else { throw malformed(column, "does not hold the JSON it should") }
    return value
  }
}
