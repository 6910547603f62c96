/// A kind of object as the API serves it: `cilium.io/v2` `ciliumnetworkpolicies`.
public struct Resource: Hashable, Sendable, CustomStringConvertible {
  /// Empty for the core group.
  public var group: String
  public var version: String
  public var plural: String
  public var kind: String

  public init(group: String, version: String, plural: String, kind: String) {
    self.group = group
    self.version = version
    self.plural = plural
    self.kind = kind
  }

  /// `networking.k8s.io/v1`, `v1`.
  public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

  /// Of all namespaces.
  var path: String { (group.isEmpty ? "/api/" : "/apis/") + apiVersion + "/" + plural }

  /// As RBAC and `kubectl` name it: `ciliumnetworkpolicies.cilium.io`.
  public var description: String { group.isEmpty ? plural : "\(plural).\(group)" }

  public static let pods = Resource(group: "", version: "v1", plural: "pods", kind: "Pod")
  public static let namespaces = Resource(group: "", version: "v1", plural: "namespaces", kind: "Namespace")
  public static let nodes = Resource(group: "", version: "v1", plural: "nodes", kind: "Node")
  public static let services = Resource(group: "", version: "v1", plural: "services", kind: "Service")

  /// What every cluster serves and we read.
  static let inventory = [pods, namespaces, nodes, services]

  /// The kinds that hold egress policy, or what one refers to, by group.
  static let policyKinds: [String: Set<String>] = [
    "networking.k8s.io": ["networkpolicies"],
    "policy.networking.k8s.io": ["clusternetworkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies"],
    "cilium.io": ["ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies", "ciliumcidrgroups"],
    "projectcalico.org": calico, "crd.projectcalico.org": calico,
    "k8s.ovn.org": ["egressfirewalls"],
    "networking.gke.io": ["fqdnnetworkpolicies"],
    "networking.istio.io": ["serviceentries", "sidecars"],
    "egress-obs.dev": ["egresspolicies"],
  ]

  private static let calico: Set<String> = [
    "networkpolicies", "globalnetworkpolicies", "tiers", "networksets", "globalnetworksets", "stagednetworkpolicies",
    "stagedglobalnetworkpolicies", "stagedkubernetesnetworkpolicies",
  ]

  /// How manifests of this kind are written: Calico keeps its v3 objects in CRDs of another group.
  var manifestVersion: String { group == "crd.projectcalico.org" ? "projectcalico.org/v3" : apiVersion }
}

/// What `/apis` and `/apis/GROUP/VERSION` say about the kinds of interest.
enum Discovery {
  /// The versions of the groups of interest, the preferred one first.
  static func versions(inGroups body: [UInt8]) throws -> [(group: String, versions: [String])] {
    var found: [(group: String, versions: [String])] = []
    var cursor = JSONCursor(body)
    try cursor.members { cursor, key in
      guard key == "groups" else { return }
      try cursor.elements { cursor in
        var name = ""
        var versions: [String] = []
        var preferred: String?
        try cursor.members { cursor, key in
          switch key {
          case "name": name = try cursor.string() ?? ""
          case "versions": try cursor.elements { cursor in if let version = try version(&cursor) { versions.append(version) } }
          case "preferredVersion": preferred = try version(&cursor)
          default: break
          }
        }
        guard Resource.policyKinds[name] != nil else { return }
        if let preferred { versions = [preferred] + versions.filter { $0 != preferred } }
        found.append((name, versions))
      }
    }
    // With the aggregated API there, its storage would say everything twice.
    if found.contains(where: { $0.group == "projectcalico.org" }) { found.removeAll { $0.group == "crd.projectcalico.org" } }
    return found
  }

  private static func version(_ cursor: inout JSONCursor) throws -> String? {
    var version: String?
    try cursor.members { cursor, key in if key == "version" { version = try cursor.string() } }
    return version
  }

  /// The kinds of interest that one version of a group serves, and that can be watched.
  static func resources(inList body: [UInt8], group: String, version: String) throws -> [Resource] {
    var found: [Resource] = []
    var cursor = JSONCursor(body)
    try cursor.members { cursor, key in
      guard key == "resources" else { return }
      try cursor.elements { cursor in
        var plural = ""
        var kind = ""
        var verbs: Set<String> = []
        try cursor.members { cursor, key in
          switch key {
          case "name": plural = try cursor.string() ?? ""
          case "kind": kind = try cursor.string() ?? ""
          case "verbs": try cursor.elements { cursor in if let verb = try cursor.string() { verbs.insert(verb) } }
          default: break
          }
        }
        guard Resource.policyKinds[group]?.contains(plural) == true, verbs.isSuperset(of: ["list", "watch"]) else { return }
        found.append(Resource(group: group, version: version, plural: plural, kind: kind))
      }
    }
    return found
  }
}
