import ArgumentParser
import Storage

/// `--db` of the commands that read.
struct DatabaseOption: ParsableArguments {
  /// Where the daemon keeps its database unless it is told otherwise.
  static let defaultPath = "/var/lib/egress-obs/egress.db"

  @Option(help: ArgumentHelp("The database of run, or of replay --db.", valueName: "file"))
  var db = DatabaseOption.defaultPath

  func reader() throws -> StoreReader {
    try Trouble.naming { try StoreReader(path: db) }
  }
}
