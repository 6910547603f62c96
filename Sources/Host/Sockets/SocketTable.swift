internal import EgressModel

/// The sockets of this network namespace at one moment, found by who may own a conversation.
public struct SocketTable: Sendable {
  public let entries: [SocketEntry]
  private let byPort: [Key: [Int]]

  private struct Key: Hashable {
    var transport: Transport
    var port: UInt16
  }

  public init(_ entries: [SocketEntry]) {
    self.entries = entries
    byPort = Dictionary(grouping: entries.indices) { Key(transport: entries[$0].transport, port: entries[$0].local.port ?? 0) }
  }

  /// Every socket that may own the conversation; more than one when the kernel's own rules do not tell them apart.
  ///
  /// A socket connected to exactly this peer excludes all others. Otherwise it is whoever is bound to the port: for TCP a listener, whose
  /// children these packets are; for UDP each unconnected socket, since any of several may have sent them.
  public func candidates(for pair: SocketPair) -> [SocketEntry] {
    guard let port = pair.local.port, let indices = byPort[Key(transport: pair.transport, port: port)] else { return [] }
    let bound = indices.map { entries[$0] }
    let exact = bound.filter { $0.isConnected && $0.remote == pair.remote && ($0.local.ip == pair.local.ip || $0.local.ip.isUnspecified) }
    if !exact.isEmpty { return exact }
    let open = bound.filter { !$0.isConnected && $0.covers(pair.local.ip) }
    guard pair.transport == .tcp || pair.transport == .sctp else { return open }
    // A connection goes to the listener with the address in full, if there is one.
    let listeners = open.filter { $0.state == .listen }
    let specific = listeners.filter { !$0.local.ip.isUnspecified }
    return specific.isEmpty ? listeners : specific
  }
}
