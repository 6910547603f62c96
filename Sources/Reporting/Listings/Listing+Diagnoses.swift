public import EgressModel

/// What `doctor` says of one thing that must work.
public struct Diagnosis: Equatable, Sendable {
  public enum Status: String, CaseIterable, Comparable, Sendable {
    case ok
    case warn
    case fail

    public static func < (a: Status, b: Status) -> Bool { a.gravity < b.gravity }

    private var gravity: Int {
      switch self {
      case .ok: 0
      case .warn: 1
      case .fail: 2
      }
    }
  }

  public var check: String
  public var status: Status
  public var detail: String
  /// What to do about it; nil when all is well.
  public var nextStep: String?

  public init(check: String, status: Status, detail: String, nextStep: String? = nil) {
    self.check = check
    self.status = status
    self.detail = detail
    self.nextStep = nextStep
  }

  /// The shape `egress-obs.diagnosis.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.diagnosis.v1"),
      "check": .string(check),
      "status": .string(status.rawValue),
      "detail": .string(detail),
      "next_step": nextStep.map { .string($0) },
    ])
  }
}

extension Listing where Record == Diagnosis {
  public static var diagnoses: Listing {
    Listing(
      "diagnoses",
      columns: [
        Column("status", colour: { $0.status.colour }) { .text($0.status.rawValue) },
        Column("check", width: 20) { .text($0.check) },
        Column("detail", width: 40) { .text($0.detail) },
        Column("next_step", width: 24) { Cell(text: $0.nextStep) },
      ],
      json: \.json)
  }
}

extension Diagnosis.Status {
  fileprivate var colour: Colour {
    switch self {
    case .ok: .green
    case .warn: .yellow
    case .fail: .red
    }
  }
}
