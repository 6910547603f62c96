import ArgumentParser
import EgressModel
import Policy
import Reporting

/// `egress-obs audit`: what is to be said of the policies alone, offline, for CI.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Findings in the policies alone, offline, for CI.",
    discussion: """
      Without --inventory nothing is said of namespaces and selectors. The exit code is 0 unless --fail-on names a check that found something (1),
      or something is wrong (2). Checks: \(AuditFinding.Check.allCases.map(\.rawValue).joined(separator: ", ")).
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var engine: EngineOption
  @Option(
    name: .customLong("fail-on"), help: ArgumentHelp("Exit 1 when one of these checks found something (unprotected,wide), separated by commas.", valueName: "checks"),
    transform: AuditFinding.Check.list)
  var failOn: Set<AuditFinding.Check> = []
  @OptionGroup var output: ReportOutputOptions

  func validate() throws {
    if input.policies.isEmpty { throw ValidationError("--policies is missing: name the manifests to audit.") }
  }

  func run() throws {
    let declared = try input.load(for: engine.engine)
    let report = AuditReport(Audit(policies: declared.policies, inventory: declared.inventory))
    StandardOutput.write(report.render(as: output.output, style: StandardOutput.style, failOn: failOn))
    if report.findings.contains(where: { failOn.contains($0.check) }) { throw ExitCode(1) }
  }
}

extension AuditFinding.Check {
  /// Reads words separated by commas.
  @Sendable static func list(_ text: String) throws -> Set<AuditFinding.Check> {
    try Set(
      text.split(separator: ",").map { word in
        guard let check = AuditFinding.Check(rawValue: String(word)) else {
          throw ValidationError("\(word) is no check; there is: \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return check
      })
  }
}
