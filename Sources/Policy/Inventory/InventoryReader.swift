public import EgressModel

/// Gathers an `Inventory` from manifests, file by file.
///
/// Made for real `kubectl get -o yaml|json` output: fields that are not needed are passed over, whatever they hold, and so are objects of
/// other kinds. What is needed and has the wrong type is reported, and that object left out.
/// An object that stands there twice (same kind, namespace and name) is taken as it was read last.
public struct InventoryReader: Sendable {
  private struct Key: Hashable {
    var namespace: String
    var name: String
  }

  private var namespaces: [String: NamespaceObject] = [:]
  private var nodes: [String: Node] = [:]
  private var services: [Key: Service] = [:]
  private var pods: [Key: Pod] = [:]
  /// Controllers of ReplicaSets and Jobs, so that a pod's owner is what outlives a roll-out.
  private var replicaSets: [Key: Workload.Owner?] = [:]
  private var jobs: [Key: Workload.Owner?] = [:]

  public init() {}

  /// Reads the manifests of one file; `file` is what errors call it.
  public mutating func add(_ text: String, file: String) -> [ManifestError] {
    add(Manifests.read(text, file: file))
  }

  /// Takes the inventory out of manifests that are read already; returns the errors of both, by line.
  public mutating func add(_ manifests: Manifests) -> [ManifestError] {
    var errors = manifests.errors
    for object in manifests.objects {
      let problems = Problems(file: object.file, document: object.document)
      add(object, problems)
      errors += problems.errors
    }
    return errors.sorted { ($0.line, $0.path) < ($1.line, $1.path) }
  }

  private mutating func add(_ object: ManifestObject, _ problems: Problems) {
    let kinds: Set<String> = ["v1/Namespace", "v1/Node", "v1/Service", "v1/Pod", "apps/v1/ReplicaSet", "batch/v1/Job"]
    guard kinds.contains("\(object.apiVersion)/\(object.kind)") else { return }
    guard let fields = Field(value: object.root, path: object.path, problems: problems).anyMembers(),
      let metadata = fields.required("metadata")?.anyMembers(), let name = metadata.required("name")?.string()
    else { return }
    let namespace = metadata["namespace"]?.string() ?? "default"
    let key = Key(namespace: namespace, name: name)
    let labels = metadata["labels"]?.stringMap() ?? [:]
    let spec = fields["spec"]?.anyMembers()
    let status = fields["status"]?.anyMembers()
    switch object.kind {
    case "Namespace":
      namespaces[name] = NamespaceObject(name: name, labels: labels)
    case "Node":
      let node = Self.node(name: name, labels: labels, spec: spec, status: status)
      if problems.errors.isEmpty { nodes[name] = node }
    case "Service":
      let service = Self.service(namespace: namespace, name: name, spec: spec)
      if problems.errors.isEmpty { services[key] = service }
    case "Pod":
      let pod = Self.pod(namespace: namespace, name: name, labels: labels, metadata: metadata, spec: spec, status: status)
      if problems.errors.isEmpty { pods[key] = pod }
    case "ReplicaSet": replicaSets[key] = .some(Self.controller(metadata))
    default: jobs[key] = .some(Self.controller(metadata))
    }
  }

  /// Everything read so far, in a stable order, with owners resolved.
  public var inventory: Inventory {
    var inventory = Inventory()
    inventory.namespaces = namespaces
    inventory.nodes = nodes.values.sorted { $0.name < $1.name }
    inventory.services = services.values.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
    inventory.pods = pods.values.sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }.map { pod in
      Pod(pod, labels: pod.labels, ports: pod.ports, owner: resolvedOwner(of: pod))
    }
    return inventory
  }

  private func resolvedOwner(of pod: Pod) -> Workload.Owner? {
    guard let owner = pod.owner else { return nil }
    let key = Key(namespace: pod.namespace, name: owner.name)
    let known = owner.kind == "ReplicaSet" ? replicaSets[key] : owner.kind == "Job" ? jobs[key] : nil
    if let known { return known ?? owner }
    return owner.outliving(podLabels: pod.labels)
  }
}

extension InventoryReader {
  private static func node(name: String, labels: [String: String], spec: Members?, status: Members?) -> Node {
    let addresses = (status?["addresses"]?.elements() ?? []).compactMap { element -> IPAddress? in
      guard let entry = element.anyMembers() else { return nil }
      // The other types are names.
      return ["InternalIP", "ExternalIP"].contains(entry["type"]?.value.string) ? entry["address"]?.address() : nil
    }
    let podCIDRs = spec?["podCIDRs"]?.elements().compactMap { $0.prefix() } ?? spec?["podCIDR"]?.prefix().map { [$0] } ?? []
    return Node(name: name, labels: labels, addresses: addresses, podCIDRs: podCIDRs)
  }

  private static func service(namespace: String, name: String, spec: Members?) -> Service {
    let fields = spec?["clusterIPs"]?.elements() ?? spec?["clusterIP"].map { [$0] } ?? []
    let addresses = fields.filter { $0.value.string != "None" && $0.value.string != "" }.compactMap { $0.address() }
    let ports = (spec?["ports"]?.elements() ?? []).compactMap { element -> Service.Port? in
      guard let entry = element.anyMembers(), let number = entry.required("port")?.portNumber() else { return nil }
      let target: Service.Port.Target? =
        switch entry["targetPort"]?.value.content {
        case nil: .number(number)
        case .string(let name): UInt16(name).map { .number($0) } ?? .named(name)
        default: entry["targetPort"]?.portNumber().map { .number($0) }
        }
      return target.map { Service.Port(number: number, transport: entry.transport(), target: $0) }
    }
    return Service(namespace: namespace, name: name, clusterIPs: addresses, selector: spec?["selector"]?.stringMap() ?? [:], ports: ports)
  }

  private static func pod(
    namespace: String, name: String, labels: [String: String], metadata: Members, spec: Members?, status: Members?
  ) -> Pod {
    var addresses = (status?["podIPs"]?.elements() ?? []).compactMap { $0.anyMembers()?["ip"]?.address() }
    if addresses.isEmpty, let address = status?["podIP"], address.value.string != "" { addresses = [address.address()].compactMap { $0 } }
    // An init container that restarts always is a sidecar: it runs, and listens, as long as the pod does.
    let sidecars = (spec?["initContainers"]?.elements() ?? []).filter { $0.value["restartPolicy"]?.string == "Always" }
    let ports = ((spec?["containers"]?.elements() ?? []) + sidecars).flatMap { container in
      (container.anyMembers()?["ports"]?.elements() ?? []).compactMap { element -> Pod.Port? in
        guard let entry = element.anyMembers(), let number = entry.required("containerPort")?.portNumber() else { return nil }
        return Pod.Port(name: entry["name"]?.string(), number: number, transport: entry.transport())
      }
    }
    return Pod(
      namespace: namespace, name: name, uid: metadata["uid"]?.string(),
      staticHash: metadata["annotations"]?.anyMembers()?["kubernetes.io/config.hash"]?.string(), labels: labels, addresses: addresses,
      hostNetwork: spec?["hostNetwork"]?.boolean() ?? false, ports: ports, node: spec?["nodeName"]?.string(),
      serviceAccount: spec?["serviceAccountName"]?.string(), phase: status?["phase"]?.string() ?? "Pending", owner: controller(metadata))
  }

  private static func controller(_ metadata: Members) -> Workload.Owner? {
    for element in metadata["ownerReferences"]?.elements() ?? [] {
      guard let entry = element.anyMembers(), entry["controller"]?.boolean() ?? false, let kind = entry["kind"]?.string(),
        let name = entry["name"]?.string()
      else { continue }
      return Workload.Owner(kind: kind, name: name)
    }
    return nil
  }
}

extension Field {
  fileprivate func address() -> IPAddress? {
    guard let text = string() else { return nil }
    if let address = IPAddress(text) { return address }
    refuse("\(quoted(text)) is no address")
    return nil
  }

  fileprivate func portNumber() -> UInt16? { integer(1...65535).map { UInt16($0) } }
}

extension Members {
  fileprivate func transport() -> Transport {
    self["protocol"].flatMap { $0.word(["TCP": Transport.tcp, "UDP": .udp, "SCTP": .sctp]) } ?? .tcp
  }
}
