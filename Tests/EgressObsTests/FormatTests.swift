import Foundation
import Testing

/// What scripts and other programs read: every format of every command, over the sample.
@Suite struct FormatTests {
  private let scratch: TemporaryDirectory
  private let database: String

  init() throws {
    scratch = try TemporaryDirectory()
    database = scratch / "shop.db"
    let outcome = try Program.egressObs(["replay", Sample.capture, "--db", database, "--emit", "nothing"] + Sample.declared)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  /// Every command that lists, over the sample.
  private var commands: [(name: String, arguments: [String])] {
    let check = ["check", "--flows", Sample.root + "/Examples/flows.ndjson"] + Sample.declared
    return [
      ("flows", ["flows", "--db", database]), ("names", ["flows", "--names", "--db", database]), ("vendors", ["vendors", "--db", database]),
      ("report", ["report", "--db", database] + Sample.declared), ("check", check), ("replay", ["replay", Sample.capture, "--emit", "flows"]),
      ("replay names", ["replay", Sample.capture, "--emit", "names"]), ("alerts", ["alerts", "list", "--db", database]),
    ]
  }

  private func output(_ command: [String], _ format: String) throws -> String {
    let outcome = try Program.egressObs(command + ["-o", format])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(command) -o \(format): \(outcome.errors)")
    return outcome.output
  }

  @Test func `json is one document and ndjson one object a line`() throws {
    for (name, arguments) in commands {
      let document = try JSONSerialization.jsonObject(with: Data(try output(arguments, "json").utf8)) as? [String: Any]
      #expect(document?.text("schema")?.hasPrefix("egress-obs.") == true, "\(name)")
      let lines = try objects(try output(arguments, "ndjson"))
      #expect(name == "alerts" || lines.count > 5, "\(name)")
      #expect(lines.allSatisfy { !$0.values.contains { $0 is NSNull } }, "\(name)")
    }
  }

  @Test func `csv has as many fields in every line as its heading`() throws {
    for (name, arguments) in commands {
      let rows = fields(try output(arguments, "csv"))
      #expect(name == "alerts" || rows.count > 5, "\(name)")
      #expect(Set(rows.map(\.count)).count == 1, "\(name)")
    }
  }

  @Test func `tables have no colour when they are piped, and markdown is a table`() throws {
    for (name, arguments) in commands {
      for format in ["table", "wide"] { #expect(!(try output(arguments, format)).contains("\u{1b}"), "\(name)") }
      let rows = try output(arguments, "markdown").split(separator: "\n").filter { $0.hasPrefix("|") }
      #expect(name == "alerts" || rows.count > 5, "\(name)")
      let columns = Set(rows.map { $0.replacing("\\|", with: "").count { $0 == "|" } })
      #expect(columns.count <= 1, "\(name)")
    }
  }

  @Test func `sarif and junit are what tools for them read`() throws {
    for (name, arguments) in commands where ["report", "check"].contains(name) {
      let sarif = try #require(try JSONSerialization.jsonObject(with: Data(try output(arguments, "sarif").utf8)) as? [String: Any])
      #expect(sarif.text("version") == "2.1.0")
      let run = try #require((sarif["runs"] as? [[String: Any]])?.first)
      #expect((run["results"] as? [[String: Any]])?.isEmpty == false, "\(name)")
      let junit = try output(arguments, "junit")
      let count = try Program.run(
        "/usr/bin/python3", "-c", "import sys, xml.etree.ElementTree as e; print(len(e.fromstring(sys.stdin.read()).findall('.//testcase')))",
        input: junit)
      #expect(Int(count.dropLast()) ?? 0 > 5, "\(name)")
    }
  }

  static let hasSchemaValidator = (try? Program(["/usr/bin/python3", "-c", "import jsonschema"]).wait().status) == 0

  @Test(.enabled(if: hasSchemaValidator, "needs python3-jsonschema"))
  func `what every command prints fits the published schemas`() throws {
    let shapes = [
      ("flows", "flow.v1"), ("names", "name.v1"), ("vendors", nil), ("report", nil), ("check", "check-verdict"), ("replay", "flow.v1"),
      ("replay names", "name.v1"),
    ]
    let all = Dictionary(commands) { first, _ in first }
    for (name, shape) in shapes {
      let arguments = try #require(all[name])
      try validate(try output(arguments, "ndjson"), shape)
      if name != "check" { try validate(try output(arguments, "json"), "listing.v1") }
    }
    for format in ["json", "ndjson"] { try validate(try output(["audit"] + Sample.declared, format), nil) }
    for destination in ["api.segment.io", "203.0.113.222", "hooks.slack.com:443", "nobody.example"] {
      for whence in [["--db", database] + Sample.declared, ["--db", database], Sample.declared] {
        for format in ["json", "ndjson"] { try validate(try output(["explain", "shop/checkout", destination] + whence, format), nil) }
      }
    }
    for command in [["audit"] + Sample.declared, ["report", "--db", database] + Sample.declared] { try validate(try output(command, "sarif"), "sarif") }
    let doctor = try Program.egressObs("doctor", "--db", database, "-o", "ndjson")
    try validate(doctor.output, "diagnosis.v1")
  }

  private func validate(_ text: String, _ shape: String?) throws {
    let validator = try Program(["/usr/bin/python3", Sample.root + "/schemas/validate"] + (shape.map { [$0] } ?? []), input: text).wait()
    #expect(validator.status == 0, "\(shape ?? "own"): \(validator.errors.prefix(2000))")
  }

  /// Reads RFC 4180.
  private func fields(_ csv: String) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field = ""
    var isQuoted = false
    for character in csv {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        row.append(field)
        field = ""
      case "\n" where !isQuoted, "\r\n" where !isQuoted:
        rows.append(row + [field])
        (row, field) = ([], "")
      default: field.append(character)
      }
    }
    return rows
  }
}
