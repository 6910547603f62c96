/// Who talks: a pod, a unit or container of a host, or what is known instead.
public struct Workload: Hashable, Sendable {
  public struct Kind: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let pod = Kind(rawValue: "pod")
    /// A systemd unit; `name` is the unit with its suffix (`nginx.service`).
    public static let systemd = Kind(rawValue: "systemd")
    /// A container that is no pod's (docker, podman); `name` is its name or short id.
    public static let container = Kind(rawValue: "container")
    /// A login session or loose process group; `name` is the command.
    public static let process = Kind(rawValue: "process")
    /// Nothing but the address is known; `name` is the address.
    public static let address = Kind(rawValue: "address")
    /// Several workloads share the address and the socket's owner could not be told; see `candidates`.
    public static let ambiguous = Kind(rawValue: "ambiguous")
  }

  /// The controller that owns a pod (`Deployment`, `StatefulSet`, `DaemonSet`, `CronJob` …).
  public struct Owner: Hashable, Sendable {
    public var kind: String
    public var name: String
    public init(kind: String, name: String) {
      self.kind = kind
      self.name = name
    }

    /// The controller's own controller, as far as the names that Kubernetes gives tell it: what outlives a roll-out or a run.
    public func outliving(podLabels labels: [String: String]) -> Owner {
      switch kind {
      case "ReplicaSet":
        // A Deployment names it after itself and the hash that its pods carry.
        guard let hash = labels["pod-template-hash"], name.hasSuffix("-\(hash)"), name.count > hash.count + 1 else { return self }
        return Owner(kind: "Deployment", name: String(name.dropLast(hash.count + 1)))
      case "Job":
        // A CronJob names it after itself and the minute it was due (eight digits since 1.21, ten before).
        guard let dash = name.lastIndex(of: "-"), dash > name.startIndex else { return self }
        let minute = name[name.index(after: dash)...].utf8
        guard minute.count == 8 || minute.count == 10, minute.allSatisfy({ (0x30...0x39).contains($0) }) else { return self }
        return Owner(kind: "CronJob", name: String(name[..<dash]))
      default: return self
      }
    }
  }

  public var kind: Kind
  /// Pods only.
  public var namespace: String?
  public var name: String
  public var uid: String?
  public var owner: Owner?
  public var node: String?
  /// Who it may be, when `kind` is `ambiguous`.
  public var candidates: [Workload]

  public init(
    kind: Kind, namespace: String? = nil, name: String, uid: String? = nil, owner: Owner? = nil, node: String? = nil, candidates: [Workload] = []
  ) {
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.owner = owner
    self.node = node
    self.candidates = candidates
  }

  /// A workload of which only the address is known.
  public init(address: IPAddress) {
    self.init(kind: .address, name: address.description)
  }

  /// The key of what outlives one pod: `shop/Deployment/web`, `shop/pod/bare`, `systemd/nginx.service`, `address/10.0.0.7`.
  ///
  /// Two pods of one controller have the same group; endpoints, approvals and the finding `new` are kept per group.
  public var group: String {
    guard kind == .pod else { return "\(kind.rawValue)/\(name)" }
    return "\(namespace ?? "default")/\(owner?.kind ?? "pod")/\(owner?.name ?? name)"
  }

  /// For a line of a table: `shop/web`, `systemd/nginx.service`, `10.0.0.7`.
  public var shortName: String {
    switch kind {
    case .pod: "\(namespace ?? "default")/\(owner?.name ?? name)"
    case .address: name
    case .ambiguous: "ambiguous(\(candidates.map(\.name).joined(separator: "|")))"
    default: "\(kind.rawValue)/\(name)"
    }
  }
}
