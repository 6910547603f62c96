import ArgumentParser
import Drift
import EgressModel
import Host
import Policy
import Reporting
import Storage

/// `egress-obs report`: what was observed against what the policies allow.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Drift: what was observed against what the policies allow.",
    discussion: """
      With --policies everything is judged anew; without, by the verdicts that the daemon kept.
      The exit code is 0 unless --fail-on names a finding that is there (1), or something is wrong (2).
      """)

  @OptionGroup var database: DatabaseOption
  @OptionGroup var input: InputOptions
  @OptionGroup var judging: JudgingOptions
  @Option(help: ArgumentHelp("What was approved, by `approve`: it is not new until it expires; may be repeated.", valueName: "file"))
  var baseline: [String] = []
  @OptionGroup var failing: FailOnOption
  @OptionGroup var filters: FilterOptions
  @OptionGroup var output: ReportOutputOptions

  func run() throws {
    let declared = try input.load(for: judging.engineOption.engine)
    let approvals = try baseline.map(Approvals.load).reduce(into: Approvals()) { all, next in for approval in next.list { all.add(approval) } }
    let reader = try database.reader()
    let now = WallClock.now
    var report = try DriftReport(
      reader, declared: declared, catalogue: judging.catalogue(), matching: filters.filter(now: now), approvals: approvals, at: now)
    if output.output.showsSamples { try Trouble.naming { try report.attachSamples { try reader.samples(of: $0) } } }
    StandardOutput.write(report.render(as: output.output, style: StandardOutput.style, failOn: failing.bar))
    if report.findings.contains(where: { failing.bar.isReached(by: $0.kind, $0.severity) }) { throw ExitCode(1) }
  }
}

extension DriftReport {
  /// Reports on what a database holds of a window: judged by the declared policies or, without any, by the verdicts kept with the endpoints.
  init(
    _ reader: StoreReader, declared: Declared, catalogue: VendorCatalogue, matching filter: RecordFilter, approvals: Approvals = Approvals(),
    at time: Timestamp = Timestamp(nanoseconds: 0)
  ) throws {
    let observations = try Trouble.naming { try Observations(reader, from: filter.since, until: filter.until) }
    if observations.countsWholeLife {
      StandardError.write("egress-obs: single flows are not kept that far back; counts are of each endpoint's whole life\n")
    }
    var endpoints = observations.endpoints.judged(by: declared)
    let selection = filter.ignoringFindings
    if selection.hasCriteria { endpoints.removeAll { !selection.matches($0.filterSubject) } }
    self.init(
      endpoints: endpoints, judge: nil, policies: declared.hasPolicies ? declared.policies : nil,
      coverage: observations.coverage, catalogue: catalogue, isWholeWindow: !selection.hasCriteria, approvals: approvals, at: time,
      isNew: observations.isNew)
    findings.removeAll { !filter.admits($0.kind) }
    if let last = filter.last { findings = Array(findings.prefix(last)) }
  }
}

extension StoreReader {
  /// Up to three flows behind a finding.
  func samples(of finding: Finding) throws -> [FlowRecord] {
    guard let workload = finding.workload, let destination = finding.destination else { return [] }
    return try sampleFlows(
      Endpoint(
        workload: workload, name: destination.names.first, address: destination.address, port: destination.port,
        transport: destination.transport, scope: .external, firstSeen: finding.firstSeen ?? Timestamp(nanoseconds: 0),
        lastSeen: finding.lastSeen ?? Timestamp(nanoseconds: 0)))
  }
}
