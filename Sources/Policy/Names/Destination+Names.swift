import EgressModel

extension Destination {
  /// Said in the connection itself.
  var saidNames: [DomainName] { names.filter { $0.confidence == .confirmed }.map(\.name) }

  /// Looked up by this workload, which got this address.
  var lookedUpNames: [DomainName] { names.filter { $0.confidence == .resolved || $0.confidence == .shared }.map(\.name) }

  /// What decides whether a rule about names allows the flow: what was said, and only without that what was looked up.
  var decisiveNames: [LabelledName] {
    if names.isEmpty { return [] }
    let said = saidNames
    return (said.isEmpty ? lookedUpNames : said).map(LabelledName.init)
  }

  /// Every name that is known to lead to this address.
  var addressNames: [LabelledName] { names.filter { $0.confidence != .hint }.map { LabelledName($0.name) } }

  /// The destination once for each name that was said in the connection, which goes to all of them: each must be allowed.
  var alternatives: [Destination] {
    guard saidNames.count > 1 else { return [self] }
    return names.indices.filter { names[$0].confidence == .confirmed }.map { index in
      var one = self
      one.names = names.indices.filter { $0 == index || names[$0].confidence != .confirmed }.map { names[$0] }
      return one
    }
  }

  /// As a data path sees it that knows names only as addresses: what was said is one more name that leads there. Nil when that makes no
  /// difference.
  var asAddress: Destination? {
    guard names.contains(where: { $0.confidence == .confirmed }), Set(names.lazy.filter { $0.confidence != .hint }.map(\.name)).count > 1 else { return nil }
    var seen = self
    for index in seen.names.indices where seen.names[index].confidence == .confirmed { seen.names[index].confidence = .resolved }
    return seen
  }

  /// What patterns fail at, in words; `names`: those of the destination that could have matched.
  func miss(of patterns: [some NameMatcher], _ names: [LabelledName]) -> String {
    let nearest = patterns.first { pattern in names.contains(where: pattern.resembles) } ?? patterns.first
    let wanted = (nearest.map { "\($0)" } ?? "any name") + (patterns.count == 2 ? " or another name" : patterns.count > 2 ? " or any of \(patterns.count - 1) other names" : "")
    if let name = names.first { return "name \(name) does not match \(wanted)" }
    guard let hint = self.names.first else { return "nothing names \(address), so it cannot match \(wanted)" }
    return "only a hint (\(hint.source.rawValue) \(hint.name)) names \(address), which cannot match \(wanted)"
  }
}
