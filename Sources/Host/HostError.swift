/// What this host did not let us learn or do. Every description names the thing, the cause and the next step.
public enum HostError: Error, Equatable, Sendable {
  /// A netlink exchange failed; `what` is what was asked for.
  case netlink(what: String, cause: String)
  case unreadable(path: String, cause: String)
  /// No control group file system of version 2 is mounted.
  case noControlGroups
  /// No name server that could be asked.
  case noNameserver(path: String)
  case socket(what: String, cause: String)
}

extension HostError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .netlink(let what, let cause): "cannot list \(what): \(cause) (netlink; see egress-obs doctor)"
    case .unreadable(let path, let cause): "cannot read \(path): \(cause) (check that it exists and that this user may read it)"
    case .noControlGroups:
      "cannot tell workloads of this host apart: no cgroup2 file system in /proc/self/mountinfo (mount one: mount -t cgroup2 none /sys/fs/cgroup)"
    case .noNameserver(let path): "cannot look names up: no nameserver in \(path) (add one, or switch reverse lookups off)"
    case .socket(let what, let cause): "cannot \(what): \(cause)"
    }
  }
}
