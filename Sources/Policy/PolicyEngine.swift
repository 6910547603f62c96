import EgressModel

/// Judges by every policy of the kinds that it implements, resolved against one cluster.
///
/// Within an engine the kinds combine by its own rules; `Judge` lets a flow pass only if every engine does. Engines are classes, and so is `Cluster`,
/// so that a verdict copies none of their tables; they are immutable all the same.
protocol PolicyEngine: AnyObject, Sendable {
  /// Whether the data path knows a name only by the addresses that it leads to, so that a rule about a name lets everything through that goes there.
  var knowsNamesAsAddresses: Bool { get }

  /// Whether a pod of the namespace that is not in the inventory may be selected.
  func maySelectPods(in namespace: String) -> Bool

  /// The policies that select a pod of the cluster, in a stable order.
  func names(selecting pod: Int) -> [String]

  /// `unprotected` when no policy selects the pod. Never asked about loopback and the pod's own addresses.
  func judge(_ pod: Int, _ destination: Destination) -> Verdict

  /// The same for a unit or a container of a host; loopback is the engine's matter. Nothing selects them unless the engine says so.
  func judge(host workload: Workload, _ destination: Destination) -> Verdict

  /// What each rule of the policies that select a pod has to do with a flow that ends somewhere, in the order in which the rules are asked.
  func accounts(_ pod: Int, to end: FlowEnd, _ destination: Destination) -> [RuleAccount]

  /// The same for a unit or a container of a host.
  func accounts(host workload: Workload, _ destination: Destination) -> [RuleAccount]
}

extension PolicyEngine {
  var knowsNamesAsAddresses: Bool { false }

  func judge(host workload: Workload, _ destination: Destination) -> Verdict { Verdict(decision: .unprotected) }

  func accounts(host workload: Workload, _ destination: Destination) -> [RuleAccount] { [] }
}
