import EgressModel
import Host
import Kubernetes
import Logging
import ServiceLifecycle

/// Keeps what is declared in step with the cluster's API for as long as the daemon runs.
struct ClusterFollower: ServiceLifecycle.Service {
  let watch: ClusterWatch
  let declarations: Declarations
  let logger: Logger

  /// Several changes within this time are one.
  static let pause = Duration.milliseconds(200)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await watch.run() }
        group.addTask { await follow() }
      }
    }
  }

  private func follow() async {
    var told: [Resource: APIError] = [:]
    var hasSettled = false
    for await _ in watch.changes {
      let began = ContinuousClock.now
      let snapshot = watch.snapshot
      tell(snapshot.resources, &told)
      do {
        for error in try await declarations.take(snapshot) { logger.warning("\(error); this policy is not judged by") }
      } catch {
        logger.error("\(error)")
      }
      if !hasSettled, snapshot.isSettled {
        hasSettled = true
        Allocator.returnCode()
        logger.notice(
          "the cluster's API tells of \(snapshot.inventory.pods.count) pods here, \(snapshot.inventory.namespaces.count) namespaces, \(snapshot.policies.count) policies")
      }
      // A large cluster under churn costs a fifth of one core, not all of it.
      try? await Task.sleep(for: max(Self.pause, (ContinuousClock.now - began) * 4))
    }
  }

  /// Each trouble once, and its end.
  private func tell(_ resources: [ResourceStatus], _ told: inout [Resource: APIError]) {
    for status in resources where told[status.resource] != status.error {
      // What cannot be reached is one trouble, however its words change.
      if let error = status.error {
        if told[status.resource] == nil { logger.warning("\(status.resource): \(error)") }
      } else {
        logger.notice("\(status.resource): is read again")
      }
      told[status.resource] = status.error
    }
  }
}
