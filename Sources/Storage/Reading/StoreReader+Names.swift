public import EgressModel

/// What clients were told of a name, as often as they were told the same.
public struct StoredName: Equatable, Sendable {
  /// The latest such answer.
  public var record: NameRecord
  public var firstSeen: Timestamp
  public var count: UInt64
}

extension StoreReader {
  /// Answers seen in the window, the latest last.
  public func names(
    from: Timestamp = Timestamp(nanoseconds: .min), until: Timestamp = Timestamp(nanoseconds: .max)
  ) throws(StorageError) -> [StoredName] {
    var names: [StoredName] = []
    try rows(
      """
      SELECT name, client, type, rcode, addresses, chain, server, ttl, first_seen, last_seen, count FROM names
      WHERE last_seen >= ?1 AND (first_seen < ?2 OR ?2 = 9223372036854775807) ORDER BY last_seen, name
      """,
      bind: {
        $0.bind(from.nanoseconds)
        $0.bind(until.nanoseconds)
      }
    ) { (statement) throws(StorageError) in
      names.append(try name(statement))
      return true
    }
    return names
  }

  /// The latest answers, oldest first, so that names said before a restart are known after it.
  public func recentNames(since: Timestamp) throws(StorageError) -> [NameRecord] {
    try names(from: since).map(\.record)
  }

  private func name(_ statement: Statement) throws(StorageError) -> StoredName {
    let row = Row(statement, tableWithoutID: "names")
    let name = DomainName(stored: try row.text("name"))
    let client = try row.address("client")
    let type = try row.text("type")
    let rcode = try row.text("rcode")
    var addresses: [IPAddress] = []
    for text in try row.words("addresses") {
      guard let address = IPAddress(String(text)) else { throw row.malformed("addresses of \(name)", "has '\(text)', which is no address") }
      addresses.append(address)
    }
    let chain = try row.words("chain").map { DomainName(stored: String($0)) }
    let server = try row.address("server")
    let ttl = try row.optionalInteger("ttl")
    guard ttl == nil || UInt32(exactly: ttl ?? 0) != nil else { throw row.malformed("ttl of \(name)", "is no time to live") }
    let first = try row.time("first_seen")
    let record = NameRecord(
      time: try row.time("last_seen"), client: client, server: server, name: name, type: type, chain: chain, addresses: addresses,
      ttl: ttl.flatMap { UInt32(exactly: $0) }, rcode: rcode)
    return StoredName(record: record, firstSeen: first, count: try row.counter("count"))
  }
}
