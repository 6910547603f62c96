import EgressModel

extension Destination {
  /// Said in the connection itself.
  var saidNames: [DomainName] { names.filter { $0.confidence == .confirmed }.map(\.name) }

  /// Looked up by this workload, which got this address.
  var lookedUpNames: [DomainName] { names.filter { $0.confidence == .resolved || $0.confidence == .shared }.map(\.name) }

  /// Every name that is known to lead to this address, for data paths that turn names into addresses: whichever was said, all of them count.
  var addressNames: [DomainName] { names.filter { $0.confidence != .hint }.map(\.name) }

  /// What patterns fail at, in words; `names`: those of the destination that could have matched.
  func miss(of patterns: [some NameMatcher], _ names: [DomainName]) -> String {
    let nearest = patterns.first { pattern in names.contains(where: pattern.resembles) } ?? patterns.first
    let wanted = (nearest.map { "\($0)" } ?? "any name") + (patterns.count == 2 ? " or another name" : patterns.count > 2 ? " or any of \(patterns.count - 1) other names" : "")
    if let name = names.first { return "name \(name) does not match \(wanted)" }
    guard let hint = self.names.first else { return "nothing names \(address), so it cannot match \(wanted)" }
    return "only a hint (\(hint.source.rawValue) \(hint.name)) names \(address), which cannot match \(wanted)"
  }
}
