/// What people call their containers, from the files of Docker and Podman; their sockets would let whoever may ask also write.
///
/// The files are root's: without CAP_DAC_READ_SEARCH a container is known by its id. Rootless containers, and those of containerd alone, are so anyway.
public final class ContainerNames {
  private let docker: String
  private let podman: String
  /// Names never change while a container lives, but for `rename`.
  private var known: [String: String?] = [:]

  static let capacity = 4096

  /// - Parameters:
  ///   - docker: where the Docker daemon keeps its containers.
  ///   - podman: the list of Podman's storage.
  public init(
    docker: String = "/var/lib/docker/containers", podman: String = "/var/lib/containers/storage/overlay-containers/containers.json"
  ) {
    self.docker = docker
    self.podman = podman
  }

  public func name(ofContainer id: String, _ runtime: String) -> String? {
    guard id.isContainerID, runtime == "docker" || runtime == "podman" || runtime == "container" else { return nil }
    if let name = known[id] { return name }
    if known.count >= Self.capacity { known = [:] }
    let name = runtime == "podman" ? podmanName(id) : dockerName(id) ?? podmanName(id)
    known[id] = .some(name)
    return name
  }

  private func dockerName(_ id: String) -> String? {
    (try? TextFile.read("\(docker)/\(id)/config.v2.json")).flatMap(Self.name(inDockerConfiguration:))
  }

  private func podmanName(_ id: String) -> String? {
    (try? TextFile.read(podman, limit: 16 << 20)).flatMap { Self.name(of: id, inPodmanList: $0) }
  }

  /// `"Name":"/web"`: no other name in the file begins with a slash, and quotes inside of strings are escaped.
  static func name(inDockerConfiguration text: String) -> String? {
    text.firstRange(of: "\"Name\":\"/").flatMap { containerName(text[$0.upperBound...]) }
  }

  /// `{"id":"ID","names":["web"], …}`, with other members between.
  static func name(of id: String, inPodmanList text: String) -> String? {
    guard let start = text.firstRange(of: "\"id\":\"\(id)\"")?.upperBound else { return nil }
    let rest = text[start...]
    let object = rest[..<(rest.firstRange(of: "\"id\":\"")?.lowerBound ?? rest.endIndex)]
    return object.firstRange(of: "\"names\":[\"").flatMap { containerName(object[$0.upperBound...]) }
  }

  /// What stands before the closing quote, if it is a name that Docker and Podman take.
  private static func containerName(_ text: Substring) -> String? {
    guard let end = text.firstIndex(of: "\""), end != text.startIndex, text.distance(from: text.startIndex, to: end) <= 255 else { return nil }
    let name = text[..<end]
    let isName = name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || [0x5f, 0x2e, 0x2d].contains($0)
    }
    return isName ? String(name) : nil
  }
}
