/// What can go wrong besides manifests, whose errors are collected (`ManifestError`).
public enum PolicyError: Error, Hashable, Sendable, CustomStringConvertible {
  case unsupportedEngine(String)
  /// `field` is empty when the whole line is meant.
  case badFlow(file: String, line: Int, field: String, problem: String)
  /// Why no policy can be suggested.
  case noSuggestion(String)

  public var description: String {
    switch self {
    case .unsupportedEngine(let name):
      "engine \(quoted(name)) is not supported; supported: \(Engine.allCases.map(\.rawValue).joined(separator: ", "))"
    case .badFlow(let file, let line, let field, let problem):
      "\(file):\(line): \(field.isEmpty ? "" : field + ": ")\(problem)"
    case .noSuggestion(let reason): reason
    }
  }
}
