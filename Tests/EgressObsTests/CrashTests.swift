import Foundation
import Testing

/// What no program can prepare for: it is killed, the disk is full, the database is somebody else's.
@Suite struct CrashTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "egress.db")
  }

  private func replay(_ capture: String, into database: String) throws -> Program {
    try Program([Program.egressObs, "replay", capture, "--db", database, "--emit", "nothing"])
  }

  /// Who talked to whom, without how often it was recorded.
  private func conversations(_ flows: [[String: Any]]) -> Set<String> {
    Set(
      flows.map { flow in
        let port = "\(flow.number("source", "port") ?? 0)-\(flow.number("destination", "port") ?? 0)"
        return [flow.text("source", "ip"), flow.text("destination", "ip"), port, flow.text("start"), flow.text("name")].map { $0 ?? "-" }
          .joined(separator: " ")
      })
  }

  @Test func `a replay that is killed leaves a sound database with nothing in it but the truth, and can be run again`() throws {
    let capture = scratch / "big.pcap"
    try Sample.repeated(40, to: capture)
    let whole = Database(path: scratch / "whole.db")
    let began = Date()
    try #require(try replay(capture, into: whole.path).wait().status == 0)
    let duration = Date().timeIntervalSince(began)
    let truth = conversations(try whole.flows())
    #expect(truth.count > 40 * 40)

    for round in 0..<3 {
      let program = try replay(capture, into: recorded.path)
      let moment = Double.random(in: 0.05...0.95) * duration
      // The moment is what is random here; there is nothing to wait for.
      usleep(UInt32(moment * 1_000_000))
      program.crash()
      if try Program.egressObs(["flows", "--db", recorded.path]).errors.contains("nothing was recorded there yet") { continue }
      #expect(try recorded.isSound, "round \(round), killed after \(moment) s of \(duration) s")
      #expect(conversations(try recorded.flows()).isSubset(of: truth), "round \(round), killed after \(moment) s of \(duration) s")
      #expect(try recorded.report().last?.text("schema") == "egress-obs.coverage.v1")
    }
    let again = try replay(capture, into: recorded.path).wait()
    #expect(again.status == 0 && again.errors.isEmpty, "\(again)")
    #expect(conversations(try recorded.flows()) == truth)
  }

  @Test(.enabled(if: NetworkLab.canMakeLinks, "needs root and iproute2"))
  func `a daemon that is killed leaves a sound database, and the report tells of the gap`() throws {
    let lab = try NetworkLab(servers: false)
    for round in 0..<3 {
      let daemon = try lab.daemon(recorded, "--no-reverse-dns")
      // What is recorded stays; what came in the last moment before may be lost.
      try lab.send(50, port: 7000 + UInt16(round))
      #expect(try eventually { try recorded.flows("--port", "\(7000 + round)").count == 50 }, "round \(round): \(daemon.errorsSoFar)")
      try lab.send(500, port: 8000)
      usleep(.random(in: 0...400_000))
      daemon.crash()
      #expect(try recorded.isSound)
      #expect(try recorded.flows("--port", "\(7000 + round)").count == 50)
      #expect(try recorded.gaps == Array(repeating: "killed", count: round))
    }
    let last = try lab.daemon(recorded, "--no-reverse-dns")
    let sent = Date()
    try lab.send(50, port: 9000)
    // Written several times since, and the flows are not old enough for their first record.
    usleep(1_500_000)
    last.crash()
    #expect(try recorded.flows("--port", "9000").isEmpty)

    let daemon = try lab.daemon(recorded, "--no-reverse-dns")
    #expect(daemon.errorsSoFar.contains(/nobody watched from .* to .*: killed/))
    #expect(daemon.stop().status == 0)
    #expect(try recorded.gaps == ["killed", "killed", "killed", "killed"])
    let coverage = try #require(try recorded.report().last)
    #expect(coverage.number("restarts") == 4)
    let gap = try #require((coverage["gaps"] as? [[String: Any]])?.last?.text("from"))
    #expect(try Date(gap, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) <= sent, "\(gap) is after \(sent)")
    #expect(try Program.egressObs("report", "--db", recorded.path).output.contains(/gap: .* killed/))
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs root to mount a small file system"))
  func `a replay onto a full disk ends with the reason, and keeps what it stored`() throws {
    let disk = try SmallDisk("1m")
    let capture = scratch / "big.pcap"
    try Sample.repeated(40, to: capture)
    let database = Database(path: disk / "egress.db")
    let outcome = try replay(capture, into: database.path).wait()
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("egress-obs: cannot write \(database.path): no space is left on its file system"), "\(outcome.errors)")
    #expect(outcome.errors.contains("free some space"))
    #expect(try database.isSound)
  }

  @Test(.enabled(if: NetworkLab.canMakeLinks && SmallDisk.isPossible, "needs root and iproute2"))
  func `a daemon on a full disk goes on, says so, and records what waited when there is space`() throws {
    let lab = try NetworkLab(servers: false)
    let disk = try SmallDisk("8m")
    let database = Database(path: disk / "egress.db")
    let daemon = try lab.daemon(database, "--no-reverse-dns")
    try lab.send(1, port: 7000)
    #expect(try eventually { try database.flows("--port", "7000").count == 1 })

    #expect(throws: Program.Failed.self) { try Program.run("dd", "if=/dev/zero", "of=\(disk / "filler")", "bs=4096") }
    try lab.send(2000, port: 7001)
    #expect(eventually { daemon.errorsSoFar.contains("no space is left") }, "\(daemon.errorsSoFar)")
    #expect(daemon.errorsSoFar.contains("wait in memory until it can be written"))
    #expect(daemon.isRunning)

    try FileManager.default.removeItem(atPath: disk / "filler")
    #expect(eventually { daemon.errorsSoFar.contains("can be written again; 0 flows were lost") }, "\(daemon.errorsSoFar)")
    #expect(try eventually { try database.flows("--port", "7001").count == 2000 })
    #expect(daemon.stop().status == 0)
    #expect(try database.isSound)
    #expect(try database.flows("--port", "7001").count == 2000)
    #expect(try database.gaps.isEmpty)
  }

  /// The commands that open a database: two that write it and one that reads it.
  private func opened(_ path: String) throws -> [Program.Outcome] {
    try [
      ["run", "--interface", "lo", "--db", path], ["replay", Sample.capture, "--emit", "nothing", "--db", path], ["report", "--db", path],
    ].map { try Program.egressObs($0) }
  }

  @Test(.enabled(if: SmallDisk.isPossible, "needs root to mount a file system read-only"))
  func `a database that cannot be written is refused by those who write it and read by those who read it`() throws {
    let disk = try SmallDisk("4m")
    let database = disk / "egress.db"
    try #require(try replay(Sample.capture, into: database).wait().status == 0)
    try disk.makeReadOnly()
    let outcomes = try opened(database)
    for outcome in outcomes.prefix(2) {
      #expect(outcome.status == 2)
      #expect(outcome.errors.hasPrefix("egress-obs: cannot write \(database): ") && outcome.errors.contains("file system writable"), "\(outcome.errors)")
    }
    #expect(outcomes[2].status == 0 && outcomes[2].output.contains("api.stripe.com"), "\(outcomes[2])")
    for outcome in try opened(disk / "new.db").prefix(2) {
      #expect(outcome.status == 2)
      #expect(outcome.errors.hasPrefix("egress-obs: cannot write \(disk / "new.db"): ") && outcome.errors.contains("file system writable"))
    }
  }

  @Test func `a file that is not ours is refused and left as it was`() throws {
    let letter = try scratch.file("letter.txt", String(repeating: "this is a letter, not a database\n", count: 200))
    try check(letter, "is not an SQLite database")
  }

  @Test(.enabled(if: NetworkLab.isInstalled("sqlite3"), "needs sqlite3"))
  func `another program's database, and one of a later version, are refused and left as they were`() throws {
    let foreign = scratch / "places.sqlite"
    try Program.run("sqlite3", foreign, "CREATE TABLE places(url TEXT); INSERT INTO places VALUES('x')")
    try check(foreign, "is a database of another program")
    try #require(try replay(Sample.capture, into: recorded.path).wait().status == 0)
    try Program.run("sqlite3", recorded.path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99")
    try check(recorded.path, "written by a later egress-obs")
  }

  private func check(_ path: String, _ words: String) throws {
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    for outcome in try opened(path) {
      #expect(outcome.status == 2, "\(outcome)")
      #expect(outcome.errors.hasPrefix("egress-obs: ") && outcome.errors.contains(path) && outcome.errors.contains(words), "\(outcome.errors)")
      #expect(outcome.errors.contains("--db"), "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }
}
