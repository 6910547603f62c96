import ArgumentParser
import Host

@main
struct EgressObs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "egress-obs",
    abstract: "Names every third party your workloads talk to, and says whether policy allows it.",
    version: version,
    subcommands: [
      RunCommand.self, ReplayCommand.self, ReportCommand.self, VendorsCommand.self, FlowsCommand.self, ExplainCommand.self, CheckCommand.self, AuditCommand.self,
      SuggestCommand.self, ApproveCommand.self, AlertsCommand.self, DoctorCommand.self,
    ])

  static let version = "0.1.0"

  /// Exit codes: 0 done, 1 findings at or above a bar, 2 trouble, 64 wrong usage.
  ///
  /// On the main thread, where `run` gives up rights before there is another one.
  @MainActor static func main() async {
    do {
      var command = try parseAsRoot(NegatedFilters.rewrite(Array(CommandLine.arguments.dropFirst())))
      // A replay meters and stores side by side: both allocate all the time, and would wait for each other.
      Allocator.limitHeaps(to: command is ReplayCommand ? 3 : 1)
      if let run = command as? RunCommand {
        Allocator.returnLargeBlocks(from: 128 << 10)
        RunPrivileges.reduce(database: run.db)
      }
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let trouble as Trouble {
      StandardError.write("egress-obs: \(trouble.message)\n")
      exit(withError: ExitCode(2))
    } catch {
      exit(withError: error)
    }
  }
}
