import EgressModel
import Flows
import Host
import Storage

/// Puts what reverse DNS says on flows to third parties that nothing else names: a hint, never more.
///
/// A flow waits a little for its answer and then goes on without it.
struct ReverseNames: ~Copyable {
  /// How long a flow waits, in nanoseconds.
  static let patience: Int64 = 2_500_000_000
  /// Flows that wait at once; the next ones go on without.
  static let capacity = 4096

  private let resolver: ReverseResolver
  private var waiting: [(record: FlowRecord, until: Timestamp)] = []
  /// Our own sockets: a port of ours is ours only on this host's addresses.
  private var ignored: Set<SocketAddress> = []
  private let host: CurrentHost

  init(nameservers: [SocketAddress], of host: CurrentHost) throws(HostError) {
    self.host = host
    resolver = try ReverseResolver(nameservers: nameservers)
  }

  /// Leaves our own queries out of the record, sends what is due and reads what came back.
  ///
  /// - Returns: the answers to keep over a restart.
  mutating func step(at now: Timestamp, excludingFrom meter: SharedMeter) -> [(IPAddress, CachedPointer, until: Timestamp)] {
    let ports = resolver.localPorts
    let ours = Set(host.now.addresses.flatMap { address in ports.map { SocketAddress(ip: address, port: $0) } })
    if ours != ignored {
      let (added, removed) = (ours.subtracting(ignored), ignored.subtracting(ours))
      meter.withMeter { meter in
        for end in removed { meter.observeAgain(end, transport: .udp) }
        for end in added { meter.ignore(end, transport: .udp) }
      }
      ignored = ours
    }
    return resolver.step(at: now).compactMap { answer in
      switch answer.name {
      case .named(let names): names.first.map { (answer.address, .name($0), until: now.adding(nanoseconds: Self.cacheLifetime)) }
      case .unnamed: (answer.address, .nothing, until: now.adding(nanoseconds: Self.cacheLifetime))
      case .unanswered: nil
      }
    }
  }

  /// Takes records, gives those that are ready: named by something better, known, answered, or out of patience.
  ///
  /// - Parameter cached: what an earlier run learned.
  mutating func pass(_ records: [FlowRecord], at now: Timestamp, cached: [IPAddress: CachedPointer]) -> [FlowRecord] {
    var ready: [FlowRecord] = []
    for record in records {
      if let named = named(record, at: now, cached: cached) {
        ready.append(named)
      } else if waiting.count < Self.capacity, resolver.ask(record.destination.ip, at: now) {
        waiting.append((record, now.adding(nanoseconds: Self.patience)))
      } else {
        ready.append(record)
      }
    }
    var still: [(record: FlowRecord, until: Timestamp)] = []
    for (record, until) in waiting {
      if let named = named(record, at: now, cached: [:]) {
        ready.append(named)
      } else if now >= until || until.since(now) > Self.patience {
        ready.append(record)
      } else {
        still.append((record, until))
      }
    }
    waiting = still
    return ready
  }

  /// Everything that waits, as it is; for the end.
  mutating func giveUp() -> [FlowRecord] {
    defer { waiting = [] }
    return waiting.map(\.record)
  }

  static func wants(_ record: FlowRecord) -> Bool {
    let address = record.destination.ip
    return record.name == nil && !address.isPrivate && !address.isLoopback && !address.isLinkLocal && !address.isMulticast && !address.isBroadcast
  }

  /// The record with its hint, if there is nothing to wait for.
  private func named(_ record: FlowRecord, at now: Timestamp, cached: [IPAddress: CachedPointer]) -> FlowRecord? {
    guard Self.wants(record) else { return record }
    var record = record
    switch resolver.name(of: record.destination.ip, at: now) {
    case .named(let names)?: record.names.insert(contentsOf: names.map { NameEvidence(name: $0, source: .ptr, confidence: .hint) }, at: 0)
    case .unnamed?, .unanswered?: break
    case nil:
      switch cached[record.destination.ip] {
      case .name(let name)?: record.names.insert(NameEvidence(name: name, source: .ptr, confidence: .hint), at: 0)
      case .nothing?: break
      case nil: return nil
      }
    }
    return record
  }

  private static let cacheLifetime: Int64 = 86_400 * 1_000_000_000
}
