import EgressModel

/// What the sidecar of a pod does with connections, after Sidecars and MeshConfig have been put together.
struct IstioScope: Hashable, Sendable {
  /// Of the pod.
  var namespace: String
  var outbound: OutboundTrafficPolicy
  /// What of the registry is seen; nil: all of it that is exported to the namespace.
  var listeners: [Sidecar.Listener]?
  /// The ConfigMap or the Sidecar that says `outbound`.
  var source: String
  /// The Sidecar that says `listeners`.
  var sidecar: String?
  var defaultExportTo: [String]
  /// Why it cannot be told.
  var problem: String?

  var references: [String] { sidecar.map { [source, $0].sortedOnce } ?? [source] }
}

extension IstioScope {
  /// - Parameters:
  ///   - revision: the label `istio.io/rev` of the pod or its namespace.
  init(pod: Pod, revision: String?, sidecars: [String: [Sidecar]], meshes: [MeshConfig]) {
    let mesh = meshes.first { $0.name.name == revision.map { "istio-\($0)" } } ?? meshes.first { $0.name.name == "istio" } ?? meshes.first
    let own = sidecars[pod.namespace] ?? []
    let selecting = own.filter { $0.workloads?.matches(pod.labels) ?? false }
    let namespaced = own.filter { $0.workloads == nil }
    let root = mesh.map { $0.rootNamespace == pod.namespace ? [] : sidecars[$0.rootNamespace] ?? [] }?.filter { $0.workloads == nil } ?? []
    let levels = [selecting, namespaced, root]
    let chain = levels.compactMap(\.first)
    let shown = chain.first { $0.egress != nil }
    let said = chain.first { $0.outbound != nil }
    self.init(
      namespace: pod.namespace, outbound: said?.outbound ?? mesh?.outbound ?? .allowAny, listeners: shown?.egress,
      source: said?.name.reference ?? mesh?.name.reference ?? "MeshConfig", sidecar: shown?.name.reference, defaultExportTo: mesh?.defaultExportTo ?? ["*"])
    if let several = levels.first(where: { !$0.isEmpty }),
      several.contains(where: { $0.egress != several[0].egress || $0.outbound != several[0].outbound })
    {
      problem = several.map(\.name.reference).joined(separator: " and ") + " are both for the pod, and it is not defined which applies"
    }
  }

  enum Hiding {
    case notExported
    case notShown(NamePattern)
  }

  /// Why the scope does not see a host of an entry on a port; nil when it does.
  func hides(_ host: NamePattern, of entry: ServiceEntry, on port: UInt16) -> Hiding? {
    let exports = (entry.exportTo.flatMap { $0.isEmpty ? nil : $0 } ?? defaultExportTo)
    guard exports.contains(where: { $0 == "*" || $0 == namespace || $0 == "." && entry.namespace == namespace }) else { return .notExported }
    return shows(host, of: entry.namespace, on: port) ? nil : .notShown(host)
  }

  /// What of the registry is exported to the namespace.
  var audiences: [RegistryIndex.Audience] {
    let unsaid: [RegistryIndex.Audience] =
      if defaultExportTo.contains(where: { $0 == "*" || $0 == namespace }) { [.unsaid] } else if defaultExportTo.contains(".") { [.unsaidOwn(namespace)] } else { [] }
    return [.everyone, .namespace(namespace)] + unsaid
  }

  func shows(_ host: NamePattern, of owner: String, on port: UInt16) -> Bool {
    listeners?.contains { $0.shows(host, of: owner, on: port, to: namespace) } ?? true
  }

  /// Whether a service of the cluster is seen on a port.
  func shows(_ service: Service, on port: UInt16) -> Bool {
    guard listeners != nil else { return true }
    return NamePattern("\(service.name).\(service.namespace).svc.cluster.local").map { shows($0, of: service.namespace, on: port) } ?? true
  }
}
