/// What a cluster holds, as far as policies and attribution need it: from manifests or from the API.
public struct Inventory: Sendable {
  public var namespaces: [String: NamespaceObject] = [:]
  public var pods: [Pod] = []
  public var nodes: [Node] = []
  public var services: [Service] = []

  public init() {}

  public var isEmpty: Bool { namespaces.isEmpty && pods.isEmpty && nodes.isEmpty && services.isEmpty }
}

public struct NamespaceObject: Hashable, Sendable {
  public var name: String
  /// With the implied `kubernetes.io/metadata.name`.
  public var labels: [String: String]

  public init(name: String, labels: [String: String] = [:]) {
    self.name = name
    self.labels = labels.merging(["kubernetes.io/metadata.name": name]) { given, _ in given }
  }
}

/// A pod as it was told of. It never changes, so that all the tables that hold it share it: a node has hundreds of pods, a cluster thousands.
public final class Pod: Equatable, Sendable {
  /// A declared container port.
  public struct Port: Hashable, Sendable {
    public var name: String?
    public var number: UInt16
    public var transport: Transport
    public init(name: String?, number: UInt16, transport: Transport) {
      self.name = name
      self.number = number
      self.transport = transport
    }
  }

  public let namespace: String
  public let name: String
  public let uid: String?
  /// What the kubelet calls a static pod, in control groups for example: the hash of its manifest (`kubernetes.io/config.hash`).
  public let staticHash: String?
  public let labels: [String: String]
  public let addresses: [IPAddress]
  public let hostNetwork: Bool
  public let ports: [Port]
  public let node: String?
  public let serviceAccount: String?
  /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
  public let phase: String
  /// The controller, a ReplicaSet or Job already resolved to its Deployment or CronJob where that can be told.
  public let owner: Workload.Owner?

  public init(
    namespace: String, name: String, uid: String? = nil, staticHash: String? = nil, labels: [String: String] = [:], addresses: [IPAddress] = [], hostNetwork: Bool = false,
    ports: [Port] = [], node: String? = nil, serviceAccount: String? = nil, phase: String = "Running", owner: Workload.Owner? = nil
  ) {
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.staticHash = staticHash
    self.labels = labels
    self.addresses = addresses
    self.hostNetwork = hostNetwork
    self.ports = ports
    self.node = node
    self.serviceAccount = serviceAccount
    self.phase = phase
    self.owner = owner
  }

  /// The pod, with other values of these.
  public convenience init(_ pod: Pod, labels: [String: String], ports: [Port], owner: Workload.Owner?) {
    self.init(
      namespace: pod.namespace, name: pod.name, uid: pod.uid, staticHash: pod.staticHash, labels: labels, addresses: pod.addresses,
      hostNetwork: pod.hostNetwork, ports: ports, node: pod.node, serviceAccount: pod.serviceAccount, phase: pod.phase, owner: owner)
  }

  public static func == (a: Pod, b: Pod) -> Bool {
    a === b
      || a.uid == b.uid && a.namespace == b.namespace && a.name == b.name && a.phase == b.phase && a.addresses == b.addresses && a.labels == b.labels
        && a.staticHash == b.staticHash && a.hostNetwork == b.hostNetwork && a.ports == b.ports && a.node == b.node
        && a.serviceAccount == b.serviceAccount && a.owner == b.owner
  }

  /// A pod that Succeeded or Failed has released its addresses, whatever its status still says.
  public var ownsAddresses: Bool { phase != "Succeeded" && phase != "Failed" }

  public var workload: Workload {
    Workload(kind: .pod, namespace: namespace, name: name, uid: uid, owner: owner, node: node)
  }
}

public struct Node: Hashable, Sendable {
  public var name: String
  public var labels: [String: String]
  public var addresses: [IPAddress]
  public var podCIDRs: [IPPrefix]

  public init(name: String, labels: [String: String] = [:], addresses: [IPAddress] = [], podCIDRs: [IPPrefix] = []) {
    self.name = name
    self.labels = labels
    self.addresses = addresses
    self.podCIDRs = podCIDRs
  }
}

public struct Service: Hashable, Sendable {
  /// What a port of the service's address is turned into at a backend.
  public struct Port: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
      case number(UInt16)
      /// A container port of the backend pod.
      case named(String)
    }
    public var number: UInt16
    public var transport: Transport
    public var target: Target
    public init(number: UInt16, transport: Transport, target: Target) {
      self.number = number
      self.transport = transport
      self.target = target
    }
  }

  public var namespace: String
  public var name: String
  public var clusterIPs: [IPAddress]
  public var selector: [String: String]
  public var ports: [Port]

  public init(namespace: String, name: String, clusterIPs: [IPAddress] = [], selector: [String: String] = [:], ports: [Port] = []) {
    self.ports = ports
    self.namespace = namespace
    self.name = name
    self.clusterIPs = clusterIPs
    self.selector = selector
  }
}
