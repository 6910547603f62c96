extension CgroupOwner {
  /// Reads the path of a control group below its mount point, as in `/proc/PID/cgroup`.
  ///
  /// The outermost pod or container counts, because what runs inside (a systemd of its own) belongs to it; of units the innermost.
  /// The layouts are those of systemd, the kubelet with either cgroup driver, containerd, CRI-O, Docker, Podman and LXC.
  public init(cgroupPath path: String) {
    let live = path.hasSuffix(" (deleted)") ? String(path.dropLast(10)) : path
    // containerd with systemd paths under the cgroupfs driver writes `SLICE:cri-containerd:ID` as one name.
    let parts = live.split(whereSeparator: { $0 == "/" || $0 == ":" })
    let user = parts.lazy.compactMap(Self.user).last
    if let pod = Self.pod(parts) {
      self = pod
    } else if let container = Self.container(parts) {
      self = container
    } else if let session = parts.lazy.compactMap({ $0.between("session-", ".scope") }).first {
      self = .session(id: String(session), user: user)
    } else if let unit = parts.last(where: { part in Self.unitSuffixes.contains { part.hasSuffix($0) } }) {
      // systemd puts `_` before names that could be mistaken for files of the control group.
      let name = unit.hasPrefix("_") ? String(unit.dropFirst()) : String(unit)
      // `user@1000.service` itself is a unit of the system; only what is below it is the user's.
      self = .unit(name: name, user: name.hasPrefix("user@") ? nil : user)
    } else {
      self = .other(path: live)
    }
  }

  /// The units that hold processes; slices only hold other units.
  private static let unitSuffixes = [".service", ".scope", ".socket", ".mount", ".swap"]

  private static func user(_ part: Substring) -> UInt32? {
    part.between("user-", ".slice").flatMap { UInt32($0) }
  }

  private static func pod(_ parts: [Substring]) -> CgroupOwner? {
    for (index, part) in parts.enumerated() {
      let uid: Substring?
      if part.hasSuffix(".slice"), let kubelet = part.range(of: "kubepods") {
        // `kubepods-burstable-podUID.slice`, below `kubelet-` in kind.
        uid = part[kubelet.upperBound...].dropLast(6).after("-pod")
      } else if part.hasPrefix("pod"), parts[..<index].contains(where: { $0 == "kubepods" || $0.hasSuffix("-kubepods") }) {
        uid = part.dropFirst(3)
      } else {
        uid = nil
      }
      guard let uid, let spelled = spelledUID(uid) else { continue }
      return .pod(uid: spelled, container: parts[(index + 1)...].lazy.compactMap(containerID).first)
    }
    return nil
  }

  /// 8-4-4-4-12 digits, with `_` for `-` in a slice's name; or the 32 digits of a static pod's hash.
  private static func spelledUID(_ text: Substring) -> String? {
    let groups = text.split(whereSeparator: { $0 == "_" || $0 == "-" })
    guard groups.allSatisfy(\.isHexadecimal) else { return nil }
    let counts = groups.map(\.utf8.count)
    return counts == [8, 4, 4, 4, 12] || counts == [32] ? groups.joined(separator: "-") : nil
  }

  private static func containerID(_ part: Substring) -> String? {
    if let named = container(named: part) { return named.id }
    return part.isContainerID ? String(part) : nil
  }

  private static func container(_ parts: [Substring]) -> CgroupOwner? {
    for (index, part) in parts.enumerated() {
      if let (runtime, id) = container(named: part) { return .container(runtime: runtime, id: id) }
      let parent = index > 0 ? parts[index - 1] : ""
      if part.isContainerID {
        return .container(runtime: runtimesByParent[String(parent)] ?? "container", id: String(part))
      }
      if let name = part.after("lxc.payload."), !name.isEmpty { return .container(runtime: "lxc", id: String(name)) }
      if parent == "lxc", part != "lxc.monitor" { return .container(runtime: "lxc", id: String(part)) }
    }
    return nil
  }

  /// `docker-ID.scope`, `libpod-ID`, `cri-containerd-ID.scope` …: the runtime says itself in the name.
  private static func container(named part: Substring) -> (runtime: String, id: String)? {
    let name = part.hasSuffix(".scope") ? part.dropLast(6) : part
    // The monitor beside a container (`libpod-conmon-ID`) belongs to it.
    for (prefix, runtime) in runtimesByPrefix {
      if name.hasPrefix(prefix), name.dropFirst(prefix.count).isContainerID { return (runtime, String(name.dropFirst(prefix.count))) }
    }
    return nil
  }

  private static let runtimesByParent: [String: String] = ["docker": "docker", "libpod": "podman", "default": "containerd"]

  private static let runtimesByPrefix: [(String, String)] = [
    ("docker-", "docker"), ("libpod-conmon-", "podman"), ("libpod-", "podman"), ("crio-conmon-", "crio"), ("crio-", "crio"),
    ("cri-containerd-", "containerd"), ("nerdctl-", "containerd"), ("containerd-", "containerd"),
  ]
}

extension Substring {
  fileprivate func between(_ prefix: String, _ suffix: String) -> Substring? {
    guard hasPrefix(prefix), hasSuffix(suffix), utf8.count > prefix.utf8.count + suffix.utf8.count else { return nil }
    return dropFirst(prefix.count).dropLast(suffix.count)
  }

  /// What follows the first `mark`.
  fileprivate func after(_ mark: String) -> Substring? {
    range(of: mark).map { self[$0.upperBound...] }
  }

  fileprivate func range(of mark: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(mark), let end = index(start, offsetBy: mark.count, limitedBy: endIndex) { return start..<end }
      start = index(after: start)
    }
    return nil
  }
}
