import EgressModel

/// The labels by which Calico knows an endpoint: those of the pod, and what its namespace and service account add.
enum CalicoLabels {
  static let namespace = "projectcalico.org/namespace"
  static let namespacePrefix = "pcns."
  static let serviceAccount = "projectcalico.org/serviceaccount"
  static let serviceAccountPrefix = "pcsa."

  static func of(_ pod: Pod, in namespace: NamespaceObject) -> [String: String] {
    var labels = pod.labels
    labels[Self.namespace] = pod.namespace
    labels["projectcalico.org/orchestrator"] = "k8s"
    labels[serviceAccount] = pod.serviceAccount ?? "default"
    for (key, value) in namespace.labels { labels[namespacePrefix + key] = value }
    labels[namespacePrefix + "projectcalico.org/name"] = pod.namespace
    return labels
  }
}
