public import EgressModel

/// A conversation as one of its ends sees it.
public struct SocketPair: Hashable, Sendable {
  public var transport: Transport
  public var local: SocketAddress
  public var remote: SocketAddress

  public init(transport: Transport, local: SocketAddress, remote: SocketAddress) {
    self.transport = transport
    self.local = local
    self.remote = remote
  }
}

/// One socket of this network namespace, as the kernel describes it.
public struct SocketEntry: Hashable, Sendable {
  /// The kernel's numbers; UDP uses `established` for connected sockets and `closed` for all others.
  public struct State: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let established = State(rawValue: 1)
    public static let timeWait = State(rawValue: 6)
    public static let closed = State(rawValue: 7)
    public static let listen = State(rawValue: 10)
  }

  public var transport: Transport
  /// An unspecified address is "any of this host's".
  public var local: SocketAddress
  /// Unspecified with port 0 when the socket is not connected.
  public var remote: SocketAddress
  public var state: State
  /// 0 when no process holds the socket (any more).
  public var inode: UInt64
  public var uid: UInt32
  /// The control group that the socket was made in; nil from kernels before 5.8 and from /proc.
  public var cgroup: UInt64?
  /// Whether the socket is an AF_INET6 one, which also speaks IPv4 unless `isV6Only`.
  public var isV6: Bool
  public var isV6Only: Bool

  public init(
    transport: Transport, local: SocketAddress, remote: SocketAddress, state: State, inode: UInt64, uid: UInt32, cgroup: UInt64? = nil,
    isV6: Bool = false, isV6Only: Bool = false
  ) {
    self.transport = transport
    self.local = local
    self.remote = remote
    self.state = state
    self.inode = inode
    self.uid = uid
    self.cgroup = cgroup
    self.isV6 = isV6
    self.isV6Only = isV6Only
  }

  var isConnected: Bool { remote.port != 0 && remote.port != nil }

  /// Whether this socket, bound to a port and connected to nothing, may send from or receive at `address`.
  func covers(_ address: IPAddress) -> Bool {
    guard local.ip.isUnspecified else { return local.ip == address }
    return isV6 ? !(isV6Only && address.isV4) : address.isV4
  }
}
