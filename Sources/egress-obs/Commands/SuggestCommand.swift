import ArgumentParser
import Drift
import EgressModel
import Host
import Policy
import Reporting
import Storage

/// `egress-obs suggest`: the least policy for what a workload was seen to do.
struct SuggestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "suggest", abstract: "The least policy that allows what was observed, in any supported dialect.",
    discussion: """
      Prints a manifest with the evidence in comments; it is parsed and judged again before it is printed. What should not be allowed is left out by
      filters (--not --name api.segment.io). Less than a day, gaps and drops are refused without --force.
      """)

  @Argument(help: ArgumentHelp("shop/web, shop/Deployment/web, a namespace, systemd/nginx.service or container/db.", valueName: "workload"))
  var whom: String
  @Option(help: "\(PolicyDialect.allCases.map(\.rawValue).joined(separator: ", ")); by default networkpolicy for pods, egresspolicy for hosts.")
  var dialect: PolicyDialect?
  @Flag(help: "Suggest even though too little was seen.")
  var force = false
  @OptionGroup var database: DatabaseOption
  @OptionGroup var input: InputOptions
  @OptionGroup var judging: JudgingOptions
  @OptionGroup var filters: FilterOptions

  func run() throws {
    let declared = try input.load(for: judging.engineOption.engine)
    let filter = filters.filter(now: WallClock.now)
    let reader = try database.reader()
    let (subject, endpoints, coverage) = try Trouble.naming {
      let observations = try Observations(reader, from: filter.since, until: filter.until)
      let endpoints = observations.endpoints.judged(by: declared)
      let subject = try SuggestionSubject(whom, among: endpoints)
      let selection = filter.ignoringFindings
      return (subject, endpoints.filter { subject.contains($0.workload) && selection.matches($0.filterSubject) }, observations.coverage)
    }
    let doubts = coverage.doubts
    if !doubts.isEmpty, !force {
      throw Trouble("too little was seen to suggest a policy: \(doubts.joined(separator: "; ")) (watch longer, or say --force)")
    }
    let suggestion = try Trouble.naming {
      try Suggestion(
        for: subject, from: endpoints, in: dialect ?? subject.usualDialect, inventory: declared.inventory,
        rotating: RotatingNames.parents(in: endpoints, catalogue: judging.catalogue()),
        remarks: ["Seen \(coverage.from) to \(coverage.until)."] + CoverageText.lines(coverage) + doubts.map { "doubt: \($0)" })
    }
    StandardOutput.write(suggestion.text)
    for line in suggestion.leftOut { StandardError.write("egress-obs: left out: \(Escaping.terminal(line))\n") }
  }
}

extension SuggestionSubject {
  fileprivate var usualDialect: PolicyDialect {
    if case .host = self { .egressPolicy } else { .networkPolicy }
  }
}
