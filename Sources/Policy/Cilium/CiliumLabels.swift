import EgressModel

/// The labels by which Cilium knows an endpoint: those of the pod, and what its namespace and service account add.
enum CiliumLabels {
  static let namespace = "io.kubernetes.pod.namespace"
  static let namespacePrefix = "io.cilium.k8s.namespace.labels."
  static let serviceAccount = "io.cilium.k8s.policy.serviceaccount"
  static let cluster = "io.cilium.k8s.policy.cluster"

  static func of(_ pod: Pod, in namespace: NamespaceObject) -> [String: String] {
    var labels = pod.labels
    labels[Self.namespace] = pod.namespace
    labels[Self.serviceAccount] = pod.serviceAccount ?? "default"
    labels[Self.cluster] = "default"
    for (key, value) in namespace.labels { labels[namespacePrefix + key] = value }
    return labels
  }

  /// A key without its source: `k8s:app` and `any:app` are `app`. With another source (`reserved:host`) it stays, as no pod has labels of those.
  static func key(_ written: String) -> (meant: String, label: String) {
    guard let colon = written.firstIndex(of: ":") else { return (written, written) }
    let label = String(written[written.index(after: colon)...])
    return (["k8s", "any"].contains(written[..<colon]) ? label : written, label)
  }

  /// Whether a selector says itself which namespaces it means.
  static func namesNamespace(_ selector: LabelSelector) -> Bool {
    let keys = selector.matchLabels.keys + selector.matchExpressions.map(\.key)
    return keys.contains { $0 == namespace || $0.hasPrefix(namespacePrefix) }
  }

  /// What a NetworkPolicy's selectors mean in these labels.
  static func selector(pods: LabelSelector?, namespaces: LabelSelector?, of policyNamespace: String) -> LabelSelector {
    var selector = pods ?? LabelSelector()
    guard let namespaces else {
      selector.require(namespace, policyNamespace)
      return selector
    }
    for (key, value) in namespaces.matchLabels { selector.require(namespacePrefix + key, value) }
    for requirement in namespaces.matchExpressions {
      selector.matchExpressions.append(.init(key: namespacePrefix + requirement.key, operator: requirement.operator, values: requirement.values))
    }
    return selector
  }
}
