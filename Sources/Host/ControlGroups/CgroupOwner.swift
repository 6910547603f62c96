public import EgressModel

/// Who a control group belongs to, as far as its path alone tells.
public enum CgroupOwner: Hashable, Sendable {
  /// A systemd unit with its suffix (`nginx.service`); `user` is set for units of a user's own manager.
  case unit(name: String, user: UInt32?)
  /// A pod by its uid, in the spelling of the API; a static pod's is the hash of its manifest.
  case pod(uid: String, container: String?)
  /// A container that is no pod's; `runtime` is `docker`, `podman`, `containerd`, `crio`, `lxc`, or `container` when the path does not say.
  case container(runtime: String, id: String)
  /// A login session of systemd-logind.
  case session(id: String, user: UInt32?)
  /// No path that is known here, the root included: a loose process.
  case other(path: String)

  /// Whether the group says too little, so that the process's name has to stand for the workload.
  public var isLoose: Bool {
    switch self {
    case .session, .other: true
    default: false
    }
  }

  /// The workload. A pod needs the inventory for its name: `pod` is asked with the uid. A container may have a name besides its id.
  ///
  /// A pod that nobody knows is named by its uid as a container, since its namespace cannot be told.
  public func workload(
    command: String? = nil, pod: (_ uid: String) -> Workload? = { _ in nil }, container: (_ id: String, _ runtime: String) -> String? = { _, _ in nil }
  ) -> Workload {
    switch self {
    case .unit(let name, _): Workload(kind: .systemd, name: name)
    case .pod(let uid, _): pod(uid) ?? Workload(kind: .container, name: "pod-\(uid)", uid: uid)
    case .container(let runtime, let id): Workload(kind: .container, name: container(id, runtime) ?? String(id.prefix(id.isContainerID ? 12 : id.count)), uid: id)
    case .session(let id, _): Workload(kind: .process, name: command ?? "session-\(id).scope")
    case .other(let path): Workload(kind: .process, name: command ?? path)
    }
  }
}

extension StringProtocol {
  /// What container runtimes call their containers: 64 hexadecimal digits.
  var isContainerID: Bool { utf8.count == 64 && isHexadecimal }

  var isHexadecimal: Bool { utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }
}
