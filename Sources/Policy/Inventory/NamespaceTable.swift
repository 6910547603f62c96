import EgressModel

/// Tells of namespace selectors which namespaces of a cluster they mean, each selector resolved once.
struct NamespaceTable {
  private let namespaces: [NamespaceObject]
  private var known: [LabelSelector: [Bool]] = [:]

  init(_ cluster: Cluster) { namespaces = cluster.namespaces }

  /// For each namespace of the cluster, whether it is meant.
  mutating func flags(_ selector: LabelSelector) -> [Bool] {
    if let flags = known[selector] { return flags }
    let flags = namespaces.map { selector.matches($0.labels) }
    known[selector] = flags
    return flags
  }
}
