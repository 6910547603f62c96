import EgressModel

/// A `networking.k8s.io/v1` NetworkPolicy, of which the egress half is judged.
///
/// A policy that selects a pod and has the policy type Egress isolates it: only what a rule of such a policy allows may leave.
/// There is no order and no denying rule.
/// ([API reference](https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/))
struct NetworkPolicy: PolicyObject {
  struct Rule: Sendable {
    /// Any of them; empty allows every destination.
    var peers: [Peer]
    /// Any of them; empty allows every port of every transport, ICMP too.
    var ports: [Port]
    var line: Int
  }

  enum Peer: Hashable, Sendable {
    /// Pods that both selectors match; without a namespace selector those of the policy's own namespace.
    case pods(LabelSelector?, namespaces: LabelSelector?)
    /// Addresses in the block and in no exception. It never matches across address families.
    case block(IPPrefix, except: [IPPrefix])
  }

  struct Port: Hashable, Sendable {
    enum Number: Hashable, Sendable {
      case any
      case range(ClosedRange<UInt16>)
      /// A container port of the destination pod; its number may differ from pod to pod.
      case named(String)
    }
    var transport: Transport
    var number: Number
  }

  var name: ObjectName
  var podSelector: LabelSelector
  /// Whether the policy type Egress is given, or absent and implied by egress rules.
  var isolatesEgress: Bool
  /// Without effect unless `isolatesEgress`.
  var egress: [Rule]
  /// For an audit: whether the list of egress rules is there, rules or not.
  var declaresEgress = false
  /// For an audit: whom the pods take connections from. Nil where the policy is not about ingress.
  var ingress: [Rule]?
  var file: String
  var document: Int
  var line: Int

  var namespace: String { name.namespace ?? "default" }
}

extension NetworkPolicy.Port {
  var rulePort: RulePort {
    let number: RulePort.Number =
      switch self.number {
      case .any: .any
      case .range(let range): .range(range)
      case .named(let name): .named(name)
      }
    return RulePort(transport: transport, number: number)
  }
}
