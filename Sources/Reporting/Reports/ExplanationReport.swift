import Drift
public import EgressModel
public import Policy

/// What `explain` says: how a workload came to an endpoint, and how the verdict on it comes about.
public struct ExplanationReport: Sendable {
  public var flows: [ExplainedFlow]
  /// Of what was watched; nil where nothing but manifests was asked.
  public var coverage: Coverage?

  public init(flows: [ExplainedFlow], coverage: Coverage?) {
    self.flows = flows
    self.coverage = coverage
  }

  public func render(as format: OutputFormat, style: TextStyle = TextStyle()) -> String {
    guard format == .table || format == .wide else { return Listing.explanations.render(flows, as: format, style: style, coverage: coverage) }
    let texts = flows.map { ExplanationText($0, isWatched: coverage != nil, showsAllRules: format == .wide, style: style).text }
    return texts.joined(separator: "\n") + (coverage.map { "\n" + CoverageText.text($0) } ?? "")
  }
}

/// One workload and one endpoint of it.
public struct ExplainedFlow: Sendable {
  /// An answer to a look-up, and how often it was the same.
  public struct Lookup: Sendable {
    public var answer: NameRecord
    public var count: UInt64

    public init(_ answer: NameRecord, count: UInt64) {
      self.answer = answer
      self.count = count
    }
  }

  public var workload: Workload
  public var destination: Destination
  /// Whether the destination's address is known; where it is not, it is the unspecified one.
  public var isAddressKnown: Bool
  /// Oldest first.
  public var lookups: [Lookup]
  /// What was counted of it; nil when it was never seen.
  public var observed: Endpoint?
  /// Newest first.
  public var samples: [FlowRecord]
  public var explanation: Explanation
  /// Of the policies, for what they say and where they stand.
  public var rules: [RuleReference: RuleDescription]

  public init(
    workload: Workload, destination: Destination, isAddressKnown: Bool = true, lookups: [Lookup] = [], observed: Endpoint? = nil,
    samples: [FlowRecord] = [], explanation: Explanation, rules: [RuleReference: RuleDescription]
  ) {
    self.workload = workload
    self.destination = destination
    self.isAddressKnown = isAddressKnown
    self.lookups = lookups
    self.observed = observed
    self.samples = samples
    self.explanation = explanation
    self.rules = rules
    if !isAddressKnown { doubtAddresses() }
  }

  /// Rules about addresses could not be asked, and each of them may allow it.
  private mutating func doubtAddresses() {
    let placeholder = destination.address.description
    let doubt = "no address of \(destination.names.first?.name.text ?? "it") is known"
    for reading in explanation.readings.indices {
      var isDoubtful = false
      for end in explanation.readings[reading].ends.indices {
        for rule in explanation.readings[reading].ends[end].rules.indices {
          guard case .fails(let reason) = explanation.readings[reading].ends[end].rules[rule].outcome, reason.contains(placeholder) else { continue }
          explanation.readings[reading].ends[end].rules[rule].outcome = .unclear(doubt)
          isDoubtful = true
        }
      }
      guard isDoubtful, explanation.readings[reading].verdict.decision == .denied else { continue }
      let undecidable = Verdict(
        decision: .undecidable, reason: "\(doubt), and rules about addresses may allow it", selectedBy: explanation.readings[reading].verdict.selectedBy)
      explanation.readings[reading].verdict = undecidable
      (explanation.verdict, explanation.denials) = (undecidable, [])
    }
  }

  /// The policies that select the workload and of which no rule is asked.
  var policiesWithoutRules: [String] {
    let asked = Set(explanation.readings.flatMap(\.ends).flatMap(\.rules).map(\.rule.policy))
    return explanation.verdict.selectedBy.filter { !asked.contains($0) }
  }

  /// What would have to be different for the flow to be allowed.
  var changes: [String] {
    var changes: [String] = []
    for denial in explanation.denials {
      let change: String
      if let rule = denial.by.first {
        change = "\(place(of: rule)) must not match it" + (denial.nearest.map { ", or \(place(of: $0)) must match and be asked first" } ?? "")
      } else if let rule = denial.nearest {
        let miss = denial.reason.map { $0.hasPrefix("\(rule): ") ? String($0.dropFirst("\(rule): ".count)) : $0 }
        change = "\(place(of: rule)) came nearest" + (miss.map { ": \($0)" } ?? "")
      } else {
        change = "a rule must allow it" + (denial.reason.map { ": \($0)" } ?? "")
      }
      if !changes.contains(change) { changes.append(change) }
    }
    return changes
  }

  /// `netpol/shop/web-egress#0 (policies/shop.yaml:12)`
  private func place(of rule: RuleReference) -> String { rule.shortName + (rules[rule].map { " (\($0.file):\($0.line))" } ?? "") }
}

extension ExplainedFlow {
  /// The shape `egress-obs.explanation.v1`.
  public var json: JSONValue {
    .object([
      "schema": .string("egress-obs.explanation.v1"),
      "workload": workload.json,
      "stands_for": explanation.subject.map { .string($0) },
      "destination": destinationJSON,
      "lookups": lookups.isEmpty ? nil : .array(lookups.map { .object(["answer": $0.answer.json, "count": .unsigned($0.count)]) }),
      "flows": observed.map { .unsigned($0.flows) },
      "answered": observed.map { .unsigned($0.answered) },
      "samples": samples.isEmpty ? nil : .array(samples.map(\.json)),
      "verdict": explanation.verdict.json,
      "selected_by": .strings(explanation.verdict.selectedBy),
      "readings": .array(explanation.readings.map(readingJSON)),
      "aliases": explanation.aliases.isEmpty ? nil : .array(explanation.aliases.map { .object(["name": .string($0.name.text), "rule": $0.rule.json]) }),
      "changes": changes.isEmpty ? nil : .strings(changes),
    ])
  }

  private var destinationJSON: JSONValue {
    guard !isAddressKnown, case .object(let members) = destination.json else { return destination.json }
    return .object(members.filter { $0.key != "ip" })
  }

  private func readingJSON(_ reading: Explanation.Reading) -> JSONValue {
    .object([
      "basis": .string(reading.basis.word),
      "names": reading.basis.names.isEmpty ? nil : .strings(reading.basis.names.map(\.text)),
      "verdict": reading.verdict.json,
      "ends": .array(reading.ends.map { end in .object(["place": .string(end.place), "rules": .array(end.rules.map(accountJSON))]) }),
    ])
  }

  private func accountJSON(_ account: RuleAccount) -> JSONValue {
    let (word, reason): (String, String?) =
      switch account.outcome {
      case .fits: ("fits", nil)
      case .fails(let reason): ("fails", reason)
      case .unclear(let reason): ("unclear", reason)
      }
    return .object([
      "policy": .string(account.rule.policy), "rule": .integer(Int64(account.rule.rule)), "summary": rules[account.rule].map { .string($0.summary) },
      "file": rules[account.rule].map { .string($0.file) }, "line": rules[account.rule].map { .integer(Int64($0.line)) }, "outcome": .string(word),
      "reason": reason.map { .string($0) },
    ])
  }
}

extension Explanation.Basis {
  var word: String {
    switch self {
    case .said: "said"
    case .lookedUp: "looked-up"
    case .nothing: "nothing"
    case .address: "address"
    }
  }

  var names: [DomainName] {
    switch self {
    case .said(let name): [name]
    case .lookedUp(let names), .address(let names): names
    case .nothing: []
    }
  }
}

extension Listing where Record == ExplainedFlow {
  /// `explain`, but for the text that people read.
  static var explanations: Listing {
    Listing(
      "explanations",
      columns: [
        Column("workload", width: 24) { .text($0.workload.group) },
        Column("destination", width: 32) { .text($0.destination.label) },
        Column("address", .csv) { Cell(text: $0.isAddressKnown ? $0.destination.address.description : nil) },
        Column("decision", width: 11) { .text($0.explanation.verdict.decision.rawValue) },
        Column("by", width: 24) { Cell(text: $0.explanation.verdict.by.map(\.description).listWording) },
        Column("nearest", width: 24) { Cell(text: $0.explanation.verdict.nearest?.description) },
        Column("bypass", width: 24) { Cell(text: $0.explanation.verdict.bypass?.description) },
        Column("reason", width: 24) { Cell(text: $0.explanation.verdict.reason) },
      ],
      json: \.json)
  }
}
