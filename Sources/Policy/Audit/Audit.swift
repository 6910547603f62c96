public import EgressModel

/// What is to be said of the declared policies alone, by `audit`: offline, before any packet.
///
/// Policies are compared with each other and with the inventory. Without pods in it, nothing is said of namespaces and selectors.
/// Which domains strangers share is for the caller to know.
public struct Audit: Sendable {
  /// The gravest first; then by check, place and subject.
  public private(set) var findings: [AuditFinding] = []

  /// - Parameter sharing: why a wildcard below a domain lets strangers in; nil when it does not.
  public init(policies: PolicySet, inventory: Inventory, sharing: (DomainName) -> String? = { _ in nil }) {
    let cluster = Cluster(inventory)
    let judge = Judge(policies: policies, inventory: inventory)
    let enforced = policies.enforced
    addUnprotected(judge, cluster)
    addUnmatched(enforced, judge, cluster)
    addNoDNS(enforced, judge, cluster)
    addRules(enforced, sharing)
    addTraps(enforced)
    addIngress(enforced)
    addUnused(policies)
    findings.sort { Self.key($0) < Self.key($1) }
  }

  private static func key(_ finding: AuditFinding) -> (Int, String, String, Int, String) {
    let gravity = Severity.allCases.firstIndex(of: finding.severity) ?? 0
    return (-gravity, finding.check.rawValue, finding.file ?? "", finding.line ?? 0, finding.subject)
  }

  mutating func add(
    _ check: AuditFinding.Check, _ subject: String, _ reason: String, fix: String, rule: RuleReference? = nil, at place: ObjectPlace? = nil
  ) {
    findings.append(
      AuditFinding(
        check: check, severity: check.severity, subject: subject, rule: rule, reason: reason, fix: fix, file: place?.file, line: place?.line))
  }

  /// `web, api and 3 others`.
  static func some(_ names: [String]) -> String {
    names.count <= 3 ? names.joined(separator: ", ") : names.prefix(2).joined(separator: ", ") + " and \(names.count - 2) others"
  }
}

/// What the rules say of themselves and of each other.
extension Audit {
  mutating func addRules(_ policies: PolicySet, _ sharing: (DomainName) -> String?) {
    for rule in policies.rules {
      guard let width = rule.width ?? rule.wildcardDomains.compactMap(sharing).first else { continue }
      add(
        .wide, rule.reference.description, width, fix: "name the destinations and ports that are needed", rule: rule.reference,
        at: ObjectPlace(file: rule.file, document: rule.document, line: rule.line))
    }
    for object in policies.objects where object.comparedRules.isEmpty { addTwins(object.rules) }
    let compared = Dictionary(grouping: policies.objects.flatMap(\.comparedRules), by: \.scope)
    for rules in compared.values {
      let sorted = rules.sorted { ($0.order ?? []).lexicographicallyPrecedes($1.order ?? []) || $0.order == $1.order && $0.reference < $1.reference }
      for (index, rule) in sorted.enumerated() { addShadow(of: rule, at: index, in: sorted) }
    }
  }

  /// Rules of one policy that say the same, of kinds that are not compared any closer.
  private mutating func addTwins(_ rules: [RuleDescription]) {
    var known: [String: RuleReference] = [:]
    for rule in rules {
      if let twin = known[rule.summary] {
        add(
          .duplicate, rule.reference.description, "it says what \(twin) says", fix: "remove one of them", rule: rule.reference,
          at: ObjectPlace(file: rule.file, document: rule.document, line: rule.line))
      } else {
        known[rule.summary] = rule.reference
      }
    }
  }

  private mutating func addShadow(of rule: ComparedRule, at index: Int, in rules: [ComparedRule]) {
    for (other, cover) in rules.enumerated() where other != index {
      // Equal priorities of two policies have no order.
      if let order = rule.order, let earlier = cover.order {
        guard earlier.lexicographicallyPrecedes(order), cover.reference.policy == rule.reference.policy || earlier[0] < order[0] else { continue }
      }
      guard Self.covers(cover, rule) else { continue }
      let isTwin = Self.covers(rule, cover)
      // Of twins the first stays.
      if isTwin, other > index { continue }
      if rule.order != nil {
        add(
          .shadowed, rule.reference.description, "it is never reached: \(cover.reference) comes first and matches all of it",
          fix: "remove it, or move it before \(cover.reference)", rule: rule.reference, at: rule.place)
      } else {
        add(
          isTwin ? .duplicate : .shadowed, rule.reference.description,
          isTwin ? "it says what \(cover.reference) says" : "\(cover.reference) allows all of it and more", fix: "remove one of them",
          rule: rule.reference, at: rule.place)
      }
      return
    }
  }

  private static func covers(_ cover: ComparedRule, _ rule: ComparedRule) -> Bool {
    if let mine = cover.subject {
      guard let theirs = rule.subject, mine.pods.covers(theirs.pods), mine.namespaces.covers(theirs.namespaces) else { return false }
    }
    return cover.extent.covers(rule.extent)
  }
}

/// What was meant and is not so.
extension Audit {
  mutating func addTraps(_ policies: PolicySet) {
    for policy in policies.all(NetworkPolicy.self) where policy.declaresEgress && !policy.isolatesEgress {
      let place = policies.places[policy.name]
      if policy.egress.isEmpty {
        add(
          .inert, policy.name.reference, "an empty list of egress rules without policyTypes isolates nothing", fix: "add policyTypes: [Egress] to deny all egress",
          at: place)
      } else {
        add(
          .inert, policy.name.reference, "it has egress rules, and policyTypes does not name Egress", fix: "add Egress to policyTypes, or remove the rules", at: place)
      }
    }
  }

  mutating func addIngress(_ policies: PolicySet) {
    for policy in policies.all(NetworkPolicy.self) {
      for (index, rule) in (policy.ingress ?? []).enumerated() {
        let blocks = rule.peers.compactMap { peer -> IPPrefix? in if case .block(let block, _) = peer { block } else { nil } }
        let width = rule.peers.isEmpty ? "any source" : blocks.lazy.compactMap { $0.width(everyPort: false) }.first
        guard let width else { continue }
        add(
          .wideIngress, policy.name.reference, "ingress rule \(index) takes connections from \(width)\(rule.ports.isEmpty ? ", on every port" : "")",
          fix: "name the pods or blocks that need it, and the ports", at: ObjectPlace(file: policy.file, document: policy.document, line: rule.line))
      }
    }
  }

  mutating func addUnused(_ policies: PolicySet) {
    for object in policies.notUnderstood {
      let name = object.name.map { "\(object.kind)/\($0)" } ?? object.kind
      add(
        .notUnderstood, name, "\(object.apiVersion) \(object.kind) is no kind that is known here, so nothing of it is judged",
        fix: "check its apiVersion and kind; if it is right, treat its namespace's verdicts with care",
        at: ObjectPlace(file: object.file, document: object.document, line: object.line))
    }
    let engine = policies.engine
    for object in policies.objects where !type(of: object).engines.contains(engine) {
      let able = type(of: object).engines.map(\.rawValue).sorted().joined(separator: ", ")
      add(
        .notEnforced, object.name.reference, "\(engine.rawValue) does not implement \(object.name.kind)",
        fix: "remove it, or name the data path that does (--engine \(able))", at: policies.places[object.name])
    }
    guard !policies.isRegistryOnly else { return }
    for entry in policies.all(ServiceEntry.self) {
      add(
        .notEnforced, entry.name.reference, "the mesh lets everything out, so the entry restricts nothing",
        fix: "set outboundTrafficPolicy.mode: REGISTRY_ONLY in the mesh or a Sidecar, and give its ConfigMap to --policies", at: policies.places[entry.name])
    }
  }
}
