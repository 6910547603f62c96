internal import EgressModel

/// A policy of the cluster as a manifest, to be read by whoever understands its dialect.
public struct PolicyManifest: Hashable, Sendable {
  /// `api:NetworkPolicy/shop/web`, for errors and reports.
  public var file: String
  /// One JSON object: `apiVersion`, `kind`, name, namespace and labels, and what the object declares; neither status nor bookkeeping.
  public var text: String
}

/// One object of the API, with the fields that are read here and no others.
struct ClusterObject: Sendable {
  enum Content: Sendable {
    /// `since` is when the kubelet took the pod, before which it had no address.
    case pod(Pod, since: Timestamp?)
    case namespace(NamespaceObject)
    case node(Node)
    case service(Service)
    case policy(PolicyManifest)
  }

  /// The API's name of an object: two of one kind cannot share it at one time.
  struct Key: Hashable, Sendable {
    var namespace: String
    var name: String
  }

  var key: Key
  var resourceVersion: String
  var content: Content
}

/// `metadata` of any object.
struct ObjectMetadata {
  var namespace = ""
  var name = ""
  var uid: String?
  var resourceVersion = ""
  var continuation: String?
  var created: Timestamp?
  var labels: [String: String] = [:]
  var controller: Workload.Owner?
  var staticHash: String?

  init() {}

  init(_ cursor: inout JSONCursor) throws {
    try cursor.members { cursor, key in
      switch key {
      case "namespace": namespace = try cursor.string() ?? ""
      case "name": name = try cursor.string() ?? ""
      case "uid": uid = try cursor.string()
      case "resourceVersion": resourceVersion = try cursor.string() ?? ""
      case "continue": continuation = try cursor.string().flatMap { $0.isEmpty ? nil : $0 }
      case "creationTimestamp": created = try cursor.string().flatMap(Timestamp.init)
      case "labels": labels = try cursor.stringMap()
      case "annotations": try cursor.members { cursor, key in if key == "kubernetes.io/config.hash" { staticHash = try cursor.string() } }
      case "ownerReferences":
        try cursor.elements { cursor in if let owner = try Self.controller(&cursor) { controller = owner } }
      default: break
      }
    }
  }

  private static func controller(_ cursor: inout JSONCursor) throws -> Workload.Owner? {
    var (kind, name, isController): (String?, String?, Bool) = (nil, nil, false)
    try cursor.members { cursor, key in
      switch key {
      case "kind": kind = try cursor.string()
      case "name": name = try cursor.string()
      case "controller": isController = try cursor.boolean() ?? false
      default: break
      }
    }
    guard isController, let kind, let name else { return nil }
    return Workload.Owner(kind: kind, name: name)
  }
}

extension ClusterObject {
  /// Reads an item of a list, or the object of an event; throws what is no such object.
  init(_ bytes: [UInt8], at offset: Int = 0, of resource: Resource) throws {
    var cursor = JSONCursor(bytes, at: offset)
    var metadata = ObjectMetadata()
    let content: Content
    switch resource {
    case .pods: content = try Self.pod(&cursor, &metadata)
    case .namespaces:
      try cursor.members { cursor, key in if key == "metadata" { metadata = try ObjectMetadata(&cursor) } }
      content = .namespace(NamespaceObject(name: metadata.name, labels: metadata.labels))
    case .nodes: content = .node(try Self.node(&cursor, &metadata))
    case .services: content = .service(try Self.service(&cursor, &metadata))
    default: content = .policy(try Self.policy(&cursor, &metadata, resource))
    }
    guard !metadata.name.isEmpty else { throw JSONCursor.Failure(offset: offset, expected: "metadata.name") }
    self.init(key: Key(namespace: metadata.namespace, name: metadata.name), resourceVersion: metadata.resourceVersion, content: content)
  }

  private static func pod(_ cursor: inout JSONCursor, _ metadata: inout ObjectMetadata) throws -> Content {
    var (node, serviceAccount, phase, hostNetwork): (String?, String?, String, Bool) = (nil, nil, "Pending", false)
    var ports: [Pod.Port] = []
    var addresses: [IPAddress] = []
    var started: Timestamp?
    try cursor.members { cursor, key in
      switch key {
      case "metadata": metadata = try ObjectMetadata(&cursor)
      case "spec":
        try cursor.members { cursor, key in
          switch key {
          case "nodeName": node = try cursor.string()
          case "hostNetwork": hostNetwork = try cursor.boolean() ?? false
          case "serviceAccountName": serviceAccount = try cursor.string()
          case "containers": try cursor.elements { cursor in ports += try Self.ports(ofContainer: &cursor, isInit: false) }
          case "initContainers": try cursor.elements { cursor in ports += try Self.ports(ofContainer: &cursor, isInit: true) }
          default: break
          }
        }
      case "status":
        var single: IPAddress?
        try cursor.members { cursor, key in
          switch key {
          case "phase": phase = try cursor.string() ?? "Pending"
          case "startTime": started = try cursor.string().flatMap(Timestamp.init)
          case "podIP": single = try cursor.string().flatMap { IPAddress($0) }
          case "podIPs":
            try cursor.elements { cursor in
              try cursor.members { cursor, key in
                if key == "ip", let address = try cursor.string().flatMap({ IPAddress($0) }) { addresses.append(address) }
              }
            }
          default: break
          }
        }
        if addresses.isEmpty, let single { addresses = [single] }
      default: break
      }
    }
    let pod = Pod(
      namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, staticHash: metadata.staticHash, labels: metadata.labels, addresses: addresses,
      hostNetwork: hostNetwork, ports: ports, node: node, serviceAccount: serviceAccount, phase: phase,
      owner: metadata.controller?.outliving(podLabels: metadata.labels))
    return .pod(pod, since: started ?? metadata.created)
  }

  private static func ports(ofContainer cursor: inout JSONCursor, isInit: Bool) throws -> [Pod.Port] {
    var ports: [Pod.Port] = []
    var isSidecar = false
    try cursor.members { cursor, key in
      switch key {
      // An init container that restarts always is a sidecar: it runs, and listens, as long as the pod does.
      case "restartPolicy": isSidecar = try cursor.string() == "Always"
      case "ports":
        try cursor.elements { cursor in
          var (name, number, transport): (String?, UInt16?, Transport) = (nil, nil, .tcp)
          try cursor.members { cursor, key in
            switch key {
            case "name": name = try cursor.string()
            case "containerPort": number = try cursor.integer().flatMap { UInt16(exactly: $0) }
            case "protocol": transport = try Self.transport(&cursor)
            default: break
            }
          }
          if let number { ports.append(Pod.Port(name: name, number: number, transport: transport)) }
        }
      default: break
      }
    }
    return isInit && !isSidecar ? [] : ports
  }

  private static func transport(_ cursor: inout JSONCursor) throws -> Transport {
    switch try cursor.string() {
    case "UDP": .udp
    case "SCTP": .sctp
    default: .tcp
    }
  }

  private static func node(_ cursor: inout JSONCursor, _ metadata: inout ObjectMetadata) throws -> Node {
    var addresses: [IPAddress] = []
    var blocks: [IPPrefix] = []
    var block: IPPrefix?
    try cursor.members { cursor, key in
      switch key {
      case "metadata": metadata = try ObjectMetadata(&cursor)
      case "spec":
        try cursor.members { cursor, key in
          switch key {
          case "podCIDR": block = try cursor.string().flatMap { IPPrefix($0) }
          case "podCIDRs": try cursor.elements { cursor in if let block = try cursor.string().flatMap({ IPPrefix($0) }) { blocks.append(block) } }
          default: break
          }
        }
      case "status":
        try cursor.members { cursor, key in
          guard key == "addresses" else { return }
          try cursor.elements { cursor in
            var (type, address): (String?, String?) = (nil, nil)
            try cursor.members { cursor, key in
              if key == "type" { type = try cursor.string() }
              if key == "address" { address = try cursor.string() }
            }
            // The other types are names.
            if type == "InternalIP" || type == "ExternalIP", let address = address.flatMap({ IPAddress($0) }) { addresses.append(address) }
          }
        }
      default: break
      }
    }
    if blocks.isEmpty, let block { blocks = [block] }
    return Node(name: metadata.name, labels: metadata.labels, addresses: addresses, podCIDRs: blocks)
  }

  private static func service(_ cursor: inout JSONCursor, _ metadata: inout ObjectMetadata) throws -> Service {
    var service = Service(namespace: "", name: "")
    var single: IPAddress?
    try cursor.members { cursor, key in
      switch key {
      case "metadata": metadata = try ObjectMetadata(&cursor)
      case "spec":
        try cursor.members { cursor, key in
          switch key {
          // "None" is no address.
          case "clusterIP": single = try cursor.string().flatMap { IPAddress($0) }
          case "clusterIPs":
            try cursor.elements { cursor in if let address = try cursor.string().flatMap({ IPAddress($0) }) { service.clusterIPs.append(address) } }
          case "selector": service.selector = try cursor.stringMap()
          case "ports": try cursor.elements { cursor in if let port = try Self.servicePort(&cursor) { service.ports.append(port) } }
          default: break
          }
        }
      default: break
      }
    }
    if service.clusterIPs.isEmpty, let single { service.clusterIPs = [single] }
    (service.namespace, service.name) = (metadata.namespace, metadata.name)
    return service
  }

  private static func servicePort(_ cursor: inout JSONCursor) throws -> Service.Port? {
    var (number, target, transport): (UInt16?, String?, Transport) = (nil, nil, .tcp)
    try cursor.members { cursor, key in
      switch key {
      case "port": number = try cursor.integer().flatMap { UInt16(exactly: $0) }
      case "targetPort": target = try cursor.scalar()
      case "protocol": transport = try Self.transport(&cursor)
      default: break
      }
    }
    guard let number else { return nil }
    let named = target.map { UInt16($0).map(Service.Port.Target.number) ?? .named($0) }
    return Service.Port(number: number, transport: transport, target: named ?? .number(number))
  }

  /// Items of a list lack `apiVersion` and `kind`; status and bookkeeping would only cost memory.
  private static func policy(_ cursor: inout JSONCursor, _ metadata: inout ObjectMetadata, _ resource: Resource) throws -> PolicyManifest {
    var text = Array("{\"apiVersion\":\(quoted(resource.manifestVersion)),\"kind\":\(quoted(resource.kind))".utf8)
    func append(_ key: String, _ value: ArraySlice<UInt8>) {
      text += ",\(quoted(key)):".utf8
      text += value
    }
    try cursor.members { cursor, key in
      switch key {
      case "apiVersion", "kind", "status": break
      case "metadata": metadata = try ObjectMetadata(&cursor)
      default: append(key, try cursor.raw())
      }
    }
    let labels = metadata.labels.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
    let shown = JSONValue.object([
      "name": .string(metadata.name), "namespace": metadata.namespace.isEmpty ? nil : .string(metadata.namespace),
      "labels": labels.isEmpty ? nil : .object(labels),
    ])
    append("metadata", Array(shown.text.utf8)[...])
    text.append(UInt8(ascii: "}"))
    let name = metadata.namespace.isEmpty ? metadata.name : "\(metadata.namespace)/\(metadata.name)"
    return PolicyManifest(file: "api:\(resource.kind)/\(name)", text: String(decoding: text, as: UTF8.self))
  }

  private static func quoted(_ text: String) -> String { JSONValue.string(text).text }
}
