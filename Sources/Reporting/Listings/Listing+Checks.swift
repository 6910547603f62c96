public import EgressModel

/// The verdict on one flow that `check` was asked about.
public struct CheckResult: Equatable, Sendable {
  /// The caller's own name for the flow.
  public var id: String
  public var workload: Workload
  public var destination: Destination
  public var verdict: Verdict
  /// What `--expect` says; nil without one.
  public var expected: Verdict.Decision?

  public init(id: String, workload: Workload, destination: Destination, verdict: Verdict, expected: Verdict.Decision? = nil) {
    self.id = id
    self.workload = workload
    self.destination = destination
    self.verdict = verdict
    self.expected = expected
  }

  public var isAsExpected: Bool { expected.map { $0 == verdict.decision } ?? true }

  /// The rules that decided, or the one that came nearest, which `reason` is about.
  var rules: [RuleReference] { verdict.by.isEmpty ? verdict.nearest.map { [$0] } ?? [] : verdict.by }

  public var json: JSONValue {
    .object([
      "id": .string(id),
      "decision": .string(verdict.decision.rawValue),
      "expected": isAsExpected ? nil : expected.map { .string($0.rawValue) },
      "by": rules.isEmpty ? nil : .array(rules.map(\.json)),
      "reason": verdict.reason.map { .string($0) },
      "bypass": verdict.bypass?.json,
      "would": verdict.would?.json,
    ])
  }
}

extension Listing where Record == CheckResult {
  /// `check`, in the order of its input.
  public static var checks: Listing {
    Listing(
      "checks",
      columns: [
        Column("id") { .text($0.id) },
        Column("from", width: 24) { .text($0.workload.pathName) },
        Column("to", width: 32) { .text($0.destination.description) },
        Column("protocol", .details) { .text($0.destination.transport.description) },
        Column("decision", width: 11, colour: { $0.isAsExpected ? $0.verdict.decision.colour : .red }) { .text($0.verdict.decision.rawValue) },
        Column("would", .details) { Cell(text: $0.verdict.would?.decision.rawValue) },
        Column("expected") { Cell(text: $0.expected?.rawValue) },
        Column("by", width: 24) { Cell(text: $0.rules.map(\.description).listWording) },
        Column("reason", width: 24) { Cell(text: $0.verdict.reason) },
      ],
      json: \.json)
  }
}

extension Workload {
  /// As `from` of a check names it: `shop/cart-1`, `systemd/nginx.service`.
  var pathName: String { kind == .pod ? "\(namespace ?? "default")/\(name)" : shortName }
}

extension Destination {
  /// `api.example.net (203.0.113.10:443)`, or the address and port alone.
  var description: String {
    let socket = SocketAddress(ip: address, port: port).description
    return names.first.map { "\($0.name) (\(socket))" } ?? socket
  }
}
