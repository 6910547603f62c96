import Foundation
import Testing

@testable import Storage

@Suite struct MigrationTests {
  private let scratch: Scratch
  private static let steps = [
    Migration(sql: "CREATE TABLE a(x INTEGER); INSERT INTO a VALUES(1)"),
    Migration(sql: "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1"),
    Migration(sql: "CREATE TABLE b AS SELECT y FROM a"),
  ]

  init() throws { scratch = try Scratch() }

  private func open() throws -> Database {
    try DatabaseFile.create(scratch.path())
    return try Database(path: scratch.path(), access: .readWrite)
  }

  @Test(arguments: 0...3) func `every earlier schema is brought up to the last`(first: Int) throws {
    let database = try open()
    try database.migrate(Array(Self.steps[..<first]), applicationID: 7)
    #expect(try database.schemaVersion() == first)
    try database.migrate(Self.steps, applicationID: 7)
    #expect(try database.schemaVersion() == 3)
    #expect(try database.integer("SELECT y FROM b") == 2)
    #expect(try database.integer("SELECT count(*) FROM b") == 1, "no step ran twice")
    #expect(try database.integer("PRAGMA application_id") == 7)
  }

  @Test func `a step that fails leaves the file as the step before left it`() throws {
    let database = try open()
    let broken = Array(Self.steps[..<1]) + [Migration(sql: "CREATE TABLE c(z); INSERT INTO nowhere VALUES(1)")]
    let error = #expect(throws: StorageError.self) { try database.migrate(broken, applicationID: 7) }
    #expect(error == .migration(path: scratch.path(), to: 2, cause: "no such table: nowhere (SQLite result 1)"))
    #expect(try database.schemaVersion() == 1)
    #expect(try database.integer("SELECT count(*) FROM sqlite_schema") == 1)
    try database.migrate(Self.steps, applicationID: 7)
    #expect(try database.schemaVersion() == 3)
  }

  @Test func `our schema is built from every version before it`() throws {
    for version in 0..<Schema.migrations.count {
      let path = scratch.path("\(version).db")
      try DatabaseFile.create(path)
      try Database(path: path, access: .readWrite).migrate(Array(Schema.migrations[..<version]), applicationID: Schema.applicationID)
      let store = try Store(path: path)
      #expect(try store.database.schemaVersion() == Schema.migrations.count)
      _ = try StoreReader(path: path).statistics()
    }
  }

  @Test func `a reader asks for the migration that it cannot make`() throws {
    let path = scratch.path()
    do { _ = try Store(path: path, isTemporary: false, migrations: Schema.migrations + [Migration(sql: "CREATE TABLE later(x)")]) }
    #expect(throws: StorageError.newer(path: path, schema: Schema.migrations.count + 1, supported: Schema.migrations.count)) {
      try StoreReader(path: path)
    }
    try Database(path: path, access: .readWrite).execute("PRAGMA user_version = 0")
    #expect(throws: StorageError.older(path: path, schema: 0, supported: Schema.migrations.count)) { try StoreReader(path: path) }
  }

  @Test func `a file without a table is no database yet`() throws {
    let path = scratch.path()
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(throws: StorageError.missing(path: path)) { try StoreReader(path: path) }
    try Database(path: path, access: .readWrite).execute("PRAGMA journal_mode = WAL")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > 0)
    #expect(throws: StorageError.missing(path: path)) { try StoreReader(path: path) }
  }
}
