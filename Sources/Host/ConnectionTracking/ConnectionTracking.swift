internal import EgressModel
internal import Glibc

/// Asks the kernel what its connection tracking made of a conversation, through ctnetlink
/// ([nfnetlink_conntrack.h](https://github.com/torvalds/linux/blob/master/include/uapi/linux/netfilter/nfnetlink_conntrack.h)).
///
/// Needs CAP_NET_ADMIN in the user namespace of the network namespace it was made in, for reading too. One owner uses one object.
public final class ConnectionTracking {
  private var netlink: NetlinkSocket

  /// Asks once, so that a missing right is known before it matters.
  public init() throws(HostError) {
    netlink = try NetlinkSocket(.netfilter, what: Self.what)
    let nobody = SocketAddress(ip: IPAddress(v4: 0), port: 0)
    _ = try connection(with: TrackedConnection.Tuple(transport: .udp, source: nobody, destination: nobody))
  }

  /// The connection of which this is a direction, as begun or as answered; nil when there is none, or it is of another zone.
  ///
  /// Costs some microseconds. Connections stay known for a while after their end: TCP two minutes (`nf_conntrack_tcp_timeout_time_wait`), ten seconds after a
  /// reset, UDP half a minute.
  public func connection(with tuple: TrackedConnection.Tuple) throws(HostError) -> TrackedConnection? {
    let payload =
      [tuple.family] + TrackedConnection.generalHeader.dropFirst()
      + NetlinkMessage.attribute(TrackedConnection.Attribute.original | TrackedConnection.Attribute.nested, tuple.attribute)
    var found: TrackedConnection?
    _ = try netlink.ask(type: Self.get, dump: false, payload: payload, what: Self.what) { message in
      found = TrackedConnection(message: message.payload)
    }
    return found
  }

  private static let what = "tracked connections"
  /// NFNL_SUBSYS_CTNETLINK and IPCTNL_MSG_CT_GET.
  private static let get: UInt16 = 1 << 8 | 1
}
