import Dispatch
import EgressModel
import Flows
import Host
import Logging
import ServiceLifecycle

/// Follows this host's links and addresses for as long as the daemon runs.
struct HostFollower: ServiceLifecycle.Service {
  let host: CurrentHost
  let declarations: Declarations
  let meter: SharedMeter
  let logger: Logger

  /// Several changes within this time are one.
  static let pause = Duration.milliseconds(200)

  func run() async throws {
    let stop = Latch()
    let (changes, changed) = AsyncStream.makeStream(of: [LinkChange].self, bufferingPolicy: .bufferingNewest(256))
    DispatchQueue(label: "links").async { watch(until: stop, changed) }
    await cancelWhenGracefulShutdown {
      for await links in changes {
        tell(links)
        await refresh()
        try? await Task.sleep(for: Self.pause)
      }
    }
    stop.set()
    // Where links cannot be followed, the rest goes on.
    try await gracefulShutdown()
  }

  private func watch(until stop: Latch, _ changed: AsyncStream<[LinkChange]>.Continuation) {
    defer { changed.finish() }
    do {
      let monitor = try LinkMonitor()
      while !stop.isSet {
        if let links = try monitor.changes(waiting: 250) { changed.yield(links) }
      }
    } catch {
      logger.warning("\(error); addresses of this host that come later are not known")
    }
  }

  private func tell(_ links: [LinkChange]) {
    for change in links {
      switch change {
      case .appeared(let link): logger.debug("interface \(link.name) is there")
      case .disappeared(let link):
        meter.withMeter { $0.linkIsGone(link.index) }
        logger.debug("interface \(link.name) is gone")
      case .changed(_, let link): logger.debug("interface \(link.name) is \(link.isUp ? "up" : "down")\(link.isUp && !link.isRunning ? ", without a carrier" : "")")
      }
    }
  }

  private func refresh() async {
    do {
      guard let before = try host.refresh() else { return }
      try await declarations.hostChanged(from: before)
    } catch {
      logger.warning("\(error); who is local is as it was before")
    }
  }
}
