import Drift
import EgressModel
import Policy

/// An explanation for a person to read.
///
///     shop/checkout → api.segment.io:443
///
///     workload    pod shop/checkout-1, which stands for shop/Deployment/checkout
///     looked up   A api.segment.io → 198.51.100.200, for 60s (2026-03-02T09:00:12Z, by 10.244.1.12 from 10.244.0.10)
///     …
///     by the name it said, api.segment.io: denied
///       netpol/shop/checkout-egress
///         #0 to 198.51.100.0/25 ports 443/tcp
///            fails: 198.51.100.200 is not in 198.51.100.0/25
struct ExplanationText {
  /// Failing rules of one policy that are shown unless all are wanted.
  private static let shownRules = 6

  private let flow: ExplainedFlow
  /// Whether a database was asked, so that what is not there was not seen.
  private let isWatched: Bool
  private let showsAllRules: Bool
  private let style: TextStyle

  init(_ flow: ExplainedFlow, isWatched: Bool, showsAllRules: Bool, style: TextStyle) {
    (self.flow, self.isWatched, self.showsAllRules, self.style) = (flow, isWatched, showsAllRules, style)
  }

  var text: String {
    var text = line("\(Subject(workload: flow.workload, destination: flow.destination))", .cyan) + "\n"
    text += row("workload", [who])
    text += row("looked up", lookups)
    text += row("seen", seen)
    text += row("names", names)
    text += row("goes to", places)
    for reading in flow.explanation.readings { text += "\n" + self.text(of: reading) }
    text += "\n" + row("verdict", verdict, flow.explanation.verdict.decision.colour)
    if flow.explanation.verdict.decision == .denied || flow.explanation.verdict.decision == .undecidable { text += row("to allow it", flow.changes) }
    return text + row("aliases", aliases)
  }

  private var who: String {
    let group = flow.workload.group
    guard let subject = flow.explanation.subject, subject != "pod \(group.replacing("/pod/", with: "/"))" else { return group }
    return "\(group), judged as \(subject)"
  }

  private var lookups: [String] {
    guard isWatched else { return ["not known without a database (--db)"] }
    guard !flow.lookups.isEmpty else { return ["never, as far as was watched"] }
    // The suffixes of a pod's resolv.conf are tried first, and are nobody's name.
    let tried = Set(flow.lookups.map(\.answer).filter { $0.rcode == "NXDOMAIN" && $0.name != flow.destination.names.first?.name }.map(\.name))
    let lines = flow.lookups.filter { !tried.contains($0.answer.name) }.map { lookup in
      let answer = lookup.answer
      let ends = answer.addresses.isEmpty ? [answer.rcode == "NOERROR" ? "no address" : answer.rcode] : answer.addresses.map(\.description)
      let chain = [answer.name.text] + answer.chain.map(\.text) + [ends.joined(separator: ", ")]
      return "\(answer.type) \(chain.joined(separator: " → "))" + (answer.ttl.map { ", for \($0)s" } ?? "")
        + " (\(lookup.count > 1 ? "\(lookup.count) times, last " : "")\(answer.time), by \(answer.client) from \(answer.server))"
    }
    return lines + (tried.isEmpty ? [] : ["with search domains before: \(tried.map(\.text).sorted().joined(separator: ", ")) (NXDOMAIN)"])
  }

  private var seen: [String] {
    guard isWatched else { return [] }
    guard let observed = flow.observed else { return ["never"] }
    let octets = "\(Quantity.bytes(observed.out.bytes)) out, \(Quantity.bytes(observed.in.bytes)) in"
    let last = flow.samples.first.map { ", the last \($0.state.rawValue)" } ?? ""
    return ["\(Quantity.counted(observed.flows, "flow")), \(observed.answered) answered\(last); \(octets); \(observed.firstSeen) to \(observed.lastSeen)"]
  }

  private var names: [String] {
    flow.destination.names.map { name in
      "\(name.name) (\(name.source.shortName), \(name.confidence.rawValue)\(name.chain.isEmpty ? "" : ", by way of \(name.chain.map(\.text).joined(separator: " → "))"))"
    }
  }

  private var places: [String] {
    guard flow.isAddressKnown else { return ["an address that is not known: give it with --address, or a database that saw it looked up"] }
    var places: [String] = []
    for end in flow.explanation.readings.flatMap(\.ends) where !places.contains(end.place) { places.append(end.place) }
    let socket = "\(SocketAddress(ip: flow.destination.address, port: flow.destination.port))/\(flow.destination.transport)"
    return [places.isEmpty ? socket : "\(socket), \(places[0])"] + places.dropFirst()
  }

  private func text(of reading: Explanation.Reading) -> String {
    let names = reading.basis.names.map(\.text).joined(separator: ", ")
    let basis =
      switch reading.basis {
      case .said: "by the name it said, \(names)"
      case .lookedUp: "by the name it looked up, \(names)"
      case .nothing: "without any name"
      case .address: "by the address, to which these names lead: \(names)"
      }
    var text = line("\(basis): \(reading.verdict.decision.rawValue)", reading.verdict.decision.colour)
    for end in reading.ends {
      if reading.ends.count > 1 { text += line("  \(end.place)") }
      var groups: [(policy: String, rules: [RuleAccount])] = []
      for account in end.rules {
        if groups.last?.policy == account.rule.policy { groups[groups.count - 1].rules.append(account) } else { groups.append((account.rule.policy, [account])) }
      }
      for group in groups { text += self.text(of: group.rules, in: reading) }
    }
    // Those that have no rules are told once.
    guard reading.basis == flow.explanation.readings.first?.basis else { return text }
    return text + flow.policiesWithoutRules.map { line("  \(shortName(of: $0))") + line("    selects it, and has no rule to ask") }.joined()
  }

  /// `netpol/shop/web-egress`
  private func shortName(of policy: String) -> Substring { RuleReference(policy: policy, rule: 0).shortName.dropLast(2) }

  private func text(of accounts: [RuleAccount], in reading: Explanation.Reading) -> String {
    guard let first = accounts.first else { return "" }
    var text = line("  \(shortName(of: first.rule.policy))" + (flow.rules[first.rule].map { " (\($0.file))" } ?? ""))
    var failing = 0
    for account in accounts {
      let isTelling = reading.verdict.by.contains(account.rule) || reading.verdict.nearest == account.rule
      if case .fails = account.outcome, !isTelling {
        failing += 1
        if failing > Self.shownRules, !showsAllRules { continue }
      }
      text += line("    #\(account.rule.rule) \(flow.rules[account.rule]?.summary ?? "")")
      switch account.outcome {
      case .fits: text += line("       fits" + (reading.verdict.by.contains(account.rule) ? ", and decides" : ""), .green)
      case .fails(let reason): text += line("       fails: \(reason)" + (reading.verdict.nearest == account.rule ? " (the nearest)" : ""))
      case .unclear(let reason): text += line("       cannot be told: \(reason)", .yellow)
      }
    }
    if failing > Self.shownRules, !showsAllRules { text += line("    … and \(failing - Self.shownRules) more that fail (-o wide shows them)") }
    return text
  }

  private var verdict: [String] {
    let verdict = flow.explanation.verdict
    let rules = verdict.by.map(\.shortName).joined(separator: ", ")
    var lines: [String] = []
    switch verdict.decision {
    case .allowed: lines = [rules.isEmpty ? "allowed: nothing denies it, and what nothing decides is let through" : "allowed by \(rules)"]
    case .denied: lines = [rules.isEmpty ? "denied: no rule allows it" : "denied by \(rules)"]
    case .unprotected: lines = ["unprotected: no egress policy selects the workload, so everything is let through"]
    case .undecidable: lines = ["undecidable: \(verdict.reason ?? "")"]
    }
    if let bypass = verdict.bypass { lines.append("and let through all the same: \(bypass.shortName) allows another name of the address (bypass)") }
    if verdict.decision == .denied, let observed = flow.observed {
      lines.append(observed.answered > 0 ? "answered all the same: what is declared is not enforced (reached)" : "and it got no answer (blocked)")
    }
    if let would = verdict.would { lines.append("\(would.decision.rawValue), were the staged policies in force" + (would.reason.map { ": \($0)" } ?? "")) }
    return lines
  }

  private var aliases: [String] {
    flow.explanation.aliases.map { "\($0.name) is on the way to the address, and \($0.rule.shortName) names it; but rules are held against the name that was asked for" }
  }

  private func row(_ label: String, _ lines: [String], _ colour: Colour? = nil) -> String {
    lines.enumerated().map { index, text in
      let label = index == 0 ? label : ""
      return line(label + String(repeating: " ", count: 12 - label.count) + text, index == 0 ? colour : nil)
    }.joined()
  }

  private func line(_ text: String, _ colour: Colour? = nil) -> String {
    let safe = Escaping.terminal(text)
    return (style.usesColour ? colour?.paint(safe) ?? safe : safe) + "\n"
  }
}
