import ArgumentParser
import Drift
import EgressModel
import Flows
import Host
import Policy
import Reporting
import Storage

/// `egress-obs replay`: the daemon's pipeline over capture files.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Runs the same pipeline over pcap and pcapng files.",
    discussion: """
      Without -o it ends with the third parties, the findings and how far they can be trusted; with any other format it prints the flows.
      The result is kept in a temporary database unless --db names one, which report, vendors and flows then read.
      """)

  /// What is printed.
  enum Emission: String, ExpressibleByArgument, CaseIterable {
    case summary, flows, names, nothing
  }

  @Argument(help: ArgumentHelp("Capture files, or - for standard input.", valueName: "capture"))
  var captures: [String]
  @OptionGroup var input: InputOptions
  @OptionGroup var judging: JudgingOptions
  @Option(help: ArgumentHelp("Keep the result in this database.", valueName: "file"))
  var db: String?
  @Option(
    help: ArgumentHelp("Initiators in this block are local, all others are no egress; may be repeated. Without it every initiator is local.", valueName: "cidr"))
  var local: [IPPrefix] = []
  @Option(help: "What to print; by default a summary as table, and flows in every other format.")
  var emit: Emission?
  @OptionGroup var failing: FailOnOption
  @OptionGroup var filters: FilterOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if captures.count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input (-) can be read only once.") }
    if emit == .summary, !output.output.isForPeople { throw ValidationError("--emit summary is for people; use report -o \(output.output.rawValue).") }
  }

  func run() async throws {
    let declared = try input.load(for: judging.engineOption.engine)
    let catalogue = try judging.catalogue()
    let annotator = judging.annotator(declared: declared, catalogue: catalogue, local: local.isEmpty ? nil : local)
    let store = try Trouble.naming { if let db { try Store(path: db) } else { try Store.temporary() } }
    let path = store.path
    let filter = filters.filter(now: WallClock.now)
    let recorder = Recorder(store: store, annotator: annotator, keepsFindings: false)

    let emission = emit ?? (output.output == .table ? .summary : .flows)
    let flows = emission == .flows ? ListingPrinter(.flows, format: output.output) : nil
    let names = emission == .names ? ListingPrinter(.names, format: output.output) : nil
    var replay = Replay(recorder: recorder, framesPerBatch: db == nil ? 8_192 : 32_768, progress: Progress(paths: captures)) { outcome in
      flows?.print(outcome.flows.lazy.filter { filter.matches($0.filterSubject) })
      names?.print(outcome.names.lazy.filter { filter.matches($0.filterSubject) })
    }
    var configuration = FlowMeterConfiguration(seed: .random(in: 0 ... .max))
    configuration.local = local
    configuration.reportsStarts = false
    configuration.clients = declared.inventory.clients()
    let errors: [any Error]
    do {
      _ = try await recorder.begin(RunDescription(kind: .replay, version: EgressObs.version), at: WallClock.now)
      errors = try await replay.run(captures, configuration: configuration)
    } catch {
      throw Trouble("\(error)")
    }
    flows?.end()
    names?.end()

    if errors.isEmpty || replay.hasRead, emission == .summary || !failing.bar.isEmpty {
      Allocator.returnFreeMemory()
      let report = try DriftReport(
        try Trouble.naming { try StoreReader(path: path) }, declared: declared, catalogue: catalogue, matching: filter)
      if emission == .summary { StandardOutput.write(report.summaryText(output.output, database: db)) }
      guard errors.isEmpty else { throw Trouble(listing: errors) }
      if report.findings.contains(where: { failing.bar.isReached(by: $0.kind, $0.severity) }) { throw ExitCode(1) }
    }
    guard errors.isEmpty else { throw Trouble(listing: errors) }
    // A temporary database goes with its store, which must live to here.
    withExtendedLifetime(recorder) {}
  }
}

extension DriftReport {
  /// How many third parties and how many findings a person is shown before being told how to see the rest.
  static let summaryLimit = 40

  /// Third parties, findings, coverage.
  func summaryText(_ format: OutputFormat, database: String?) -> String {
    let style = StandardOutput.style
    let ask = database.map { "egress-obs report --db \($0)" } ?? "replay --db FILE, then egress-obs report --db FILE"
    func rest(_ count: Int) -> String { count > Self.summaryLimit ? "… and \(count - Self.summaryLimit) more: \(ask)\n" : "" }
    var text = ""
    if !vendors.isEmpty {
      text += Listing.vendors.render(vendors.prefix(Self.summaryLimit), as: format, style: style) + rest(vendors.count) + "\n"
    }
    if !findings.isEmpty {
      text += Listing.findings(rules: rules).render(findings.prefix(Self.summaryLimit), as: format, style: style) + rest(findings.count)
    }
    return text + CoverageText.text(coverage)
  }
}
