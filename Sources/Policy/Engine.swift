/// By whose rules the kinds of policies combine: the data path that enforces them.
public enum Engine: String, CaseIterable, Sendable {
  /// Found from the manifests: `cilium` or `calico` if there is an object of theirs, else `generic`.
  case auto
  /// The text of the Kubernetes API, and nothing of any plugin.
  case generic
  case cilium
  case calico
  /// With the names that open-source Calico does not match.
  case calicoEnterprise = "calico-enterprise"

  /// Takes the word of a command line.
  public init(named name: String) throws(PolicyError) {
    guard let engine = Engine(rawValue: name.lowercased()) else { throw .unsupportedEngine(name) }
    self = engine
  }
}
