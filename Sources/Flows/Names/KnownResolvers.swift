import EgressModel

/// Public resolvers that are asked over an encrypted channel (`resolvers.tsv`): what tells DNS over HTTPS from other HTTPS.
struct KnownResolvers: Sendable {
  static let bundled = KnownResolvers(table: PackageResources.resolvers_tsv)

  private var names: Set<DomainName> = []
  private var addresses: Set<IPAddress> = []

  /// - Parameter table: a name or an address a line, up to the first tab; lines that begin with `#` are comments.
  init(table: [UInt8]) {
    for line in table.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\t") }, as: UTF8.self)
      if let address = IPAddress(text) { addresses.insert(address) } else { names.insert(DomainName(presentation: text)) }
    }
  }

  /// Whether the name is a resolver's, or lies below one.
  func contains(_ name: DomainName) -> Bool {
    if names.contains(name) { return true }
    var rest = name.text.utf8[...]
    // A name has 127 labels at most, but one said by a TLS client may be any text.
    for _ in 0..<127 {
      guard let dot = rest.firstIndex(of: UInt8(ascii: ".")) else { return false }
      rest = rest[rest.index(after: dot)...]
      if names.contains(DomainName(presentation: String(decoding: rest, as: UTF8.self))) { return true }
    }
    return false
  }

  func contains(_ address: IPAddress) -> Bool { addresses.contains(address) }
}
