import Foundation
import Testing

@testable import egress_obs

@Suite struct CommandLineTests {
  @Test(arguments: [
    (["--not", "--port", "443"], ["--not-port", "443"]), (["--not", "-n", "shop", "-n", "pay"], ["--not-namespace", "shop", "-n", "pay"]),
    (["--not", "--name=*.x.com"], ["--not-name=*.x.com"]), (["--port", "443", "--not"], ["--port", "443", "--not"]),
    (["--not", "--since", "1h"], ["--not", "--since", "1h"]), (["--", "--not", "--port"], ["--", "--not", "--port"]),
  ])
  func `--not binds to the filter after it`(given: [String], rewritten: [String]) {
    #expect(NegatedFilters.rewrite(given) == rewritten)
  }

  static let commands = ["run", "replay", "report", "vendors", "flows", "explain", "check", "audit", "suggest", "approve", "alerts", "doctor"]

  @Test(arguments: commands)
  func `every command explains itself`(command: String) throws {
    let outcome = try Program.egressObs(command, "--help")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("USAGE: egress-obs \(command)"))
    #expect(outcome.errors.isEmpty)
  }

  @Test(arguments: commands)
  func `a wrong flag is wrong usage, named`(command: String) throws {
    let needed = ["replay": ["x.pcap"], "explain": ["a/b", "x.com", "--policies", "x"], "check": ["--policies", "x", "--flows", "y"], "audit": ["--policies", "x"], "suggest": ["x"], "approve": ["x.com", "--workload", "a/b", "--owner", "o", "--reason", "r"]][command] ?? []
    let outcome = try Program.egressObs([command] + needed + ["--no-such-flag"])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("--no-such-flag"))
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [
    (["flows", "--port", "70000"], "70000"), (["flows", "--since", "yesterday"], "yesterday"), (["flows", "--verdict", "maybe"], "maybe"),
    (["flows", "--not", "--since", "1h"], "--not must stand right before"), (["flows", "-f", "-o", "json"], "ndjson"),
    (["report", "--fail-on", "newish"], "newish is no finding"), (["check", "--flows", "x"], "--policies"),
    (["check", "--policies", "x", "--flows", "y", "--fail-on", "refused"], "refused is no verdict"), (["audit", "--policies", "x", "--fail-on", "grave"], "grave is no check"),
    (["explain", "a/b", "x.com"], "--policies or --db"), (["explain", "a/b", "x y", "--policies", "x"], "x y is no destination"),
    (["explain", "a/b", "192.0.2.1", "--policies", "x", "--address", "192.0.2.2"], "--address is for names"),
    (["flows", "--since", "1h", "--until", "2h"], "--since is not before --until"),
    (["replay"], "capture"), (["replay", "-", "-"], "only once"), (["alerts", "retry"], "--all"), (["alerts", "test"], "--webhook"),
    (["run", "--exec-hook", "relative/path"], "absolute path"), (["run", "--webhook", "ftp://x"], "http://"),
    (["run", "--alert-on", "new,nothing"], "nothing is no finding"), (["run", "--max-size", "0"], "--max-size 0"),
    (["check", "--policies", "x", "--flows", "y", "--engine", "windows"], "windows"),
  ])
  func `wrong usage says what is wrong`(arguments: [String], words: String) throws {
    let outcome = try Program([Program.egressObs] + arguments).wait()
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(words))
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [
    (["replay", "/nonexistent.pcap"], "/nonexistent.pcap"), (["replay", "/tmp"], "directory"), (["replay", "/dev/null"], "empty"),
    (["replay", Sample.inventory], "neither pcap nor pcapng"), (["replay", Sample.capture, "--policies", "/nonexistent"], "/nonexistent"),
    (["replay", Sample.capture, "--vendors", "/nonexistent"], "/nonexistent"), (["report", "--db", "/nonexistent/x.db"], "/nonexistent/x.db"),
    (["vendors", "--db", Sample.capture], "shop.pcap"), (["flows", "--db", Sample.inventory], "inventory.yaml"),
    (["flows", "--db", "/tmp"], "it is a directory"), (["replay", Sample.capture, "--db", "/tmp"], "it is a directory"),
    (["alerts", "list", "--db", "/nonexistent/x.db"], "/nonexistent/x.db"), (["alerts", "retry", "--all", "--db", "/nonexistent/x.db"], "/nonexistent/x.db"),
    (["check", "--policies", Sample.policies, "--flows", "/nonexistent.ndjson"], "/nonexistent.ndjson"),
    (["run", "--exec-hook", "/nonexistent"], "/nonexistent"), (["run", "--interface", "nosuch0", "--db", "/tmp/egress-obs-never.db"], "nosuch0"),
  ])
  func `bad input is trouble, named, with a next step`(arguments: [String], words: String) throws {
    let outcome = try Program([Program.egressObs] + arguments).wait()
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.errors.hasPrefix("egress-obs: "))
    #expect(outcome.errors.contains(words))
  }

  @Test func `of a folder of units a link that leads nowhere is passed over, and of a manifest it is trouble`() throws {
    let folder = try TemporaryDirectory()
    _ = try folder.file("app.service", "[Service]\nIPAddressDeny=any\nIPAddressAllow=0.0.0.0/0\n")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/alias.service", withDestinationPath: folder.path + "/uninstalled.service")
    let audit = try Program.egressObs("audit", "--policies", folder.path, "-o", "ndjson")
    #expect(audit.status == 0 && audit.output.contains("app.service"), "\(audit)")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/gone.yaml", withDestinationPath: folder.path + "/nothing.yaml")
    let trouble = try Program.egressObs("audit", "--policies", folder.path)
    #expect(trouble.status == 2 && trouble.errors.contains("gone.yaml"), "\(trouble)")
  }

  @Test func `policies in which there is no policy are said to be none`() throws {
    let outcome = try Program.egressObs("replay", Sample.capture, "--policies", Sample.inventory, "--emit", "nothing")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("--policies \(Sample.inventory) holds no policy"))
  }

  /// Files with something wrong in them; `%` in a command stands for the file.
  @Test(arguments: [
    ("replay CAPTURE --policies %", "a: [", ":2 (document 1): it is not YAML"), ("report --db DB --inventory %", "a: [", ":2 (document 1)"),
    ("vendors --db DB --policies %", "a: [", ":2 (document 1)"), ("doctor --policies %", "a: [", ":2 (document 1)"),
    ("run --interface lo --db DB --policies %", "a: [", ":2 (document 1)"), ("check --flows FLOWS --policies %", "a: [", ":2 (document 1)"),
    ("replay CAPTURE --vendors %", "example.com\tExample\n", ":1: 2 columns"),
    ("run --interface lo --db DB --vendors %", "# ours\nexample.com\tExample\n", ":2: 2 columns"),
    ("check --policies POLICIES --flows %", "{\"id\":\"f1\"}\n", ":1: from: it is missing"),
    ("check --policies POLICIES --flows %", "\nnot JSON\n", ":2: it is not JSON"),
    ("check --policies POLICIES --flows FLOWS --expect %", #"{"id":"nope","decision":"allowed"}"#, ":1: no flow has the id nope"),
    ("check --policies POLICIES --flows FLOWS --expect %", #"{"id":"web-assets","decision":"maybe"}"#, ":1: is no expectation; write"),
    (
      "check --policies POLICIES --flows FLOWS --expect %",
      "{\"id\":\"web-assets\",\"decision\":\"allowed\"}\n{\"id\":\"web-assets\",\"decision\":\"denied\"}\n", ":2: the id web-assets stands twice"
    ),
    ("report --db %", "a letter", "is not an SQLite database"), ("vendors --db %", "a letter", "is not an SQLite database"),
    ("flows --db %", "a letter", "is not an SQLite database"), ("flows --names --db %", "a letter", "is not an SQLite database"),
    ("flows -f --db %", "a letter", "is not an SQLite database"), ("alerts list --db %", "a letter", "is not an SQLite database"),
    ("alerts show x --db %", "a letter", "is not an SQLite database"), ("alerts retry x --db %", "a letter", "is not an SQLite database"),
  ])
  func `a broken file is trouble, named with its line where it has lines, and nothing is printed as a result`(
    command: String, content: String, words: String
  ) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("broken", content)
    let names = [
      "%": file, "CAPTURE": Sample.capture, "DB": directory / "egress.db", "FLOWS": Sample.root + "/Examples/flows.ndjson",
      "POLICIES": Sample.policies,
    ]
    let outcome = try Program.egressObs(command.split(separator: " ").map { names[String($0)] ?? String($0) })
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.errors.hasPrefix("egress-obs: \(file)") && outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: directory / "egress.db"))
  }

  @Test func `a capture of another link type is refused by its name`() throws {
    let directory = try TemporaryDirectory()
    var capture = try Data(contentsOf: URL(fileURLWithPath: Sample.capture))
    capture[20] = 147
    try capture.write(to: URL(fileURLWithPath: directory / "other.pcap"))
    let outcome = try Program.egressObs("replay", directory / "other.pcap", "-o", "ndjson")
    #expect(outcome.status == 2 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("other.pcap: link type") && outcome.errors.contains("(147) is not supported (supported: EN10MB,"))
  }

  @Test func `doctor says that a database is not ours, and fails`() throws {
    let directory = try TemporaryDirectory()
    let outcome = try Program.egressObs("doctor", "--db", try directory.file("letter", "a letter"), "-o", "ndjson")
    #expect(outcome.status == 2)
    let database = try #require(try objects(outcome.output).first { $0.text("check") == "database" })
    #expect(database.text("status") == "fail" && database.text("detail")?.contains("is not an SQLite database") == true)
  }

  @Test func `a policy that cannot be parsed is named with file, document and line, and nothing is judged`() throws {
    let directory = try TemporaryDirectory()
    let bad = try directory.file(
      "np.yaml",
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: a, namespace: shop}
      spec:
        podSelector: {}
        egress:
        - to:
          - ipBlock: {cidr: 10.0.0.0}
          prots: []
      """)
    let outcome = try Program.egressObs("replay", Sample.capture, "--policies", bad, "-o", "ndjson")
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("np.yaml:8") && outcome.errors.contains("cidr"))
    #expect(outcome.errors.contains("np.yaml:9") && outcome.errors.contains("prots"))
  }
}
