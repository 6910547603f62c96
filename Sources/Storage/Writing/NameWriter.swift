import EgressModel

/// Writes answers to name queries: one row for a client, a question and an answer, however often it comes.
final class NameWriter {
  private let upsert: Statement

  init(_ database: Database) throws(StorageError) {
    upsert = try Statement(
      database,
      """
      INSERT INTO names(name, client, type, rcode, addresses, chain, server, ttl, first_seen, last_seen, count)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?9, ?9, 1)
      ON CONFLICT DO UPDATE SET server = excluded.server, ttl = excluded.ttl, first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen), count = count + 1
      """)
  }

  func record(_ names: [NameRecord]) throws(StorageError) {
    let names = names.span
    for index in names.indices { try record(names[index]) }
  }

  private func record(_ name: borrowing NameRecord) throws(StorageError) {
    upsert.bind(name.name.text)
    upsert.bind(name.client)
    upsert.bind(name.type)
    upsert.bind(name.rcode)
    upsert.bind(Self.words(name.addresses, \.description))
    upsert.bind(Self.words(name.chain, \.text))
    upsert.bind(name.server)
    upsert.bind(name.ttl.map(Int64.init))
    upsert.bind(name.time.nanoseconds)
    try upsert.run()
  }

  /// Separated by spaces; most lists have one element.
  private static func words<Element>(_ elements: [Element], _ word: (Element) -> String) -> String {
    guard let first = elements.first else { return "" }
    return elements.count == 1 ? word(first) : elements.map(word).joined(separator: " ")
  }
}
