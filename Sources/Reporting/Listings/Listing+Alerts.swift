public import EgressModel

/// One alert and what became of it, for `alerts list`.
public struct AlertSummary: Equatable, Sendable {
  public var id: String
  public var time: Timestamp
  public var finding: FindingKind
  public var severity: Severity
  public var title: String
  public var hook: String
  /// `pending`, `delivered`, `failed` …
  public var state: String
  public var attempts: Int
  public var nextAttempt: Timestamp?
  public var lastError: String?

  public init(
    id: String, time: Timestamp, finding: FindingKind, severity: Severity, title: String, hook: String, state: String, attempts: Int = 0,
    nextAttempt: Timestamp? = nil, lastError: String? = nil
  ) {
    self.id = id
    self.time = time
    self.finding = finding
    self.severity = severity
    self.title = title
    self.hook = hook
    self.state = state
    self.attempts = attempts
    self.nextAttempt = nextAttempt
    self.lastError = lastError
  }

  /// The shape `egress-obs.alert-status.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.alert-status.v1"),
      "id": .string(id),
      "time": .string(time.description),
      "finding": .string(finding.rawValue),
      "severity": .string(severity.rawValue),
      "title": .string(title),
      "hook": .string(hook),
      "state": .string(state),
      "attempts": .integer(Int64(attempts)),
      "next_attempt": nextAttempt.map { .string($0.description) },
      "last_error": lastError.map { .string($0) },
    ])
  }
}

extension Listing where Record == AlertSummary {
  public static var alerts: Listing {
    Listing(
      "alerts",
      columns: [
        Column("id", width: 16) { .text($0.id) },
        Column("time", width: 20) { Cell(time: $0.time) },
        Column("finding", colour: { $0.severity.colour }) { .text($0.finding.rawValue) },
        Column("severity", .details) { .text($0.severity.rawValue) },
        Column("hook") { .text($0.hook) },
        Column("state", width: 9) { .text($0.state) },
        Column("attempts", isNumeric: true) { Cell(count: $0.attempts) },
        Column("next_attempt", .details, width: 20) { Cell(time: $0.nextAttempt) },
        Column("last_error", .details, width: 24) { Cell(text: $0.lastError) },
        Column("title", width: 40) { .text($0.title) },
      ],
      json: \.json)
  }
}
