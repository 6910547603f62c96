import ArgumentParser
import EgressModel
import Policy
import Reporting

/// `egress-obs check`: verdicts for given flows under given policies, without a network, for CI.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Judges given flows under given policies, offline, for CI.",
    discussion: """
      A flow is one JSON object a line: {"id":"f1","from":"shop/cart-1","to":{"ip":"203.0.113.10","port":443,"name":"api.example.net"},"protocol":"tcp"}
      With --expect (lines of {"id":"f1","decision":"denied"}) every difference is listed, and the exit code is 1 when there is one.
      """)

  @OptionGroup var input: InputOptions
  @Option(help: ArgumentHelp("The flows to judge, or - for standard input.", valueName: "file"))
  var flows: String
  @Option(help: ArgumentHelp("The decisions that must come out.", valueName: "file"))
  var expect: String?
  @Option(
    name: .customLong("fail-on"),
    help: ArgumentHelp("Exit 1 when a flow of which nothing is expected gets one of these verdicts (denied,undecidable), separated by commas.", valueName: "verdicts"),
    transform: { try Set(words: $0, called: "verdict") })
  var failOn: Set<Verdict.Decision> = []
  @OptionGroup var engine: EngineOption
  @OptionGroup var output: ReportOutputOptions

  func validate() throws {
    if input.policies.isEmpty { throw ValidationError("--policies is missing: name the manifests to judge by.") }
    if (input.policies + input.inventory + [flows, expect ?? ""]).count(where: { $0 == "-" }) > 1 {
      throw ValidationError("standard input (-) can be read only once.")
    }
  }

  func run() throws {
    let declared = try input.load(for: engine.engine)
    let judge = Judge(policies: declared.policies, inventory: declared.inventory)
    let (queries, errors) = FlowQuery.read(try InputFile.one(at: flows), file: flows)
    guard errors.isEmpty else { throw Trouble(listing: errors) }
    let expected = try expect.map { try Expectation.read($0, covering: queries) } ?? [:]
    let results = queries.map { query in
      CheckResult(
        id: query.id, workload: query.from, destination: query.destination, verdict: judge.judge(query.from, query.destination),
        expected: expected[query.id])
    }
    let report = CheckReport(results: results, policies: declared.policies, failOn: failOn)
    StandardOutput.write(report.render(as: output.output, style: StandardOutput.style))
    for result in report.mismatches {
      StandardError.write("egress-obs: \(result.id): expected \(result.expected?.rawValue ?? ""), is \(result.verdict.decision.rawValue)\n")
    }
    if !report.mismatches.isEmpty || !report.failures.isEmpty { throw ExitCode(1) }
  }
}

/// A line of `--expect`.
struct Expectation: Decodable {
  var id: String
  var decision: Verdict.Decision

  /// Reads all expectations; every one must be about a flow that was asked for, or a typing error would pass for success.
  static func read(_ path: String, covering queries: [FlowQuery]) throws -> [String: Verdict.Decision] {
    let known = Set(queries.map(\.id))
    var expected: [String: Verdict.Decision] = [:]
    for (number, line) in try InputFile.one(at: path).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      guard let expectation = JSONLine.decode(Expectation.self, line) else {
        throw Trouble(
          "\(path):\(number + 1): is no expectation; write {\"id\":\"f1\",\"decision\":\"allowed\"} with one of "
            + Verdict.Decision.allCases.map(\.rawValue).joined(separator: ", "))
      }
      guard known.contains(expectation.id) else { throw Trouble("\(path):\(number + 1): no flow has the id \(expectation.id)") }
      guard expected.updateValue(expectation.decision, forKey: expectation.id) == nil else {
        throw Trouble("\(path):\(number + 1): the id \(expectation.id) stands twice")
      }
    }
    return expected
  }
}
