/// By whose rules the kinds of policies combine.
public enum Engine: String, CaseIterable, Sendable {
  /// Found from the manifests.
  case auto
  /// The text of the Kubernetes API, and nothing of any plugin.
  case generic

  /// Takes the word of a command line.
  public init(named name: String) throws(PolicyError) {
    guard let engine = Engine(rawValue: name.lowercased()) else { throw .unsupportedEngine(name) }
    self = engine
  }
}
