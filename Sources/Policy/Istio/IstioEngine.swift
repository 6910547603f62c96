import EgressModel

/// A mesh under `REGISTRY_ONLY`: a sidecar lets a TCP connection out only to what the registry knows and the pod sees, which is the cluster's
/// services and ServiceEntries.
///
/// Only pods with a sidecar are judged, by the label or the port that the injection leaves on them, and only their TCP connections. What their
/// annotations exclude from capture is not known here.
final class IstioEngine: PolicyEngine {
  let cluster: Cluster
  /// Sorted by reference.
  let entries: [ServiceEntry]
  private let scopes: [IstioScope]
  /// For each pod of the cluster, the index of its scope; nil for pods without a sidecar.
  private let scopeOfPod: [Int?]
  private let restrictsEverywhere: Bool
  private let restrictedNamespaces: Set<String>
  let index: RegistryIndex
  /// By namespace, which services lead to pods with certain labels; the ids are indexes of the cluster's services.
  private let selectors: [String: SelectorIndex]

  init(_ policies: PolicySet, cluster: Cluster) {
    self.cluster = cluster
    entries = policies.all(ServiceEntry.self).sorted { $0.name.reference < $1.name.reference }
    let meshes = policies.all(MeshConfig.self).sorted { $0.name.reference < $1.name.reference }
    let declared = policies.all(Sidecar.self).sorted { $0.name.reference < $1.name.reference }
    let sidecars = Dictionary(grouping: declared, by: \.namespace)
    var scopes: [IstioScope] = []
    var known: [IstioScope: Int] = [:]
    scopeOfPod = cluster.pods.enumerated().map { number, pod in
      guard pod.hasIstioSidecar, !pod.hostNetwork else { return nil }
      let revision = pod.labels["istio.io/rev"] ?? cluster.namespaces[cluster.namespaceOfPod[number]].labels["istio.io/rev"]
      let scope = IstioScope(pod: pod, revision: revision, sidecars: sidecars, meshes: meshes)
      if let index = known[scope] { return index }
      known[scope] = scopes.count
      scopes.append(scope)
      return scopes.count - 1
    }
    self.scopes = scopes
    let roots = Set(meshes.map(\.rootNamespace))
    let restricting = declared.filter { $0.outbound == .registryOnly }
    restrictsEverywhere = meshes.contains { $0.outbound == .registryOnly } || restricting.contains { roots.contains($0.namespace) }
    restrictedNamespaces = Set(restricting.map(\.namespace))
    index = RegistryIndex(entries)
    var selectors: [String: SelectorIndex] = [:]
    for (id, service) in cluster.services.enumerated() where !service.selector.isEmpty {
      selectors[service.namespace, default: SelectorIndex()].insert(LabelSelector(matchLabels: service.selector), id: id)
    }
    self.selectors = selectors
  }

  func maySelectPods(in namespace: String) -> Bool { restrictsEverywhere || restrictedNamespaces.contains(namespace) }

  func names(selecting pod: Int) -> [String] {
    guard let scope = scopeOfPod[pod].map({ scopes[$0] }), scope.outbound == .registryOnly else { return [] }
    return scope.references
  }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict {
    guard destination.transport == .tcp, let port = destination.port, let scope = scopeOfPod[pod].map({ scopes[$0] }) else {
      return Verdict(decision: .unprotected)
    }
    var verdict: Verdict
    if let problem = scope.problem {
      verdict = Verdict(decision: .undecidable, reason: problem)
    } else if scope.outbound == .allowAny {
      return Verdict(decision: .unprotected)
    } else if let allowed = toService(destination, port, scope) {
      verdict = allowed
    } else {
      verdict = toEntry(destination, port, scope)
    }
    verdict.selectedBy = scope.references
    return verdict
  }

  func accounts(_ pod: Int, to _: FlowEnd, _ destination: Destination) -> [RuleAccount] {
    guard destination.transport == .tcp, let port = destination.port, let scope = scopeOfPod[pod].map({ scopes[$0] }), scope.outbound == .registryOnly,
      toService(destination, port, scope) == nil
    else { return [] }
    return accounts(destination, port, scope)
  }

  /// The verdict on what is a service of the cluster, or a pod behind one; nil for everything else.
  private func toService(_ destination: Destination, _ port: UInt16, _ scope: IstioScope) -> Verdict? {
    if let service = cluster.service(at: destination.address) {
      guard service.ports.contains(where: { $0.number == port && $0.transport == .tcp }), scope.shows(service, on: port) else { return nil }
      return Verdict(decision: .allowed)
    }
    guard let pod = cluster.pod(at: destination.address) else {
      // A service without a selector may lead anywhere, to the API server for one.
      guard cluster.node(at: destination.address) != nil else { return nil }
      let leading = cluster.services.first { service in service.selector.isEmpty && service.ports.contains { $0.target == .number(port) } }
      guard let leading else { return nil }
      return Verdict(
        decision: .undecidable, reason: "\(destination.address) may be behind service \(leading.namespace)/\(leading.name), whose endpoints are not known")
    }
    guard !cluster.services.isEmpty else {
      return Verdict(decision: .undecidable, reason: "\(destination.address) is a pod's address, and no service is in the inventory")
    }
    let behind = selectors[cluster.pods[pod].namespace]?.matching(cluster.pods[pod].labels) ?? []
    for service in behind.map({ cluster.services[$0] }) {
      for declared in service.ports where declared.transport == .tcp && scope.shows(service, on: declared.number) {
        switch declared.target {
        case .number(port): return Verdict(decision: .allowed)
        case .named(let name) where cluster.pods[pod].ports.contains(where: { $0.name == name && $0.number == port && $0.transport == .tcp }):
          return Verdict(decision: .allowed)
        default: continue
        }
      }
    }
    return nil
  }
}

extension Pod {
  /// What injection leaves on a pod.
  fileprivate var hasIstioSidecar: Bool {
    labels["security.istio.io/tlsMode"] == "istio" || ports.contains { $0.name == "http-envoy-prom" }
  }
}
