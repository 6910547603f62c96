public import EgressModel

/// Names that come and go below one parent, which a least policy lets through by that parent instead of by names that will not come back.
public enum RotatingNames {
  /// How many names below a parent there must be.
  static let leastNames = 5

  /// The parent of each name that rotates.
  ///
  /// Proof is asked for: at least five names directly below the parent, of which at least half were last seen before the newest was first seen.
  /// A parent that strangers share (a public suffix, a domain that the catalogue calls many-tenant) never stands for its names.
  public static func parents(in endpoints: some Sequence<Endpoint>, catalogue: VendorCatalogue) -> [DomainName: DomainName] {
    var lives: [DomainName: [DomainName: (first: Timestamp, last: Timestamp)]] = [:]
    for endpoint in endpoints where endpoint.isThirdParty {
      guard let name = endpoint.reliableName, let dot = name.text.firstIndex(of: ".") else { continue }
      let parent = DomainName(presentation: String(name.text[name.text.index(after: dot)...]))
      let life = lives[parent]?[name] ?? (endpoint.firstSeen, endpoint.lastSeen)
      lives[parent, default: [:]][name] = (min(life.first, endpoint.firstSeen), max(life.last, endpoint.lastSeen))
    }
    var parents: [DomainName: DomainName] = [:]
    for (parent, names) in lives where names.count >= leastNames && !isShared(parent, names.keys, catalogue) {
      guard let newest = names.values.map(\.first).max() else { continue }
      guard names.values.count(where: { $0.last < newest }) * 2 >= names.count else { continue }
      for name in names.keys { parents[name] = parent }
    }
    return parents
  }

  private static func isShared(_ parent: DomainName, _ names: some Sequence<DomainName>, _ catalogue: VendorCatalogue) -> Bool {
    guard PublicSuffixList.registrableDomain(of: parent) != nil else { return true }
    return names.contains { catalogue.manyTenantSuffix(of: $0)?.isSameOrUnder(parent) ?? false }
  }
}
