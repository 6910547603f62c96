import EgressModel
import Flows
import Host

/// Who owns the sockets of this host's own flows, asked when a flow begins and kept until it ends.
struct SocketOwners: ~Copyable {
  private let attribution = SocketAttribution()
  private let addresses: Set<IPAddress>
  private var owners: [UInt64: Workload] = [:]

  init(of host: HostNetwork) {
    addresses = Set(host.addresses)
  }

  var warnings: [String] { attribution.warnings }

  /// Asks the kernel for the flows that began here; a socket that is closed already has no owner, and none is guessed.
  mutating func bind(_ started: [FlowStart]) {
    let own = started.filter { addresses.contains($0.source.ip) }
    guard !own.isEmpty else { return }
    let answers = attribution.attribute(own.map { SocketPair(transport: $0.transport, local: $0.source, remote: $0.destination) })
    for (start, answer) in zip(own, answers) {
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
