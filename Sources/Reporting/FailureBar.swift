public import EgressModel

/// What makes a run fail (`--fail-on`): findings of these kinds, and all at or above a severity.
public struct FailureBar<Kind: Hashable & Sendable>: Sendable {
  public var kinds: Set<Kind>
  public var severity: Severity?

  public init(kinds: Set<Kind> = [], severity: Severity? = nil) {
    self.kinds = kinds
    self.severity = severity
  }

  /// Nothing fails.
  public var isEmpty: Bool { kinds.isEmpty && severity == nil }

  public func isReached(by kind: Kind, _ severity: Severity) -> Bool {
    kinds.contains(kind) || self.severity.map { severity >= $0 } ?? false
  }
}

extension FailureBar: ExpressibleByArrayLiteral {
  public init(arrayLiteral kinds: Kind...) { self.init(kinds: Set(kinds)) }
}
