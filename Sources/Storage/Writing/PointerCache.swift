public import EgressModel

/// What reverse DNS said of an address, until it expires.
public enum CachedPointer: Equatable, Sendable {
  case name(DomainName)
  /// The address has no name, or its server did not answer.
  case nothing
}

/// Answers of reverse DNS, kept over restarts.
final class PointerCache {
  private let find: Statement
  private let store: Statement

  init(_ database: Database) throws(StorageError) {
    find = try Statement(database, "SELECT name FROM pointers WHERE address = ? AND expires > ?")
    store = try Statement(database, "INSERT OR REPLACE INTO pointers(address, name, expires) VALUES(?, ?, ?)")
  }

  func pointer(_ address: IPAddress, at time: Timestamp) throws(StorageError) -> CachedPointer? {
    find.bind(address)
    find.bind(time.nanoseconds)
    guard try find.step() else { return nil }
    defer { find.reset() }
    return find.anyText().map { .name(DomainName(stored: $0)) } ?? .nothing
  }

  func store(_ pointer: CachedPointer, for address: IPAddress, until expiry: Timestamp) throws(StorageError) {
    store.bind(address)
    switch pointer {
    case .name(let name): store.bind(name.text)
    case .nothing: store.bindNull()
    }
    store.bind(expiry.nanoseconds)
    try store.run()
  }
}
