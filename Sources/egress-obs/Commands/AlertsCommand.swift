import ArgumentParser
import EgressModel
import Host
import Reporting
import Storage

/// `egress-obs alerts`: the queue of alerts.
struct AlertsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts", abstract: "The alerts: list, show, retry, test.", subcommands: [List.self, Show.self, Retry.self, Test.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The alerts, oldest first, with what became of them.")

    @OptionGroup var database: DatabaseOption
    @Option(help: "Only those that are \(QueuedAlert.State.allCases.map(\.rawValue).joined(separator: ", ")).")
    var state: QueuedAlert.State?
    @Option(help: "Only the newest N.")
    var last: Int?
    @OptionGroup var output: OutputOptions

    func run() throws {
      let alerts = try Trouble.naming { try database.reader().alerts(state) }
      let shown = alerts.suffix(max(0, last ?? .max)).map(AlertSummary.init)
      StandardOutput.write(Listing.alerts.render(shown, as: output.output, style: StandardOutput.style))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One alert, as it is sent.")

    @Argument(help: "The alert's id, as list shows it.")
    var id: String
    @OptionGroup var database: DatabaseOption

    func run() throws {
      guard let alert = try Trouble.naming({ try database.reader().alert(id) }) else { throw Trouble(unknownAlert: id) }
      StandardOutput.write(alert.alert.payload + "\n")
    }
  }

  struct Retry: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes undelivered alerts due now; a daemon that runs on the database delivers them.")

    @Argument(help: "The ids of alerts, as list shows them.")
    var ids: [String] = []
    @Flag(help: "Every alert that was given up or still waits.")
    var all = false
    @OptionGroup var database: DatabaseOption

    func validate() throws {
      if ids.isEmpty != all { throw ValidationError("name the alerts to retry, or give --all.") }
    }

    func run() throws {
      // The reader refuses a path that is no database of ours before the writer could make one.
      let open = try Trouble.naming { try database.reader().alerts().filter { $0.state != .delivered } }
      let store = try Trouble.naming { try Store(path: database.db) }
      let wanted = all ? open.map(\.id) : ids
      for id in wanted {
        guard try Trouble.naming({ try store.retry(id, at: WallClock.now) }) else {
          throw Trouble("\(id): is no undelivered alert; see egress-obs alerts list --db \(database.db)")
        }
      }
      StandardError.write("\(wanted.count) due now\n")
    }
  }

  struct Test: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sends a made-up alert to the given hooks at once and says what came back.")

    @OptionGroup var hooks: HookOptions

    func validate() throws {
      if hooks.hooks.isEmpty { throw ValidationError("name a hook to test: --exec-hook PATH or --webhook URL.") }
    }

    func run() async throws {
      try hooks.check()
      let id = Alert.makeID()
      let now = WallClock.now
      let finding = Finding(
        kind: .new, severity: .info, title: "this is a test of egress-obs alerts; nothing was observed",
        workload: Workload(kind: .pod, namespace: "example", name: "web-1", owner: Workload.Owner(kind: "Deployment", name: "web")),
        destination: Destination(
          address: IPAddress(v4: 0xcb00_710a), port: 443, transport: .tcp,
          names: [NameEvidence(name: DomainName(presentation: "api.example.com"), source: .tlsSNI, confidence: .confirmed)]),
        firstSeen: now, lastSeen: now, flows: 1)
      let payload = Alerting.payload(of: finding, id: id, node: HostNetwork.nodeName, at: now).text
      var failed = 0
      for hook in hooks.hooks {
        do throws(HookError) {
          try await hooks.runner.deliver(payload, id: id, to: hook)
          StandardOutput.write("\(hook.key): delivered\n")
        } catch {
          failed += 1
          StandardOutput.write("\(hook.key): \(error)\n")
        }
      }
      if failed > 0 { throw Trouble("\(failed) of \(hooks.hooks.count) hooks failed; the daemon would try them again, with pauses of up to an hour") }
    }
  }
}

extension AlertSummary {
  private struct Payload: Decodable {
    var finding: FindingKind
    var severity: Severity
    var title: String
  }

  /// What the payload says is shown as far as it can be read; the alert is listed in any case.
  init(_ queued: QueuedAlert) {
    let payload = JSONLine.decode(Payload.self, queued.alert.payload)
    self.init(
      id: queued.id, time: queued.created, finding: payload?.finding ?? .new, severity: payload?.severity ?? .info,
      title: payload?.title ?? "(unreadable payload)", hook: queued.alert.hook, state: queued.state.rawValue, attempts: queued.attempts,
      nextAttempt: queued.state == .pending ? queued.nextAttempt : nil, lastError: queued.lastError)
  }
}

extension Trouble {
  init(unknownAlert id: String) {
    self.init("\(id): there is no such alert; see egress-obs alerts list")
  }
}
