import EgressModel

/// What systemd lets the processes of a unit reach: the lists of the unit and of all slices that it is in.
///
/// - An address that a list of `IPAddressAllow=` holds is let through, whatever denies it; then one that a list of `IPAddressDeny=` holds is denied; then
///   all are let through. The lists of the unit and of its slices count together.
/// - `RestrictNetworkInterfaces=` must let the connection through at every level. Which interface a connection takes is not known here, unless
///   it is loopback, or all but loopback is closed.
/// - A unit of which no file is given has no settings of its own and is in its default slice.
/// - Sockets that a socket unit listens on open no connections, so settings of socket units bear on nothing here.
///
/// For units of the system's manager; those of a user's manager are taken for units of the same name.
final class SystemdEngine: PolicyEngine {
  private struct Rule {
    var reference: RuleReference
    var assignment: UnitFile.Assignment
  }

  private let files: UnitFiles

  init(_ files: UnitFiles) { self.files = files }

  func maySelectPods(in namespace: String) -> Bool { false }

  func names(selecting pod: Int) -> [String] { [] }

  func judge(_ pod: Int, _ destination: Destination) -> Verdict { Verdict(decision: .unprotected) }

  func judge(host workload: Workload, _ destination: Destination) -> Verdict {
    guard workload.kind == .systemd, !files.isEmpty else { return Verdict(decision: .unprotected) }
    let levels = ([workload.name] + files.slices(of: workload.name)).map(settings)
    let rules = levels.flatMap(\.self)
    guard !rules.isEmpty else { return Verdict(decision: .unprotected) }
    let selectedBy = Set(rules.map(\.reference.policy)).sorted()
    let allowing = rules.filter { if case .allow(let blocks) = $0.assignment.setting { blocks.hold(destination.address) } else { false } }
    let denying = rules.first { if case .deny(let blocks) = $0.assignment.setting { blocks.hold(destination.address) } else { false } }
    if allowing.isEmpty, let denying {
      let lists = rules.filter { if case .allow = $0.assignment.setting { true } else { false } }
      let missed = lists.last.map { "no IPAddressAllow= of the unit and its slices holds \(destination.address) (\($0.reference): \($0.assignment.text))" }
      return Verdict(
        decision: .denied, by: [denying.reference],
        reason: "\(denying.reference): \(denying.assignment.text) holds \(destination.address)" + (missed.map { ", and \($0)" } ?? ""),
        nearest: lists.last?.reference, selectedBy: selectedBy)
    }
    for level in levels {
      if var verdict = interfaces(level, destination) {
        verdict.selectedBy = selectedBy
        return verdict
      }
    }
    if let filter = rules.first(where: { if case .filter = $0.assignment.setting { true } else { false } }) {
      return Verdict(decision: .undecidable, reason: "\(filter.reference): \(filter.assignment.text) is a program that may deny it", selectedBy: selectedBy)
    }
    return Verdict(decision: .allowed, by: allowing.map(\.reference).sorted(), selectedBy: selectedBy)
  }

  func accounts(_ pod: Int, to _: FlowEnd, _ destination: Destination) -> [RuleAccount] { [] }

  func accounts(host workload: Workload, _ destination: Destination) -> [RuleAccount] {
    guard workload.kind == .systemd, !files.isEmpty else { return [] }
    return ([workload.name] + files.slices(of: workload.name)).map(settings).flatMap { level in
      level.compactMap { rule in
        let outcome: RuleAccount.Outcome? =
          switch rule.assignment.setting {
          case .allow(let blocks), .deny(let blocks): blocks.hold(destination.address) ? .fits : .fails("\(destination.address) is not in it")
          case .interfaces: interfaces(level, destination).map { $0.decision == .denied ? .fits : .unclear($0.reason ?? "") } ?? .fails("it lets the connection through")
          case .filter: .unclear("it is a program that may deny it")
          case .slice: nil
          }
        return outcome.map { RuleAccount(rule.reference, $0) }
      }
    }
  }

  /// What of a unit's or a slice's assignments is in force.
  private func settings(_ unit: String) -> [Rule] {
    guard !unit.hasSuffix(".socket") else { return [] }
    var rules: [Rule] = []
    for file in files.chain(unit) {
      for (index, assignment) in file.assignments.enumerated() {
        switch assignment.setting {
        case .slice: continue
        case .allow([]): rules.removeAll { if case .allow = $0.assignment.setting { true } else { false } }
        case .deny([]): rules.removeAll { if case .deny = $0.assignment.setting { true } else { false } }
        case .filter(""): rules.removeAll { if case .filter = $0.assignment.setting { true } else { false } }
        case .interfaces([], _): rules.removeAll { if case .interfaces = $0.assignment.setting { true } else { false } }
        default: rules.append(Rule(reference: file.reference(index), assignment: assignment))
        }
      }
    }
    return rules
  }

  /// What one level's `RestrictNetworkInterfaces=` has against a connection; nil for nothing. The first assignment says whether its names are
  /// the only ones or the excepted ones; those of the other kind take names away.
  private func interfaces(_ level: [Rule], _ destination: Destination) -> Verdict? {
    var names: Set<String> = []
    var first: (rule: Rule, except: Bool)?
    for rule in level {
      guard case .interfaces(let listed, let except) = rule.assignment.setting else { continue }
      let kind = first ?? (rule, except)
      first = kind
      if kind.except == except { names.formUnion(listed) } else { names.subtract(listed) }
    }
    guard let (rule, except) = first else { return nil }
    let loopback = names.contains("lo")
    let others = names.subtracting(["lo"])
    if destination.address.isLoopback {
      return loopback != except ? nil : denial(rule, "lo is \(except ? "excepted" : "not listed")")
    }
    if except, others.isEmpty { return nil }
    if !except, others.isEmpty { return denial(rule, loopback ? "only lo is open" : "no interface is open") }
    return Verdict(
      decision: .undecidable, reason: "\(rule.reference): \(rule.assignment.text), and which interface \(destination.address) is reached through is not known")
  }

  private func denial(_ rule: Rule, _ reason: String) -> Verdict {
    Verdict(decision: .denied, by: [rule.reference], reason: "\(rule.reference): \(rule.assignment.text), and \(reason)")
  }
}

extension [IPPrefix] {
  fileprivate func hold(_ address: IPAddress) -> Bool { contains { $0.contains(address) } }
}
