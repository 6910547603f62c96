import EgressModel

/// Writes answers to name queries: one row for a client, a question and an answer, however often it comes.
///
/// A file is asked for the row by its key. A temporary one, whose rows are all this writer's, has no key until they are too many to remember:
/// a row is found by its fingerprint and a new one appended, which takes SQLite a third of the time.
final class NameWriter {
  /// 64 bits of SipHash under the process's own seed: nobody who makes up names can make two of them one, and among as many rows as are
  /// remembered chance does so once in 500 million runs.
  private struct Fingerprint: Hashable {
    let bits: Int

    init(_ name: borrowing NameRecord) {
      var hasher = Hasher()
      hasher.combine(name.name)
      hasher.combine(name.client)
      hasher.combine(name.type)
      hasher.combine(name.rcode)
      hasher.combine(name.addresses)
      hasher.combine(name.chain)
      bits = hasher.finalize()
    }
  }

  /// The rows of a temporary file, and how they are written.
  private final class Remembered {
    let insert: Statement
    let update: Statement
    var rows: [Fingerprint: Int64] = [:]

    init(_ database: Database) throws(StorageError) {
      insert = try Statement(database, insertion)
      update = try Statement(database, "UPDATE names SET \(repetition("?1", "?2", "?3")) WHERE rowid = ?4")
    }
  }

  private static let insertion = """
    INSERT INTO names(name, client, type, rcode, addresses, chain, server, ttl, first_seen, last_seen, count)
    VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?9, ?9, 1)
    """

  private let database: Database
  /// How many rows to remember: a bound on memory, at some 30 octets each.
  private let capacity: Int
  /// Nil where the file is asked.
  private var remembered: Remembered?
  /// Nil until the file has a key.
  private var upsert: Statement?

  /// - Parameter capacity: rows of a temporary file to remember; 0 for any other.
  init(_ database: Database, remembering capacity: Int) throws(StorageError) {
    self.database = database
    self.capacity = capacity
    if capacity > 0 { remembered = try Remembered(database) } else { upsert = try Self.upsert(database) }
  }

  private static func upsert(_ database: Database) throws(StorageError) -> Statement {
    try Statement(database, "\(insertion) ON CONFLICT DO UPDATE SET \(repetition("?7", "?8", "?9"))")
  }

  private static func repetition(_ server: String, _ ttl: String, _ time: String) -> String {
    "server = \(server), ttl = \(ttl), first_seen = min(first_seen, \(time)), last_seen = max(last_seen, \(time)), count = count + 1"
  }

  /// After a rollback, what was remembered may not be in the file, nor its key.
  func forget() {
    if capacity > 0 { (remembered, upsert) = (nil, nil) }
  }

  func record(_ names: [NameRecord]) throws(StorageError) {
    let names = names.span
    for index in names.indices { try record(names[index]) }
  }

  private func record(_ name: borrowing NameRecord) throws(StorageError) {
    if let remembered {
      if remembered.rows.count < capacity { return try append(name, remembered) }
      self.remembered = nil
    }
    let statement = if let upsert { upsert } else { try keyed() }
    bind(name, to: statement)
    try statement.run()
  }

  /// Gives a temporary file its key.
  private func keyed() throws(StorageError) -> Statement {
    try database.execute("CREATE UNIQUE INDEX IF NOT EXISTS names_key ON names(\(Schema.namesKey))")
    let upsert = try Self.upsert(database)
    self.upsert = upsert
    return upsert
  }

  private func append(_ name: borrowing NameRecord, _ known: Remembered) throws(StorageError) {
    let fingerprint = Fingerprint(name)
    guard let row = known.rows[fingerprint] else {
      bind(name, to: known.insert)
      try known.insert.run()
      known.rows[fingerprint] = database.lastInsertedRow
      return
    }
    known.update.bind(name.server)
    known.update.bind(name.ttl.map(Int64.init))
    known.update.bind(name.time.nanoseconds)
    known.update.bind(row)
    try known.update.run()
  }

  private func bind(_ name: borrowing NameRecord, to statement: Statement) {
    statement.bind(name.name.text)
    statement.bind(name.client)
    statement.bind(name.type)
    statement.bind(name.rcode)
    if name.addresses.count == 1 { statement.bind(name.addresses[0]) } else { statement.bind(Self.words(name.addresses, \.description)) }
    statement.bind(Self.words(name.chain, \.text))
    statement.bind(name.server)
    statement.bind(name.ttl.map(Int64.init))
    statement.bind(name.time.nanoseconds)
  }

  /// Separated by spaces; most lists have one element.
  private static func words<Element>(_ elements: [Element], _ word: (Element) -> String) -> String {
    guard let first = elements.first else { return "" }
    return elements.count == 1 ? word(first) : elements.map(word).joined(separator: " ")
  }
}
