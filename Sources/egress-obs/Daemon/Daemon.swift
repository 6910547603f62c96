import Capture
import EgressModel
import FoundationEssentials
import Flows
import Host
import Logging
import Reporting
import ServiceLifecycle
import Storage
import UnixSignals

/// `egress-obs run`, put together.
///
///     interface ─ CaptureLoop ┐
///     interface ─ CaptureLoop ┼ SharedMeter ─ Pump ─ Recorder ─ database ─ AlertDelivery ─ hooks
///     lo (DNS)  ─ CaptureLoop ┘
struct Daemon {
  let options: RunCommand
  private let logger: Logger

  /// Names heard in the last hour before a restart still name flows after it, as far as their time to live allows.
  private static let rememberedNames: Int64 = 3600 * 1_000_000_000

  init(options: RunCommand) {
    self.options = options
    var logger = Logger(label: "egress-obs") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = options.logLevel
    self.logger = logger
  }

  func run() async throws {
    let interfaces = try WatchedInterface.chosen(options.interface, bufferSize: Int32(options.buffer) << 20, cutsBulk: options.kernelFilter)
    let host = try Trouble.naming { try CurrentHost() }
    let cluster = try options.kubernetes.watch()
    let (read, annotate) = (declaredReader(), annotatorMaker(host))
    let files = try read()
    let annotator = try annotate(files)
    let started = WallClock.now
    let recorder = try await openRecorder(annotator, interfaces, at: started)
    let meter = SharedMeter(meterConfiguration(host, annotator.declared.inventory))
    let heard = try Trouble.naming { try StoreReader(path: options.db).recentNames(since: started.adding(nanoseconds: -Self.rememberedNames)) }
    meter.withMeter { meter in
      for name in heard { meter.learn(name) }
      meter.services = annotator.declared.inventory.serviceAddresses
    }

    let pods = KnownPods(of: host)
    pods.note(annotator.pods)
    let declarations = Declarations(files: files, recorder: recorder, meter: meter, host: host, given: options.local, pods: pods, read: read, annotator: annotate)
    let starts = ConnectionStarts(of: host, logger: logger)
    let counters = DaemonCounters()
    let notifier = SystemdNotifier(environment: ProcessInfo.processInfo.environment)
    let printer = options.quiet ? nil : ListingPrinter(.flows, format: .table)
    let pump = Pump(
      meter: meter, recorder: recorder, configuration: pumpConfiguration(host, starts, cluster == nil ? nil : pods, counters), notifier: notifier, logger: logger,
      onOutcome: { outcome in printer?.print(outcome.new.filter { $0.scope == .external || $0.scope == .private }) })
    let readiness = Readiness(
      interfaces: interfaces.map(\.name), notifier: notifier, logger: logger, counters: counters,
      message: "watching \(WatchedInterface.summary(of: interfaces)); in another terminal: egress-obs report --db \(options.db)")
    let captures = interfaces.map { interface in
      CaptureLoop(interface: interface, meter: meter, starts: starts) { event in
        readiness.note(event)
        Task { await pump.note(event) }
      }
    }
    // A stop goes through them from the last to the first: capture ends, then what the meter holds is recorded, then delivery ends.
    var services: [any ServiceLifecycle.Service] = [
      AlertDelivery(recorder: recorder, hooks: options.hooks.hooks, runner: options.hooks.runner, counters: counters, logger: logger), pump,
      PolicyReload(declarations: declarations, notifier: notifier, logger: logger),
      HostFollower(host: host, declarations: declarations, meter: meter, logger: logger),
    ]
    if let cluster { services.append(ClusterFollower(watch: cluster, declarations: declarations, logger: logger)) }
    if let address = options.metrics {
      let page = MetricsPage(counters: counters, meter: meter, cluster: cluster, database: options.db)
      services.append(MetricsServer(address: address, page: page, counters: counters, logger: logger))
    }
    services += captures
    do {
      try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quietLogger).run()
    } catch let trouble as Trouble {
      throw trouble
    } catch {
      throw Trouble("\(error)")
    }
    let statistics = meter.statistics
    logger.notice("stopped: \(statistics.delivered) packets, \(statistics.dropped) dropped")
  }

  private func declaredReader() -> @Sendable () throws -> Declared {
    let (input, engine) = (options.input, options.judging.engineOption.engine)
    return { try input.load(for: engine) }
  }

  private func annotatorMaker(_ host: CurrentHost) -> @Sendable (Declared) throws -> Annotator {
    let (judging, given) = (options.judging, options.local)
    return { declared in
      let network = host.now
      let podBlocks = declared.inventory.nodes.flatMap(\.podCIDRs)
      return judging.annotator(declared: declared, catalogue: try judging.catalogue(), local: network.local + given + podBlocks, nodeAddresses: Array(network.addresses))
    }
  }

  private func openRecorder(_ annotator: Annotator, _ interfaces: [WatchedInterface], at started: Timestamp) async throws -> Recorder {
    let store = try Trouble.naming { try Store(path: options.db) }
    // A restart does not cut the learning short.
    let first = try Trouble.naming { try StoreReader(path: options.db).runs().first { $0.description.kind == .live }?.started }
    let recorder = Recorder(store: store, annotator: annotator, alerting: alerting(learningFrom: first ?? started))
    let run = RunDescription(kind: .live, node: HostNetwork.nodeName, version: EgressObs.version, interfaces: interfaces.map(\.name))
    do {
      if let gap = try await recorder.begin(run, at: started) {
        logger.notice("nobody watched from \(gap.from) to \(gap.until): \(gap.reason)")
      }
    } catch {
      throw Trouble("\(error)")
    }
    return recorder
  }

  /// - Parameter start: when anybody first watched into this database; what is usual is learned from there.
  private func alerting(learningFrom start: Timestamp) -> Alerting? {
    let hooks = options.hooks.hooks
    guard !hooks.isEmpty else { return nil }
    return Alerting(
      hooks: hooks, kinds: options.alertOn, quietUntil: start.adding(nanoseconds: options.learningWindow.nanoseconds),
      groupingWindow: options.groupingWindow, node: HostNetwork.nodeName)
  }

  private func meterConfiguration(_ host: CurrentHost, _ inventory: Inventory) -> FlowMeterConfiguration {
    let network = host.now
    var configuration = FlowMeterConfiguration(seed: .random(in: 0 ... .max))
    configuration.capacity = options.maxFlows
    configuration.activeTimeout = 60 * FlowMeterConfiguration.second
    configuration.local = network.local + options.local
    configuration.clients = inventory.clients(besides: Array(network.addresses))
    // A pod that hides its egress in a tunnel must not be believed what is inside.
    configuration.tunnelEnds = network.addresses.map { IPPrefix($0) } + options.local
    return configuration
  }

  private func pumpConfiguration(_ host: CurrentHost, _ starts: ConnectionStarts, _ pods: KnownPods?, _ counters: DaemonCounters) -> Pump.Configuration {
    var nameservers: [SocketAddress]?
    if options.reverseDNS {
      do {
        nameservers = try ResolverConfiguration.current().nameservers
      } catch {
        logger.notice("no reverse DNS: \(error)")
      }
    }
    return Pump.Configuration(
      database: options.db,
      retention: RetentionLimits(
        age: options.keepEndpoints.nanoseconds, flowsAge: options.keepFlows.nanoseconds, maximumBytes: UInt64(options.maxSize) << 20),
      host: host, starts: starts, pods: pods, nameservers: nameservers, counters: counters)
  }

  /// The service group tells of every step at levels meant for its own developers.
  private var quietLogger: Logger {
    var quiet = logger
    if quiet.logLevel > .debug { quiet.logLevel = .critical }
    return quiet
  }
}
