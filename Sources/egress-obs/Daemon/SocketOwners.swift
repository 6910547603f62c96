import EgressModel
import Flows
import Host

/// Who owns the sockets of this host's own flows, asked when a flow begins and kept until it ends.
struct SocketOwners: ~Copyable {
  private let attribution = SocketAttribution()
  private let starts: ConnectionStarts
  private let addresses: Set<IPAddress>
  private var owners: [UInt64: Workload] = [:]

  init(of host: HostNetwork, starts: ConnectionStarts) {
    self.starts = starts
    addresses = Set(host.addresses)
  }

  var warnings: [String] { attribution.warnings }

  /// Asks the kernel for the flows that began here; a socket that is closed already has no owner, and none is guessed.
  mutating func bind(_ started: [FlowStart]) {
    var unknown: [(id: UInt64, pair: SocketPair)] = []
    for start in started where addresses.contains(start.source.ip) {
      let pair = SocketPair(transport: start.transport, local: start.source, remote: start.destination)
      if let answer = starts.owner(of: pair, at: start.time) {
        owners[start.id] = answer.workload()
      } else {
        unknown.append((start.id, pair))
      }
    }
    guard !unknown.isEmpty else { return }
    for (start, answer) in zip(unknown, attribution.attribute(unknown.map(\.pair))) {
      if let answer { owners[start.id] = answer.workload() }
    }
  }

  /// The owners of these flows, as far as they are known.
  func find(_ records: [FlowRecord]) -> [UInt64: Workload] {
    var found: [UInt64: Workload] = [:]
    for record in records { found[record.id] = owners[record.id] }
    return found
  }

  /// Forgets those that have ended.
  mutating func forget(_ records: [FlowRecord]) {
    for record in records where record.endReason != .activeTimeout { owners[record.id] = nil }
  }
}
