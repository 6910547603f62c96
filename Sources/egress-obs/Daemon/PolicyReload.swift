import Host
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads policies and inventory again at every SIGHUP. With errors in them the old ones stay.
struct PolicyReload: ServiceLifecycle.Service {
  let declarations: Declarations
  let notifier: SystemdNotifier?
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      try? notifier?.notify(.reloading)
      do {
        let count = try await declarations.reload()
        logger.notice("policies read again: \(count)")
      } catch let trouble as Trouble {
        logger.error("\(trouble.message)\nthe policies of before stay in force")
      } catch {
        logger.error("\(error)\nthe policies of before stay in force")
      }
      try? notifier?.notify(.ready)
    }
  }
}
