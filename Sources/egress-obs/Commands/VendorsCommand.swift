import ArgumentParser
import Drift
import EgressModel
import Host
import Reporting
import Storage

/// `egress-obs vendors`: the third parties, by workload, with bytes and how they were named.
struct VendorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vendors", abstract: "The third parties: who talks to them, how much, under which rule, and how they were named.")

  @OptionGroup var database: DatabaseOption
  @OptionGroup var input: InputOptions
  @OptionGroup var judging: JudgingOptions
  @OptionGroup var filters: FilterOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let declared = try input.load(for: judging.engineOption.engine)
    let filter = filters.filter(now: WallClock.now)
    var report = try DriftReport(
      try database.reader(), declared: declared, catalogue: judging.catalogue(), matching: filter)
    if let last = filter.last { report.vendors = Array(report.vendors.prefix(last)) }
    StandardOutput.write(report.renderVendors(as: output.output, style: StandardOutput.style))
  }
}
