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

public struct Pod: Hashable, Sendable {
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

  public var namespace: String
  public var name: String
  public var uid: String?
  /// What the kubelet calls a static pod, in control groups for example: the hash of its manifest (`kubernetes.io/config.hash`).
  public var staticHash: String?
  public var labels: [String: String]
  public var addresses: [IPAddress]
  public var hostNetwork: Bool
  public var ports: [Port]
  public var node: String?
  public var serviceAccount: String?
  /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`.
  public var phase: String
  /// The controller, a ReplicaSet or Job already resolved to its Deployment or CronJob where that can be told.
  public var owner: Workload.Owner?

  public init(
    namespace: String, name: String, uid: String? = nil, labels: [String: String] = [:], addresses: [IPAddress] = [], hostNetwork: Bool = false,
    ports: [Port] = [], node: String? = nil, serviceAccount: String? = nil, phase: String = "Running", owner: Workload.Owner? = nil
  ) {
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.labels = labels
    self.addresses = addresses
    self.hostNetwork = hostNetwork
    self.ports = ports
    self.node = node
    self.serviceAccount = serviceAccount
    self.phase = phase
    self.owner = owner
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
