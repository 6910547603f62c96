import ArgumentParser
import Capture
import EgressModel
import Host
import Logging

/// `egress-obs run`: the daemon.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "The daemon: captures, names, attributes, stores, judges and alerts.",
    discussion: """
      Needs CAP_NET_RAW (see egress-obs doctor). Prints a line for every endpoint that a workload uses for the first time.
      SIGHUP reads the policies again; SIGTERM and SIGINT write down what is known and end it.
      """)

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "An interface; may be repeated. Without it every one that is there or comes, each packet counted once.",
      valueName: "name"))
  var interface: [String] = []
  @Option(help: "The database.")
  var db = DatabaseOption.defaultPath
  @OptionGroup var input: InputOptions
  @OptionGroup var judging: JudgingOptions
  @OptionGroup var kubernetes: KubernetesOptions
  @Option(help: ArgumentHelp("Initiators in this block are local, besides this host's own addresses and the networks behind it; may be repeated.", valueName: "cidr"))
  var local: [IPPrefix] = []
  @OptionGroup var hooks: HookOptions
  @Option(
    help: ArgumentHelp("The findings to alert on, separated by commas.", valueName: "findings"), transform: { try Set(words: $0, called: "finding") })
  var alertOn: Set<FindingKind> = [.new]
  @Option(help: "With a new database: how long to learn what is usual before alerts are sent.")
  var learningWindow: TimeSpan = .seconds(3600)
  @Option(help: "Alerts on one vendor within this time are one alert.")
  var groupingWindow: TimeSpan = .seconds(3600)
  @Option(help: "How long single flows are kept.")
  var keepFlows: TimeSpan = .seconds(7 * 86_400)
  @Option(help: "How long endpoints, names and findings are kept.")
  var keepEndpoints: TimeSpan = .seconds(400 * 86_400)
  @Option(help: ArgumentHelp("The largest the database may become, in MiB.", valueName: "mib"))
  var maxSize = 2048
  @Option(help: ArgumentHelp("The largest capture buffer of an interface, in MiB; with the kernel filter it begins with 12.", valueName: "mib"))
  var buffer = 32
  @Option(help: "The most flows held in memory.")
  var maxFlows = 262_144
  @Flag(inversion: .prefixedNo, help: "Ask reverse DNS for addresses that nothing else names; a hint only.")
  var reverseDNS = true
  @Flag(inversion: .prefixedNo, help: "Let the kernel cut bulk data to its headers.")
  var kernelFilter = true
  @Option(
    help: ArgumentHelp(
      "Serve metrics for Prometheus at /metrics, and /healthz and /readyz, by HTTP on this address; 127.0.0.1:9477 is for this host alone.", valueName: "address:port"))
  var metrics: ListenAddress?
  @Flag(help: "Print nothing but logs.")
  var quiet = false
  @Option(help: "The least severe log message to write.")
  var logLevel: Logger.Level = .notice

  func validate() throws {
    if maxSize < 1 { throw ValidationError("--max-size \(maxSize): give 1 or more MiB.") }
    if !(1...1024).contains(buffer) { throw ValidationError("--buffer \(buffer): give 1 to 1024 MiB.") }
    if !(1024...16_777_216).contains(maxFlows) { throw ValidationError("--max-flows \(maxFlows): give 1024 to 16777216.") }
  }

  func run() async throws {
    try hooks.check()
    try await Daemon(options: self).run()
  }
}
