/// What a report can say of an endpoint or a rule; the words are public (CLI, SARIF rule ids, alerts).
public enum FindingKind: String, CaseIterable, Sendable, Codable {
  /// An endpoint this workload never talked to before, that nothing approved.
  case new
  /// A policy denies it.
  case denied
  /// Let through only because an address is shared: the name said in the connection is not one the policy allows.
  case bypass
  /// No egress policy selects the workload.
  case unprotected
  /// Allowed only by a rule so wide that it says nothing.
  case wide
  /// A rule that nothing used in the window.
  case stale
  /// Third-party bytes that no evidence names.
  case unnamed
  /// A workload that asks a resolver outside the cluster over an encrypted channel.
  case encryptedDNS = "encrypted-dns"
}

public enum Severity: String, CaseIterable, Comparable, Sendable, Codable {
  case info
  case warning
  case critical

  public static func < (a: Severity, b: Severity) -> Bool {
    allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
  }
}

/// One line of a report.
public struct Finding: Equatable, Sendable {
  /// Denied flows: what came back over the wire.
  public enum Enforcement: String, Sendable, Codable {
    /// No answer came back.
    case blocked
    /// It was answered: the policy is not enforced.
    case reached
  }

  public var kind: FindingKind
  public var severity: Severity
  /// One sentence for a person: `shop/web talks to api.segment.io:443 for the first time`.
  public var title: String
  /// Nil for findings about a rule alone.
  public var workload: Workload?
  public var destination: Destination?
  public var vendor: Vendor?
  public var firstSeen: Timestamp?
  public var lastSeen: Timestamp?
  public var flows: UInt64
  public var bytes: FlowCounterPair
  /// The rule that decided or came nearest.
  public var rule: RuleReference?
  /// Why: the first failing condition, what is wide about the rule, why nothing names it.
  public var reason: String?
  public var enforcement: Enforcement?
  /// Up to three sample flows, as evidence.
  public var samples: [FlowRecord]

  public init(
    kind: FindingKind, severity: Severity, title: String, workload: Workload? = nil, destination: Destination? = nil, vendor: Vendor? = nil,
    firstSeen: Timestamp? = nil, lastSeen: Timestamp? = nil, flows: UInt64 = 0, bytes: FlowCounterPair = FlowCounterPair(),
    rule: RuleReference? = nil, reason: String? = nil, enforcement: Enforcement? = nil, samples: [FlowRecord] = []
  ) {
    self.kind = kind
    self.severity = severity
    self.title = title
    self.workload = workload
    self.destination = destination
    self.vendor = vendor
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.flows = flows
    self.bytes = bytes
    self.rule = rule
    self.reason = reason
    self.enforcement = enforcement
    self.samples = samples
  }
}

/// IP-layer octets both ways.
public struct FlowCounterPair: Hashable, Sendable {
  public var out: UInt64
  public var `in`: UInt64
  public init(out: UInt64 = 0, in: UInt64 = 0) {
    self.out = out
    self.in = `in`
  }
}
