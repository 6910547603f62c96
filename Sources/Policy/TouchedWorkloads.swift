public import EgressModel

/// Which policies are no longer what they were.
public struct PolicyChange: Sendable {
  var references: Set<String> = []
  /// Whether something changed that bears on more than the pods that it selects: what policies refer to, and what is for hosts.
  var isWide = false

  mutating func note(_ object: any PolicyObject) {
    references.insert(object.name.reference)
    if !object.concernsOnlySelectedPods { isWide = true }
  }
}

extension PolicySet {
  /// Puts what a file of manifests says now in the place of what it said before; an empty text takes the file away.
  ///
  /// Not for unit files. An object that was refused because another file defined it first stays refused until its own file is replaced.
  public mutating func replace(_ text: String, file: String) -> (change: PolicyChange, errors: [ManifestError]) {
    var change = PolicyChange()
    remove(file: file) { change.note($0) }
    let kept = objects.count
    let errors = add(text, file: file)
    for object in objects[kept...] { change.note(object) }
    return (change, errors)
  }
}

extension Judge {
  /// The judge of the same inventory by other policies, and of whom it may say other things than this one.
  ///
  /// - Parameter change: everything in which `policies` differ from those that this judge was made of.
  public func replacing(_ policies: PolicySet, _ change: PolicyChange) -> (judge: Judge, touched: TouchedWorkloads) {
    let judge = Judge(policies: policies, cluster: cluster)
    guard !change.isWide, judge.engine == engine, judge.hasPolicies == hasPolicies else { return (judge, TouchedWorkloads(cluster: cluster, pods: nil)) }
    let pods = cluster.pods.indices.filter { pod in
      names(selecting: pod).contains(where: change.references.contains) || judge.names(selecting: pod).contains(where: change.references.contains)
    }
    return (judge, TouchedWorkloads(cluster: cluster, pods: Set(pods)))
  }
}

/// The workloads on which a change of policies may bear: those that a changed policy selects, or selected. What is said of all others stands.
public struct TouchedWorkloads: Sendable {
  let cluster: Cluster
  /// Nil: every workload.
  let pods: Set<Int>?

  public func contains(_ workload: Workload) -> Bool {
    guard let pods else { return true }
    switch workload.kind {
    // A pod that is not in the inventory may be selected by anything.
    case .pod: return cluster.pod(for: workload).map(pods.contains) ?? true
    case .address: return IPAddress(workload.name).flatMap(cluster.pod(at:)).map(pods.contains) ?? false
    case .ambiguous: return workload.candidates.contains(where: contains)
    default: return false
    }
  }
}

extension PolicyObject {
  fileprivate var concernsOnlySelectedPods: Bool {
    switch self {
    case is NetworkPolicy, is ClusterNetworkPolicy, is FQDNNetworkPolicy, is EgressFirewall: true
    case let policy as EgressPolicy: if case .pods = policy.selection { true } else { false }
    case let policy as CiliumPolicy: policy.specs.allSatisfy { if case .endpoints = $0.subject { true } else { false } }
    case let policy as CalicoPolicy: policy.staged == nil
    default: false
    }
  }
}
