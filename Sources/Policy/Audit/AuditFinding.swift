public import EgressModel

/// One thing that is to be said of the declared policies, without any traffic.
public struct AuditFinding: Hashable, Sendable {
  /// The words are public (CLI, SARIF rule ids); where they are those of `FindingKind` they mean the same.
  public enum Check: String, CaseIterable, Sendable {
    /// Pods may send to anywhere, because nothing denies by default.
    case unprotected
    /// A rule so wide that it says nothing.
    case wide
    /// Connections are taken from any source, or from a wide external one.
    case wideIngress = "wide-ingress"
    /// Names are allowed, and the pods may not ask for them.
    case noDNS = "no-dns"
    /// What is written about egress has no effect.
    case inert
    /// A rule that another one covers, or that comes too late to be reached.
    case shadowed
    /// A rule that stands there twice.
    case duplicate
    /// A selector that nothing in the inventory matches.
    case unmatched
    /// The data path does not implement the kind, or does not apply the object.
    case notEnforced = "not-enforced"
    /// A kind that may hold policy and is not known here.
    case notUnderstood = "not-understood"
  }

  public var check: Check
  public var severity: Severity
  /// The namespace, the policy (`NetworkPolicy/shop/web`) or the rule (`NetworkPolicy/shop/web#1`) that it is about.
  public var subject: String
  /// Nil where it is about no single rule.
  public var rule: RuleReference?
  /// Why, in a sentence without its end.
  public var reason: String
  /// What to do about it.
  public var fix: String
  /// Nil where it is about what is not there.
  public var file: String?
  public var line: Int?
}

extension AuditFinding.Check {
  /// One sentence.
  public var meaning: String {
    switch self {
    case .unprotected: "Nothing denies by default what the pods of a namespace send."
    case .wide: "A rule is so wide that it says nothing."
    case .wideIngress: "Connections are taken from any source, or from a wide external one."
    case .noDNS: "Names are allowed, and the workloads may not look them up."
    case .inert: "What a policy says about egress has no effect."
    case .shadowed: "A rule has no effect, because another rule covers it or comes before it."
    case .duplicate: "A rule stands there twice."
    case .unmatched: "Nothing in the inventory matches a selector."
    case .notEnforced: "The data path does not apply the policy."
    case .notUnderstood: "An object that may hold policy is of a kind that is not understood."
    }
  }

  var severity: Severity {
    switch self {
    case .unprotected, .wideIngress, .noDNS, .inert, .notEnforced, .notUnderstood: .warning
    case .wide, .shadowed, .duplicate, .unmatched: .info
    }
  }
}
