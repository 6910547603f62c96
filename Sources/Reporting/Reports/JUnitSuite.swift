import Drift
import EgressModel
import Policy

/// One test suite in JUnit's XML, as CI systems read it: a test case for each conversation, with what is wrong with it.
struct JUnitSuite {
  private struct Case {
    var group: String
    var name: String
    var failures: [(type: String, message: String)] = []
    var skipped: String?
    /// What is to be known but is no failure.
    var notes: [String] = []
  }

  private var name: String
  private var cases: [Case]
  private var notes: [String]

  /// A case for each workload and destination, those without findings included, and one for each finding about a rule alone.
  init(_ report: DriftReport, failOn: FailureBar<FindingKind>) {
    name = "egress-obs report"
    let subjects = report.subjects.sorted()
    cases = subjects.map { Case(group: $0.group, name: $0.description) }
    var indices = Dictionary(subjects.enumerated().map { ($1, $0) }) { first, _ in first }
    for finding in report.findings {
      let message = finding.reason.map { "\(finding.title): \($0)" } ?? finding.title
      let index: Int
      if let subject = finding.subject {
        // Subjects are third parties; what is denied inside of the cluster gets its case here.
        index = indices[subject] ?? cases.endIndex
        indices[subject] = index
        if index == cases.endIndex { cases.append(Case(group: subject.group, name: subject.description)) }
      } else {
        index = cases.endIndex
        cases.append(Case(group: finding.rule?.policy ?? "policies", name: finding.rule?.description ?? finding.title))
      }
      if failOn.isEmpty || failOn.isReached(by: finding.kind, finding.severity) {
        cases[index].failures.append((finding.kind.rawValue, message))
      } else {
        cases[index].notes.append("\(finding.kind.rawValue): \(message)")
      }
    }
    notes = CoverageText.lines(report.coverage)
  }

  /// A case for each flow; what cannot be decided is skipped, which is not passed.
  init(_ report: CheckReport) {
    name = "egress-obs check"
    notes = []
    cases = report.results.map { result in
      var test = Case(group: result.workload.group, name: "\(result.id) \(result.title)")
      if let failure = report.failure(of: result) {
        test.failures = [(result.verdict.decision.rawValue, failure + (result.verdict.reason.map { ": \($0)" } ?? ""))]
      } else if result.verdict.decision == .undecidable, result.expected == nil {
        test.skipped = result.verdict.reason ?? "undecidable"
      }
      return test
    }
  }

  /// A case for each finding of an audit, and one that passes when there is none.
  init(_ report: AuditReport, failOn: FailureBar<AuditFinding.Check>) {
    name = "egress-obs audit"
    notes = []
    cases = report.findings.map { finding in
      var test = Case(group: finding.subject, name: finding.check.rawValue)
      let message = [finding.reason, finding.fix, finding.place].compactMap(\.self).joined(separator: "; ")
      if failOn.isEmpty || failOn.isReached(by: finding.check, finding.severity) {
        test.failures = [(finding.check.rawValue, message)]
      } else {
        test.notes = [message]
      }
      return test
    }
    if cases.isEmpty { cases = [Case(group: "policies", name: "audit")] }
  }

  var text: String {
    let failures = cases.count { !$0.failures.isEmpty }
    let skipped = cases.count { $0.skipped != nil }
    let counts = "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\" skipped=\"\(skipped)\""
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(counts)>\n"
    xml += "  <testsuite name=\"\(name)\" \(counts)>\n"
    for test in cases { xml += Self.element(test) }
    if !notes.isEmpty { xml += "    <system-out>" + notes.map(Escaping.xml).joined(separator: "\n") + "</system-out>\n" }
    return xml + "  </testsuite>\n</testsuites>\n"
  }

  private static func element(_ test: Case) -> String {
    let head = "    <testcase classname=\"\(Escaping.xml(test.group))\" name=\"\(Escaping.xml(test.name))\""
    var body = ""
    // One element for all of them: some readers take only the first failure of a case.
    if let first = test.failures.first {
      let messages = test.failures.map { Escaping.xml($0.message) }.joined(separator: "\n")
      let types = test.failures.map(\.type).joined(separator: " ")
      body += "      <failure type=\"\(types)\" message=\"\(Escaping.xml(first.message))\">\(messages)</failure>\n"
    }
    if let reason = test.skipped { body += "      <skipped message=\"\(Escaping.xml(reason))\"/>\n" }
    if !test.notes.isEmpty { body += "      <system-out>\(test.notes.map(Escaping.xml).joined(separator: "\n"))</system-out>\n" }
    return body.isEmpty ? head + "/>\n" : head + ">\n" + body + "    </testcase>\n"
  }
}
