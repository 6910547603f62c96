import Flows
import Host
import Logging
import Policy
import ServiceLifecycle
import UnixSignals

/// Reads policies and inventory again at every SIGHUP. With errors in them the old ones stay.
struct PolicyReload: ServiceLifecycle.Service {
  let recorder: Recorder
  let meter: SharedMeter
  let host: HostNetwork
  let notifier: SystemdNotifier?
  let logger: Logger
  let makeAnnotator: @Sendable () throws -> Annotator

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      try? notifier?.notify(.reloading)
      do {
        let annotator = try makeAnnotator()
        await recorder.replace(annotator: annotator)
        meter.withMeter { $0.clients = annotator.declared.inventory.clients(besides: host.addresses) }
        logger.notice("policies read again: \(annotator.declared.policies.count)")
      } catch let trouble as Trouble {
        logger.error("\(trouble.message)\nthe policies of before stay in force")
      } catch {
        logger.error("\(error)\nthe policies of before stay in force")
      }
      try? notifier?.notify(.ready)
    }
  }
}
