import ArgumentParser
import Drift
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
  @OptionGroup var judging: JudgingOptions
  @Option(
    name: .customLong("fail-on"),
    help: ArgumentHelp(
      "Exit 1 when one of these checks found something (unprotected,wide), or any did of this severity or a graver one (warning), separated by commas.",
      valueName: "checks"),
    transform: { try FailureBar(words: $0, called: "check") })
  var failOn: FailureBar<AuditFinding.Check> = []
  @OptionGroup var output: ReportOutputOptions

  func validate() throws {
    if input.policies.isEmpty { throw ValidationError("--policies is missing: name the manifests to audit.") }
  }

  func run() throws {
    let declared = try input.load(for: judging.engineOption.engine)
    let catalogue = try judging.catalogue()
    let report = AuditReport(Audit(policies: declared.policies, inventory: declared.inventory) { catalogue.sharing(below: $0) })
    StandardOutput.write(report.render(as: output.output, style: StandardOutput.style, failOn: failOn))
    if report.findings.contains(where: { failOn.isReached(by: $0.check, $0.severity) }) { throw ExitCode(1) }
  }
}
