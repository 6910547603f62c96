import EgressModel

/// The egress half of Calico's NetworkPolicy or GlobalNetworkPolicy (`projectcalico.org/v3`), or of one that is only staged.
///
/// Policies stand in tiers, tiers in order; in a tier the policies, and in a policy the rules. The first rule that matches decides; `Pass` goes
/// on with the next tier, and so does a tier that has no policy for the endpoint. At the end of a tier stands its default action.
/// ([NetworkPolicy](https://docs.tigera.io/calico/latest/reference/resources/networkpolicy))
struct CalicoPolicy: PolicyObject {
  static let engines: Set<Engine> = [.calico, .calicoEnterprise]

  enum Action: String, Sendable {
    case allow = "Allow"
    case deny = "Deny"
    case log = "Log"
    case pass = "Pass"
  }

  /// What putting a staged policy in force would do with the policy of its name.
  enum StagedAction: Sendable {
    case set
    case delete
    case ignore
  }

  struct Rule: Sendable {
    var action: Action
    /// Of all these conditions, those that are given must hold.
    var transport: Transport?
    var notTransport: Transport?
    var ipVersion: Int?
    var icmp: ICMP?
    var notICMP: ICMP?
    var source: Entity
    var destination: Entity
    var line: Int
  }

  struct ICMP: Hashable, Sendable {
    var type: UInt8?
    var code: UInt8?
  }

  /// One end of a flow: all conditions that are given must hold.
  struct Entity: Sendable {
    /// Any of them, when there are any.
    var nets: [IPPrefix] = []
    var notNets: [IPPrefix] = []
    var ports: [RulePort] = []
    var notPorts: [RulePort] = []
    /// Over the labels of endpoints and network sets, with what `namespaceSelector`, service accounts and the policy's own namespace add.
    var selector: CalicoSelector?
    var notSelector: CalicoSelector?
    /// The selector asks for labels of service accounts, which no inventory has.
    var readsServiceAccounts = false
    var service: Service?
    /// Enterprise: any of these names, in which `*` stands for any characters.
    var domains: [CalicoDomain] = []

    struct Service: Hashable, Sendable {
      var namespace: String
      var name: String
    }
  }

  var name: ObjectName
  var tier: String
  /// Nil comes last.
  var order: Double?
  /// Over the labels of endpoints, with what the namespace adds.
  var selector: CalicoSelector
  /// Asks for labels of service accounts.
  var serviceAccountSelector: CalicoSelector?
  /// Whether the type Egress is given, or absent and implied by egress rules.
  var governsEgress: Bool
  var egress: [Rule]
  /// Nil when the policy is in force.
  var staged: StagedAction?
  var file: String
  var document: Int
}

/// `projectcalico.org/v3` StagedKubernetesNetworkPolicy: what would stand in place of Kubernetes' own NetworkPolicy of its name.
struct CalicoStagedNetworkPolicy: PolicyObject {
  static let engines = CalicoPolicy.engines

  var name: ObjectName
  var policy: NetworkPolicy
  var action: CalicoPolicy.StagedAction
  var rules: [RuleDescription] { [] }
}

/// `*` in a name stands for any characters, dots too.
struct CalicoDomain: NameMatcher, Hashable {
  private let glob: Glob
  let labels: [String]
  var description: String { glob.description }
  var isWildcard: Bool { !glob.isLiteral }

  /// Nil with other characters than those of names, or more than one `*`.
  init?(_ text: String) {
    let name = DomainName(presentation: text).text
    let isSpelled = name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || "-_.*".utf8.contains($0)
    }
    guard isSpelled, (1...253).contains(name.utf8.count), name.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= 1 else { return nil }
    glob = Glob(name)
    labels = DomainName(presentation: name).labels.map(String.init)
  }

  func matches(_ name: LabelledName) -> Bool { glob.matches(name.text) }
}

/// `projectcalico.org/v3` Tier.
struct CalicoTier: PolicyObject {
  static let engines = CalicoPolicy.engines

  var name: ObjectName
  /// Nil comes last.
  var order: Double?
  /// What becomes of a flow that no rule of the tier decides: Deny, else Pass.
  var denies: Bool
  var rules: [RuleDescription] { [] }

  /// Those that are there without being declared. NetworkPolicies stand in `default`, ClusterNetworkPolicies in the other two.
  static let builtIn: [(name: String, order: Double, denies: Bool)] = [
    ("kube-admin", 1000, false), ("default", 1_000_000, true), ("kube-baseline", 10_000_000, false),
  ]
}

/// `projectcalico.org/v3` NetworkSet or GlobalNetworkSet: blocks (in Enterprise also names) that rules mean by labels.
struct CalicoNetworkSet: PolicyObject {
  static let engines = CalicoPolicy.engines

  var name: ObjectName
  /// With the namespace's.
  var labels: [String: String]
  var blocks: [IPPrefix]
  var domains: [CalicoDomain]
  var rules: [RuleDescription] { [] }
}
