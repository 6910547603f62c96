import FoundationEssentials
import Host

/// The rights that `run` keeps of those it was given.
///
/// - `net_raw` opens a capture, now and again when an interface comes back.
/// - `net_admin` asks connection tracking; the kernel lets nobody without it read.
/// - `sys_ptrace` and `dac_read_search` find who holds a socket where its control group does not tell.
enum RunPrivileges {
  static let wanted: Set<String> = ["net_raw", "net_admin", "sys_ptrace", "dac_read_search"]

  /// Gives up all others; while there is one thread only. What cannot be given up is told, and is no reason not to watch.
  static func reduce(database: String) {
    var wanted = wanted
    // Root without this right may write where root owns, and nowhere else.
    if !isOwn(database) { wanted.insert("dac_override") }
    do {
      try Privileges.keep(wanted)
    } catch {
      StandardError.write("egress-obs: \(error); going on with the rights that there are\n")
    }
  }

  /// Whether the database, its log and their directory are or will be the user's own.
  private static func isOwn(_ database: String) -> Bool {
    let directory = URL(filePath: database).deletingLastPathComponent().path
    return [directory, database, database + "-wal"].allSatisfy { path in
      guard let owner = (try? FileManager.default.attributesOfItem(atPath: path))?[.ownerAccountID] as? any BinaryInteger else { return true }
      return UInt64(owner) == UInt64(Capabilities.effectiveUser)
    }
  }
}
