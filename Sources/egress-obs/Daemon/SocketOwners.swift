import EgressModel
import Flows
import Host

/// Who owns the sockets of this host's own flows, asked when a flow begins and kept until it ends.
struct SocketOwners: ~Copyable {
  private let attribution = SocketAttribution()
  private let containers = ContainerNames()
  private let starts: ConnectionStarts
  private let host: CurrentHost
  private var owners: [UInt64: Workload] = [:]

  init(of host: CurrentHost, starts: ConnectionStarts) {
    self.starts = starts
    self.host = host
  }

  var warnings: [String] { attribution.warnings }

  /// Asks the kernel for the flows that began here; a socket that is closed already has no owner, and none is guessed.
  mutating func bind(_ started: [FlowStart]) {
    let addresses = host.now.addresses
    var unknown: [(id: UInt64, pair: SocketPair)] = []
    for start in started where addresses.contains(start.source.ip) {
      let pair = SocketPair(transport: start.transport, local: start.source, remote: start.destination)
      if let answer = starts.owner(of: pair, at: start.time) {
        owners[start.id] = workload(answer)
      } else {
        unknown.append((start.id, pair))
      }
    }
    guard !unknown.isEmpty else { return }
    for (start, answer) in zip(unknown, attribution.attribute(unknown.map(\.pair))) {
      if let answer { owners[start.id] = workload(answer) }
    }
  }

  private func workload(_ answer: Attribution) -> Workload { answer.workload(container: { containers.name(ofContainer: $0, $1) }) }

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
