internal import EgressModel

/// Everything that was read from the API, by kind and name.
struct ClusterObjects {
  private(set) var snapshot = ClusterSnapshot()
  private var statuses: [Resource: ResourceStatus] = [:]
  private var pods: [ClusterObject.Key: Pod] = [:]
  /// Pods of one controller have these in common.
  private var labels = RecentValues<[String: String]>()
  private var ports = RecentValues<[Pod.Port]>()
  private var nodes: [ClusterObject.Key: Node] = [:]
  private var services: [ClusterObject.Key: Service] = [:]
  private var policies: [Resource: [ClusterObject.Key: PolicyManifest]] = [:]
  /// What a list that is under way has named so far.
  private var listed: [Resource: Set<ClusterObject.Key>] = [:]
  /// Whether the snapshot's lists are older than the objects.
  private var isStale = false

  /// The snapshot, its lists made anew where objects changed.
  mutating func taken() -> ClusterSnapshot {
    if isStale {
      snapshot.inventory.pods = pods.sorted { $0.key < $1.key }.map(\.value)
      snapshot.inventory.nodes = nodes.values.sorted { $0.name < $1.name }
      snapshot.inventory.services = services.sorted { $0.key < $1.key }.map(\.value)
      snapshot.policies = policies.values.flatMap(\.values).sorted { $0.file < $1.file }
      isStale = false
    }
    snapshot.resources = statuses.values.sorted { $0.resource.description < $1.resource.description }
    return snapshot
  }

  // MARK: - Lists

  mutating func begin(_ resource: Resource) { statuses[resource] = statuses[resource] ?? ResourceStatus(resource: resource) }

  mutating func end(_ resource: Resource, at now: Timestamp) {
    for key in keys(of: resource) { remove(key, of: resource, at: now) }
    statuses[resource] = nil
    listed[resource] = nil
  }

  mutating func beginList(of resource: Resource) { listed[resource] = [] }

  mutating func list(_ object: ClusterObject, of resource: Resource, at now: Timestamp) {
    listed[resource]?.insert(object.key)
    put(object, of: resource, at: now)
  }

  /// What the whole list did not name is gone.
  mutating func endList(of resource: Resource, at now: Timestamp) {
    let listed = listed.removeValue(forKey: resource) ?? []
    for key in keys(of: resource) where !listed.contains(key) { remove(key, of: resource, at: now) }
    note(resource) { status in (status.isListed, status.error) = (true, nil) }
  }

  // MARK: - Objects

  mutating func note(_ resource: Resource, _ body: (inout ResourceStatus) -> Void) {
    var status = statuses[resource] ?? ResourceStatus(resource: resource)
    body(&status)
    status.objects = count(of: resource)
    statuses[resource] = status
  }

  private func count(of resource: Resource) -> Int {
    switch resource {
    case .pods: pods.count
    case .namespaces: snapshot.inventory.namespaces.count
    case .nodes: nodes.count
    case .services: services.count
    default: policies[resource]?.count ?? 0
    }
  }

  func keys(of resource: Resource) -> [ClusterObject.Key] {
    switch resource {
    case .pods: Array(pods.keys)
    case .namespaces: snapshot.inventory.namespaces.keys.map { ClusterObject.Key(namespace: "", name: $0) }
    case .nodes: Array(nodes.keys)
    case .services: Array(services.keys)
    default: policies[resource].map { Array($0.keys) } ?? []
    }
  }

  mutating func put(_ object: ClusterObject, of resource: Resource, at now: Timestamp) {
    switch object.content {
    case .pod(let told, let since):
      let pod = Pod(told, labels: labels.shared(told.labels), ports: ports.shared(told.ports), owner: told.owner)
      let before = pods.updateValue(pod, forKey: object.key)
      // A StatefulSet's next pod has the name of the one before.
      if let before, before.uid != pod.uid { snapshot.timeline.remove(before, at: now) }
      snapshot.timeline.note(pod, since: since, at: now)
      if before != pod { inventoryChanged() }
    case .namespace(let namespace):
      if snapshot.inventory.namespaces.updateValue(namespace, forKey: namespace.name) != namespace { inventoryChanged() }
    case .node(let node):
      // Its heartbeats change nothing that is read here.
      if nodes.updateValue(node, forKey: object.key) != node { inventoryChanged() }
    case .service(let service):
      if services.updateValue(service, forKey: object.key) != service { inventoryChanged() }
    case .policy(let manifest):
      if policies[resource, default: [:]].updateValue(manifest, forKey: object.key) != manifest { policiesChanged() }
    }
  }

  mutating func remove(_ key: ClusterObject.Key, of resource: Resource, at now: Timestamp) {
    switch resource {
    case .pods:
      guard let pod = pods.removeValue(forKey: key) else { return }
      snapshot.timeline.remove(pod, at: now)
      inventoryChanged()
    case .namespaces: if snapshot.inventory.namespaces.removeValue(forKey: key.name) != nil { inventoryChanged() }
    case .nodes: if nodes.removeValue(forKey: key) != nil { inventoryChanged() }
    case .services: if services.removeValue(forKey: key) != nil { inventoryChanged() }
    default: if policies[resource]?.removeValue(forKey: key) != nil { policiesChanged() }
    }
  }

  private mutating func inventoryChanged() {
    snapshot.inventoryRevision &+= 1
    isStale = true
  }

  private mutating func policiesChanged() {
    snapshot.policyRevision &+= 1
    isStale = true
  }
}

extension ClusterObject.Key: Comparable {
  static func < (a: Self, b: Self) -> Bool { (a.namespace, a.name) < (b.namespace, b.name) }
}
