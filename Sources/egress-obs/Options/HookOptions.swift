import ArgumentParser
import EgressModel
import FoundationEssentials

/// Where alerts go and how patient we are with it.
struct HookOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A program that gets each alert as JSON on its standard input; no shell; may be repeated.", valueName: "path"))
  var execHook: [String] = []
  @Option(help: ArgumentHelp("An http or https address that gets each alert by POST; may be repeated. EGRESS_OBS_WEBHOOK_TOKEN is sent as bearer token.", valueName: "url"))
  var webhook: [String] = []
  @Option(help: "How long a hook may take.")
  var hookTimeout: TimeSpan = .seconds(10)

  func validate() throws {
    for path in execHook where !path.hasPrefix("/") {
      throw ValidationError("--exec-hook \(path): give the absolute path of a program; arguments belong in a script of your own.")
    }
    for url in webhook where !url.hasPrefix("http://") && !url.hasPrefix("https://") {
      throw ValidationError("--webhook \(url): give an address that begins with http:// or https://.")
    }
    if hookTimeout.nanoseconds <= 0 { throw ValidationError("--hook-timeout: give more than 0s.") }
  }

  var hooks: [Hook] { execHook.map(Hook.exec) + webhook.map(Hook.webhook) }

  var runner: HookRunner {
    HookRunner(timeout: hookTimeout, bearerToken: ProcessInfo.processInfo.environment["EGRESS_OBS_WEBHOOK_TOKEN"])
  }

  /// Programs that are not there are told at once, not at the first alert.
  func check() throws {
    for path in execHook where !FileManager.default.isExecutableFile(atPath: path) {
      throw Trouble("--exec-hook \(path): is not an executable file; check the path, or chmod +x it")
    }
  }
}
