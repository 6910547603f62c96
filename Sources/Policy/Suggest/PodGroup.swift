import EgressModel

/// The pods of one controller, and the labels that select them.
struct PodGroup: Hashable {
  var namespace: String
  /// `shop/web`
  var title: String
  var labels: [String: String]
  /// Whom the labels select besides, for want of better ones.
  var others: [String]

  /// Nil where there is no such pod, or no label that outlives one.
  init?(of group: String, in cluster: Cluster) {
    let pods = cluster.pods.filter { $0.workload.group == group }
    guard let first = pods.first else { return nil }
    // A finished pod's labels count only where nothing else is left of the controller.
    let living = pods.filter(\.ownsAddresses)
    let counted = living.isEmpty ? pods : living
    let common = counted.dropFirst().reduce(counted[0].labels) { common, pod in common.filter { pod.labels[$0.key] == $0.value } }
    let stable = common.filter { !Self.passing.contains($0.key) }
    guard !stable.isEmpty else { return nil }
    func others(_ labels: [String: String]) -> [String] {
      let selected = cluster.pods.filter { pod in
        pod.namespace == first.namespace && pod.workload.group != group && labels.allSatisfy { pod.labels[$0] == $1 }
      }
      return Set(selected.map(\.workload.shortName)).sorted()
    }
    let telling = stable.filter { Self.telling.contains($0.key) }
    let chosen = !telling.isEmpty && others(telling).isEmpty ? telling : stable
    namespace = first.namespace
    title = first.workload.shortName
    labels = chosen
    self.others = others(chosen)
  }

  /// What people call a workload by.
  private static let telling: Set<String> = [
    "app", "k8s-app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component",
  ]

  /// What controllers put on a single pod, roll-out or run.
  private static let passing: Set<String> = [
    "pod-template-hash", "pod-template-generation", "controller-revision-hash", "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index", "controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index", "security.istio.io/tlsMode", "service.istio.io/canonical-revision",
  ]
}
