import EgressModel

/// Findings of single endpoints, folded into one per subject and kind.
struct FoldedFindings {
  private struct Key: Hashable {
    var subject: Subject
    var kind: FindingKind
  }

  private var findings: [Finding] = []
  private var places: [Key: Int] = [:]

  /// `subject` is the finding's.
  mutating func add(_ finding: Finding, _ subject: Subject) {
    let place = places[Key(subject: subject, kind: finding.kind), default: findings.count]
    if place < findings.count {
      findings[place] = findings[place].folded(with: finding)
    } else {
      places[Key(subject: subject, kind: finding.kind)] = place
      findings.append(finding)
    }
  }

  /// Gives them away, in the order of their first endpoints.
  mutating func take() -> [Finding] {
    var taken: [Finding] = []
    swap(&taken, &findings)
    places = [:]
    return taken
  }
}

extension Finding {
  /// The sums of both, told in the words of the graver one, then of the one with more bytes.
  fileprivate func folded(with other: Finding) -> Finding {
    var result = other.precedes(self) ? other : self
    result.firstSeen = [firstSeen, other.firstSeen].compactMap(\.self).min()
    result.lastSeen = [lastSeen, other.lastSeen].compactMap(\.self).max()
    result.flows = flows.saturatingSum(other.flows)
    result.bytes = bytes.saturatingSum(other.bytes)
    result.samples = Array((samples + other.samples).prefix(3))
    return result
  }
}

extension UInt64 {
  // Counters come from a database that anybody may have written to; a sum must not trap.
  func saturatingSum(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

extension FlowCounterPair {
  func saturatingSum(_ other: FlowCounterPair) -> FlowCounterPair {
    FlowCounterPair(out: out.saturatingSum(other.out), in: `in`.saturatingSum(other.in))
  }
}
