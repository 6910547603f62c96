/// What is wrong with a manifest, and where: enough for a person to find the place and mend it.
public struct ManifestError: Error, Hashable, Sendable, CustomStringConvertible {
  public var file: String
  /// Counted from 1; documents that hold nothing but comments do not count.
  public var document: Int
  /// Counted from 1.
  public var line: Int
  /// `spec.egress[0].to[0].ipBlock.cidr`; empty when the whole document is meant.
  public var path: String
  /// `"10.0.0.0" has no prefix length`
  public var problem: String
  /// `write 10.0.0.0/32`
  public var advice: String?

  public init(file: String, document: Int, line: Int, path: String = "", problem: String, advice: String? = nil) {
    self.file = file
    self.document = document
    self.line = line
    self.path = path
    self.problem = problem
    self.advice = advice
  }

  /// `policies/np.yaml:12 (document 2): spec.egress[0].to[0].ipBlock.cidr: "10.0.0.0" has no prefix length; write 10.0.0.0/32`
  public var description: String {
    "\(file):\(line) (document \(document)): \(path.isEmpty ? "" : path + ": ")\(problem)\(advice.map { "; " + $0 } ?? "")"
  }
}
