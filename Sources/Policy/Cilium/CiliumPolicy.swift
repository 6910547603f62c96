import EgressModel

/// The egress half of a `cilium.io/v2` CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy.
///
/// Rules of all policies that select an endpoint are one set: what a denying rule matches is denied whatever allows it, and what none
/// allows is denied if one of the rules says so (`deniesByDefault`).
/// ([Cilium network policy](https://docs.cilium.io/en/stable/security/policy/))
struct CiliumPolicy: PolicyObject {
  static let engines: Set<Engine> = [.cilium]

  /// `spec`, or an element of `specs`: each selects and counts for itself.
  struct Spec: Sendable {
    var subject: Subject
    var egress: [Rule]
    var egressDeny: [Rule]
    /// Whether being selected by it means that everything is denied that no rule allows.
    var deniesByDefault: Bool

    /// Whether it says anything about egress.
    var governsEgress: Bool { deniesByDefault || !egress.isEmpty || !egressDeny.isEmpty }
  }

  enum Subject: Sendable {
    /// Selectors of endpoints are over `CiliumLabels`; a namespaced policy's hold its namespace.
    case endpoints(LabelSelector)
    /// The nodes themselves, with all that runs on their network; never other pods.
    case nodes(LabelSelector)
  }

  struct Rule: Sendable {
    /// Any of them; nil is every destination, and an empty list is none.
    var peers: [Peer]?
    /// Any of them; empty is every port of every protocol.
    var ports: [PortRule]
    /// Not nil: ICMP of these types and nothing else.
    var icmp: [ICMPType]?
    var denies: Bool
    var line: Int
  }

  enum Peer: Hashable, Sendable {
    case endpoints(LabelSelector)
    case entity(Entity)
    /// It holds addresses outside the cluster only, as all blocks and names do: a pod or a node is known by what it is.
    case block(IPPrefix, except: [IPPrefix])
    case group(CIDRGroups, except: [IPPrefix])
    case name(CiliumNamePattern)
    case service(ServiceReference)
    case nodes(LabelSelector)
    /// Addresses that a cloud's API tells, such as the members of a security group.
    case cloudGroup
  }

  enum CIDRGroups: Hashable, Sendable {
    case named(String)
    case selected(LabelSelector)
  }

  /// `namespace` nil is every namespace.
  enum ServiceReference: Hashable, Sendable {
    case named(String, namespace: String)
    case selected(LabelSelector, namespace: String?)
  }

  enum Entity: String, CaseIterable, Sendable {
    case all, world, cluster, host, `init`, ingress, unmanaged, health, none
    case worldIPv4 = "world-ipv4"
    case worldIPv6 = "world-ipv6"
    case remoteNode = "remote-node"
    case kubeAPIServer = "kube-apiserver"
  }

  /// An element of `toPorts`.
  struct PortRule: Hashable, Sendable {
    /// Any of them; empty is every port.
    var ports: [RulePort]
    /// Not empty: TCP whose ClientHello asks for one of these names.
    var serverNames: [CiliumNamePattern]
    /// `http`, `kafka`, `dns` …: what may be asked is restricted further, which is not judged.
    var application: String?
  }

  struct ICMPType: Hashable, Sendable {
    var transport: Transport
    var number: UInt8

    /// The one that begins an exchange, by which a workload is seen to talk ICMP at all.
    var isEchoRequest: Bool { number == (transport == .icmp ? 8 : 128) }
  }

  var name: ObjectName
  /// `spec` first, then those of `specs`.
  var specs: [Spec]
  var file: String
  var document: Int

  /// Every rule with the number it is reported by: through all specs in their order, in each first `egress`, then `egressDeny`.
  var numberedRules: [[(number: Int, rule: Rule)]] {
    var next = 0
    return specs.map { spec in
      (spec.egress + spec.egressDeny).map { rule in
        defer { next += 1 }
        return (next, rule)
      }
    }
  }
}

/// A `cilium.io` CiliumCIDRGroup: blocks that rules refer to by name or label.
struct CiliumCIDRGroup: PolicyObject {
  static let engines: Set<Engine> = [.cilium]
  var name: ObjectName
  var labels: [String: String]
  var blocks: [IPPrefix]
  var rules: [RuleDescription] { [] }
}
