public import EgressModel

/// The least policy that lets a workload do what it was seen to do, as text for a person to review.
///
/// It is parsed and judged again before anybody sees it: every observation is allowed by it, but for those that are `leftOut`.
public struct Suggestion: Sendable {
  /// A manifest, with the evidence in comments.
  public let text: String
  /// What was observed and the dialect cannot let through on its own, with the reason; also in the text.
  public let leftOut: [String]

  /// - Parameters:
  ///   - endpoints: what was observed; only those of `subject` count.
  ///   - inventory: where labels and addresses of pods are found.
  ///   - rotating: the parents that stand for names that come and go.
  ///   - remarks: what else is to be said at the top.
  public init(
    for subject: SuggestionSubject, from endpoints: [Endpoint], in dialect: PolicyDialect, inventory: Inventory,
    rotating: [DomainName: DomainName] = [:], remarks: [String] = []
  ) throws(PolicyError) {
    let endpoints = endpoints.filter { subject.contains($0.workload) }
    guard !endpoints.isEmpty else { throw .noSuggestion("nothing was observed of \(subject.title)") }
    let cluster = Cluster(inventory)
    let needs = Needs(of: endpoints, in: dialect, cluster: cluster, rotating: rotating)
    let draft = try SuggestionDraft(subject, needs, dialect, cluster)
    leftOut = needs.leftOut
    var writer = YAMLWriter()
    writer.comment("Least egress of \(subject.title) as \(dialect.title).")
    for remark in remarks + draft.remarks { writer.comment(remark) }
    for line in leftOut { writer.comment("left out: \(line)") }
    draft.write(to: &writer)
    text = writer.text
    try Self.check(text, draft, endpoints, needs.isMet, inventory)
  }

  /// Reads and judges the text as if somebody else had written it.
  private static func check(
    _ text: String, _ draft: SuggestionDraft, _ endpoints: [Endpoint], _ isMet: [Bool], _ inventory: Inventory
  ) throws(PolicyError) {
    var policies = PolicySet(engine: draft.dialect.engine)
    if let error = policies.add(text, file: draft.file).first { throw .noSuggestion("what was written cannot be read back: \(error)") }
    let judge = Judge(policies: policies, inventory: inventory)
    var isSelected = false
    for (endpoint, isMet) in zip(endpoints, isMet) {
      let verdict = judge.judge(endpoint.workload, endpoint.destination)
      isSelected = isSelected || !verdict.selectedBy.isEmpty
      guard isMet, verdict.decision == .denied || verdict.decision == .undecidable else { continue }
      throw .noSuggestion(
        "the policy that was written would not let \(endpoint.workload.shortName) talk to \(endpoint.destination.what): \(verdict.reason ?? verdict.decision.rawValue)")
    }
    guard isSelected else {
      throw .noSuggestion("\(draft.dialect.title) selects no pod of \(draft.subject.title): those on the host network, and those that are not in the inventory, are out of its reach")
    }
  }
}
