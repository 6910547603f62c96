/// The declared policies of a cluster and its hosts, each dialect in its own model.
///
/// Files are added one by one, in any order: the order never changes a verdict. What cannot be read is returned as errors, all of a file at
/// once, and everything else of the file is kept. Objects that are no policies (pods, namespaces, deployments …) are passed over; objects
/// that may be policies of a kind not known here are listed in `notUnderstood`.
public struct PolicySet: Sendable {
  /// An object that may hold policy and is not evaluated.
  public struct UnknownObject: Hashable, Sendable, CustomStringConvertible {
    public var apiVersion: String
    public var kind: String
    public var name: String?
    public var file: String
    public var document: Int
    public var line: Int

    /// `policies/x.yaml:1 (document 1): example.com/v1 FooPolicy shop/web is not understood and was not evaluated`
    public var description: String {
      "\(file):\(line) (document \(document)): \(apiVersion) \(kind)\(name.map { " " + $0 } ?? "") is not understood and was not evaluated"
    }
  }

  /// What reads the kinds that are understood, by `apiVersion/kind`.
  private static let kinds: [String: any PolicyObject.Type] = [
    "networking.k8s.io/v1/NetworkPolicy": NetworkPolicy.self,
    "policy.networking.k8s.io/v1alpha2/ClusterNetworkPolicy": ClusterNetworkPolicy.self,
    "policy.networking.k8s.io/v1alpha1/AdminNetworkPolicy": ClusterNetworkPolicy.self,
    "policy.networking.k8s.io/v1alpha1/BaselineAdminNetworkPolicy": ClusterNetworkPolicy.self,
    "networking.gke.io/v1alpha1/FQDNNetworkPolicy": FQDNNetworkPolicy.self,
    "k8s.ovn.org/v1/EgressFirewall": EgressFirewall.self,
    "cilium.io/v2/CiliumNetworkPolicy": CiliumPolicy.self,
    "cilium.io/v2/CiliumClusterwideNetworkPolicy": CiliumPolicy.self,
    "cilium.io/v2/CiliumCIDRGroup": CiliumCIDRGroup.self,
    "cilium.io/v2alpha1/CiliumCIDRGroup": CiliumCIDRGroup.self,
    "networking.istio.io/v1/ServiceEntry": ServiceEntry.self, "networking.istio.io/v1/Sidecar": Sidecar.self,
    "networking.istio.io/v1beta1/ServiceEntry": ServiceEntry.self, "networking.istio.io/v1beta1/Sidecar": Sidecar.self,
    "networking.istio.io/v1alpha3/ServiceEntry": ServiceEntry.self, "networking.istio.io/v1alpha3/Sidecar": Sidecar.self,
    "v1/ConfigMap": MeshConfig.self,
    "\(EgressPolicy.apiVersion)/EgressPolicy": EgressPolicy.self,
  ].merging(calicoKinds) { $1 }

  /// By the API server of Calico, or by the custom resources that it keeps.
  private static let calicoKinds = Dictionary(
    uniqueKeysWithValues: ["projectcalico.org/v3", "crd.projectcalico.org/v1"].flatMap { version in
      [
        ("NetworkPolicy", CalicoPolicy.self), ("GlobalNetworkPolicy", CalicoPolicy.self), ("StagedNetworkPolicy", CalicoPolicy.self),
        ("StagedGlobalNetworkPolicy", CalicoPolicy.self), ("StagedKubernetesNetworkPolicy", CalicoStagedNetworkPolicy.self), ("Tier", CalicoTier.self), ("NetworkSet", CalicoNetworkSet.self),
        ("GlobalNetworkSet", CalicoNetworkSet.self),
      ].map { (kind: String, type: any PolicyObject.Type) in ("\(version)/\(kind)", type) }
    })

  public private(set) var notUnderstood: [UnknownObject] = []
  private(set) var objects: [any PolicyObject] = []
  private(set) var unitFiles = UnitFiles()
  /// Where each object was first seen.
  private(set) var places: [ObjectName: ObjectPlace] = [:]

  private let asked: Engine

  /// `engine`: by whose rules the policies are to be read and judged.
  public init(engine: Engine = .auto) {
    asked = engine
  }

  /// By whose rules the policies are judged: what was asked for, or is found from the manifests.
  public var engine: Engine {
    if asked != .auto { return asked }
    if objects.contains(where: { type(of: $0).engines == CiliumPolicy.engines }) { return .cilium }
    return objects.contains { type(of: $0).engines == CalicoPolicy.engines } ? .calico : .generic
  }

  /// Policies of kinds that `engine` does not implement: declared, and without effect.
  public var notEnforced: [String] {
    let engine = engine
    return objects.filter { !type(of: $0).engines.contains(engine) }.map(\.name.reference).sorted()
  }

  /// The policies without those.
  var enforced: PolicySet {
    let engine = engine
    var enforced = self
    enforced.objects.removeAll { !type(of: $0).engines.contains(engine) }
    return enforced
  }

  public var isEmpty: Bool { objects.isEmpty && unitFiles.isEmpty }

  /// How many policy objects and unit files are held.
  public var count: Int { objects.count + unitFiles.files.count }

  /// Every egress rule, sorted by reference. Rules that are without effect (of a NetworkPolicy without the type Egress, of a ServiceEntry in a mesh
  /// that lets everything out, of a kind that is not enforced) are left out.
  public var rules: [RuleDescription] {
    let isRegistryOnly = isRegistryOnly
    let rules = enforced.objects.filter { isRegistryOnly || !($0 is ServiceEntry) }.flatMap(\.rules) + unitFiles.files.flatMap(\.rules)
    return rules.sorted { $0.reference < $1.reference }
  }

  /// Whether some sidecars of a mesh let out only what is in the registry.
  var isRegistryOnly: Bool {
    all(MeshConfig.self).contains { $0.outbound == .registryOnly } || all(Sidecar.self).contains { $0.outbound == .registryOnly }
  }

  /// The objects of one dialect, in the order they were added.
  func all<Object: PolicyObject>(_: Object.Type) -> [Object] { objects.compactMap { $0 as? Object } }

  /// Whether the file at a path is, by its name, a unit file or drop-in of systemd (`X.service`, `X.slice`, `X.service.d/Y.conf` …).
  public static func isUnitFile(_ path: String) -> Bool { UnitLocation(path: path) != nil }

  /// Reads the manifests of one file, or one unit file of systemd, as its path says; `file` is also what errors call it.
  public mutating func add(_ text: String, file: String) -> [ManifestError] {
    guard let location = UnitLocation(path: file) else { return add(Manifests.read(text, file: file)) }
    let (unit, errors) = UnitFile.read(text, path: file, location: location)
    return errors.isEmpty ? [unitFiles.add(unit)].compactMap(\.self) : errors
  }

  /// Takes the policies out of manifests that are read already; returns the errors of both, by line.
  public mutating func add(_ manifests: Manifests) -> [ManifestError] {
    var errors = manifests.errors
    for object in manifests.objects {
      let problems = Problems(file: object.file, document: object.document, engine: asked)
      if let kind = Self.kinds["\(object.apiVersion)/\(object.kind)"] {
        if let policy = kind.read(object, problems), problems.errors.isEmpty, isNew(policy.name, object, problems) { objects.append(policy) }
      } else if !KnownKinds.holdsNoPolicy(object) {
        let name = object.name.map { name in object.namespace.map { "\($0)/\(name)" } ?? name }
        notUnderstood.append(
          UnknownObject(
            apiVersion: object.apiVersion, kind: object.kind, name: name, file: object.file, document: object.document, line: object.line))
      }
      errors += problems.errors
    }
    return errors.sorted { ($0.line, $0.path) < ($1.line, $1.path) }
  }

  /// Forgets the manifests of a file; `removed` is told of each policy.
  mutating func remove(file: String, _ removed: (any PolicyObject) -> Void) {
    notUnderstood.removeAll { $0.file == file }
    objects.removeAll { object in
      guard places[object.name]?.file == file else { return false }
      places[object.name] = nil
      removed(object)
      return true
    }
  }

  private mutating func isNew(_ name: ObjectName, _ object: ManifestObject, _ problems: Problems) -> Bool {
    if let place = places[name] {
      Field(value: object.root, path: object.path, problems: problems).refuse(
        "\(name.reference) is already defined at \(place.file):\(place.line)", "keep one of them, or give one another metadata.name")
      return false
    }
    places[name] = ObjectPlace(file: object.file, document: object.document, line: object.line)
    return true
  }
}

/// Where an object, or a part of it, stands.
struct ObjectPlace: Hashable, Sendable {
  var file: String
  var document: Int
  var line: Int
}

/// Kinds of Kubernetes' own API groups, none of which holds an egress policy but NetworkPolicy.
enum KnownKinds {
  private static let groups: Set<String> = [
    "", "apps", "batch", "autoscaling", "policy", "apiextensions.k8s.io", "apiregistration.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io",
    "certificates.k8s.io", "metrics.k8s.io", "kustomize.config.k8s.io",
  ]

  static func holdsNoPolicy(_ object: ManifestObject) -> Bool {
    if object.group == "networking.k8s.io" { return ["Ingress", "IngressClass", "IPAddress", "ServiceCIDR"].contains(object.kind) }
    // A policy under a wrong apiVersion must not vanish.
    return groups.contains(object.group) && !object.kind.contains("NetworkPolicy") && !object.kind.hasPrefix("Egress")
  }
}
