import EgressModel

/// Writes answers to name queries: one row for a client, a question and an answer, however often it comes.
final class NameWriter {
  private let upsert: Statement
  private let hash: KeyedHash

  init(_ database: Database) throws(StorageError) {
    hash = KeyedHash(key: try Self.hashKey(database, 0), try Self.hashKey(database, 1))
    upsert = try Statement(
      database,
      """
      INSERT INTO names(hash, name, client, type, rcode, addresses, chain, server, ttl, first_seen, last_seen, count)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?10, ?10, 1)
      ON CONFLICT(hash) DO UPDATE SET server = excluded.server, ttl = excluded.ttl, first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen), count = count + 1
      """)
  }

  func record(_ names: [NameRecord]) throws(StorageError) {
    for name in names {
      let client = name.client.description
      let addresses = Self.words(name.addresses, \.description)
      let chain = Self.words(name.chain, \.text)
      upsert.bind(hash.of(name.name.text, client, name.type, name.rcode, addresses, chain))
      upsert.bind(name.name.text)
      upsert.bind(client)
      upsert.bind(name.type)
      upsert.bind(name.rcode)
      upsert.bind(addresses)
      upsert.bind(chain)
      upsert.bind(name.server)
      upsert.bind(name.ttl.map(Int64.init))
      upsert.bind(name.time.nanoseconds)
      try upsert.run()
    }
  }

  private static func hashKey(_ database: Database, _ half: Int) throws(StorageError) -> UInt64 {
    UInt64(bitPattern: try database.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'hash_key_\(half)'"))
  }

  /// Separated by spaces; most lists have one element.
  private static func words<Element>(_ elements: [Element], _ word: (Element) -> String) -> String {
    guard let first = elements.first else { return "" }
    return elements.count == 1 ? word(first) : elements.map(word).joined(separator: " ")
  }
}
