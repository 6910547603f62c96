public import EgressModel

/// Who owns a conversation of this host.
public struct SocketOwner: Hashable, Sendable {
  public var owner: CgroupOwner
  /// The process's name, where the control group alone says too little.
  public var command: String?

  public init(owner: CgroupOwner, command: String? = nil) {
    self.owner = owner
    self.command = command
  }
}

public enum Attribution: Hashable, Sendable {
  case owned(SocketOwner)
  /// Several sockets could be the one, and they belong to different owners; in a stable order.
  case ambiguous([SocketOwner])

  /// The workload; pods are asked for by uid, because only the inventory knows their names, and containers by id.
  public func workload(
    pod: (_ uid: String) -> Workload? = { _ in nil }, container: (_ id: String, _ runtime: String) -> String? = { _, _ in nil }
  ) -> Workload {
    switch self {
    case .owned(let owner):
      return owner.owner.workload(command: owner.command, pod: pod, container: container)
    case .ambiguous(let owners):
      var candidates: [Workload] = []
      for owner in owners {
        let workload = owner.owner.workload(command: owner.command, pod: pod, container: container)
        if !candidates.contains(workload) { candidates.append(workload) }
      }
      if candidates.count == 1 { return candidates[0] }
      return Workload(kind: .ambiguous, name: candidates.map(\.name).joined(separator: "|"), candidates: candidates)
    }
  }
}

/// Tells which workload of this host owns a conversation, by the control group of its socket.
///
/// Ask soon after a flow began: a closed socket has no owner. One owner uses one object; it sees the network namespace it was made in.
public final class SocketAttribution {
  private let diagnostics: SocketDiagnostics?
  private let groups: CgroupTree?
  /// Why something could not be asked, in words for `doctor`; empty when all is well.
  public private(set) var warnings: [String] = []

  public init() {
    do {
      diagnostics = try SocketDiagnostics()
    } catch {
      diagnostics = nil
      warnings.append("\(error); /proc/net is read instead")
    }
    do {
      groups = try CgroupTree()
    } catch {
      groups = nil
      warnings.append("\(error)")
    }
  }

  /// One answer for each conversation, in order: nil when no socket of this network namespace fits. Never a guess.
  ///
  /// Connected sockets are asked for one by one, which costs microseconds; what only a list can answer (other UDP, listeners) is listed once
  /// for the whole batch.
  public func attribute(_ pairs: [SocketPair]) -> [Attribution?] {
    var tables: [Transport: SocketTable] = [:]
    let sockets = pairs.map { candidates(for: $0, &tables) }
    return owners(of: sockets).map { owners in
      switch owners.count {
      case 0: nil
      case 1: .owned(owners[0])
      default: .ambiguous(owners)
      }
    }
  }

  private func candidates(for pair: SocketPair, _ tables: inout [Transport: SocketTable]) -> [SocketEntry] {
    if pair.transport == .tcp || pair.transport == .udp, let diagnostics, let entry = try? diagnostics.lookup(pair), entry.isConnected {
      // A connected socket is certain, if only of having no owner any more (TIME_WAIT). A listener may be one of several, and so may others.
      return [entry]
    }
    if let table = tables[pair.transport] { return table.candidates(for: pair) }
    let table = SocketTable(list(pair.transport))
    tables[pair.transport] = table
    return table.candidates(for: pair)
  }

  private func list(_ transport: Transport) -> [SocketEntry] {
    guard let diagnostics else { return ProcNet.entries(transport) }
    return (try? diagnostics.dump(transport)) ?? ProcNet.entries(transport)
  }

  /// The distinct owners of each list of sockets.
  private func owners(of sockets: [[SocketEntry]]) -> [[SocketOwner]] {
    var paths: [SocketEntry: String] = [:]
    var inodes: Set<UInt64> = []
    for entry in Set(sockets.joined()) {
      paths[entry] = entry.cgroup.flatMap { groups?.path(of: $0) }
      let isTold = paths[entry].map { !CgroupOwner(cgroupPath: $0).isLoose } ?? false
      if !isTold, entry.inode != 0 { inodes.insert(entry.inode) }
    }
    let holders = holders(of: inodes, in: Set(paths.values))
    return sockets.map { entries in
      var owners: Set<SocketOwner> = []
      for entry in entries { owners.formUnion(Self.owners(path: paths[entry], holders: holders[entry.inode] ?? [])) }
      return owners.sorted { "\($0)" < "\($1)" }
    }
  }

  /// Which processes hold the sockets whose group does not tell enough: in one pass over the processes of these groups, and in one
  /// over all processes for what is left, since whoever holds a socket may have moved or got it from somebody.
  private func holders(of inodes: Set<UInt64>, in paths: Set<String>) -> [UInt64: [Int32]] {
    let loose = paths.filter { CgroupOwner(cgroupPath: $0).isLoose }
    var holders = ProcessSockets.holders(of: inodes, among: loose.flatMap { groups?.processes(in: $0) ?? [] })
    holders.merge(ProcessSockets.holders(of: inodes.filter { holders[$0] == nil })) { first, _ in first }
    return holders
  }

  /// - Parameter path: of the control group that the socket was made in.
  static func owners(path: String?, holders: [Int32]) -> [SocketOwner] {
    let known = path.map(CgroupOwner.init(cgroupPath:))
    // The root group is everybody's: without a process it tells nothing.
    if path == "/", holders.isEmpty { return [] }
    if let known, !known.isLoose || holders.isEmpty { return [SocketOwner(owner: known)] }
    return holders.compactMap { process in
      guard let owner = known ?? ProcessSockets.cgroupPath(of: process).map(CgroupOwner.init(cgroupPath:)) else { return nil }
      return SocketOwner(owner: owner, command: owner.isLoose ? ProcessSockets.command(of: process) : nil)
    }
  }
}
