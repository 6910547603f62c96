public import EgressModel

/// Who stands behind a name: the third parties known by the suffixes of their domains.
///
/// The longest suffix that matches on whole labels wins: with `amazonaws.com` and `s3.amazonaws.com` listed, `b.s3.amazonaws.com` is the latter's.
/// A look-up hashes as many suffixes as the longest entry has labels; a cache is the caller's matter.
public struct VendorCatalogue: Sendable {
  /// The text of a catalogue file: lines of `suffix TAB vendor TAB category [TAB flags]`, `#` for comments.
  public struct Source: Sendable {
    /// How errors name it.
    public var file: String
    public var text: String

    public init(file: String, text: String) {
      self.file = file
      self.text = text
    }
  }

  struct Entry: Sendable {
    var vendor: String
    var category: String
    var isManyTenant: Bool
  }

  // Keyed by Substring so that a look-up slices the name and allocates nothing.
  private var entries: [Substring: Entry] = [:]
  private var mostLabels = 0
  /// Suffixes that unrelated tenants share, and what they lie under.
  private var sharedDomains: Set<Substring> = []

  /// The catalogue that comes with the program, then users' own, of which later lines override earlier ones with the same suffix.
  public init(extensions: [Source] = []) throws(DriftError) {
    try self.init(sources: [Self.builtIn] + extensions)
  }

  /// These texts alone.
  public init(sources: [Source]) throws(DriftError) {
    for source in sources {
      for (suffix, entry) in try CatalogueParser(source).entries() {
        entries[suffix] = entry
        mostLabels = max(mostLabels, suffix.utf8.count { $0 == UInt8(ascii: ".") } + 1)
      }
    }
    for (suffix, entry) in entries where entry.isManyTenant {
      for domain in suffixes(of: String(suffix)) where domain == suffix || PublicSuffixList.registrableDomain(of: DomainName(presentation: String(domain))) != nil {
        sharedDomains.insert(domain)
      }
    }
  }

  static var builtIn: Source {
    Source(file: "vendors.tsv", text: String(decoding: PackageResources.vendors_tsv, as: UTF8.self))
  }

  /// The number of suffixes.
  public var count: Int { entries.count }

  /// The vendor of the longest listed suffix, with the registrable domain that the name lies under (the suffix where there is none).
  public func vendor(for name: DomainName) -> Vendor? {
    guard let (suffix, entry) = match(name) else { return nil }
    let domain = PublicSuffixList.registrableDomain(of: name) ?? DomainName(presentation: String(suffix))
    return Vendor(name: entry.vendor, category: entry.category, domain: domain, isManyTenant: entry.isManyTenant)
  }

  /// The listed suffix that the name lies under, when unrelated tenants share it.
  func manyTenantSuffix(of name: DomainName) -> DomainName? {
    guard let (suffix, entry) = match(name), entry.isManyTenant else { return nil }
    return DomainName(presentation: String(suffix))
  }

  /// Why a wildcard below a domain lets strangers in; nil when it does not.
  public func sharing(below domain: DomainName) -> String? {
    if sharedDomains.contains(domain.text[...]) { return "*.\(domain) is shared by many tenants" }
    return PublicSuffixList.registrableDomain(of: domain) == nil ? "*.\(domain) is shared by many registrants" : nil
  }

  private func match(_ name: DomainName) -> (suffix: Substring, entry: Entry)? {
    for suffix in suffixes(of: name.text) {
      if let entry = entries[suffix] { return (suffix, entry) }
    }
    return nil
  }

  /// The suffixes of at most `mostLabels` labels, longest first.
  private func suffixes(of text: String) -> ReversedCollection<[Substring]> {
    var found: [Substring] = []
    var end = text.endIndex
    // A stranger's name may have thousands of labels; only as many as the longest entry has can matter.
    while found.count < mostLabels {
      guard let dot = text.utf8[..<end].lastIndex(of: UInt8(ascii: ".")) else {
        found.append(text[...])
        break
      }
      found.append(text[text.utf8.index(after: dot)...])
      end = dot
    }
    return found.reversed()
  }
}
