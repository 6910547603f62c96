import EgressModel

/// Public resolvers that are asked over an encrypted channel (`resolvers.tsv`): what tells DNS over HTTPS from other HTTPS.
struct KnownResolvers: Sendable {
  static let bundled = KnownResolvers(table: PackageResources.resolvers_tsv)

  /// By `hash`.
  private var names: [UInt64: DomainName] = [:]
  private var addresses: Set<IPAddress> = []

  /// - Parameter table: a name or an address a line, up to the first tab; lines that begin with `#` are comments.
  init(table: [UInt8]) {
    for line in table.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\t") }, as: UTF8.self)
      if let address = IPAddress(text) {
        addresses.insert(address)
      } else {
        let name = DomainName(presentation: text)
        _ = Self.suffixes(of: name) { hash, isWhole in
          if isWhole { names[hash] = name }
          return false
        }
      }
    }
  }

  /// Whether the name is a resolver's, or lies below one.
  func contains(_ name: DomainName) -> Bool {
    Self.suffixes(of: name) { hash, _ in
      guard let known = names[hash] else { return false }
      return name.isSameOrUnder(known)
    }
  }

  /// Hands the hash of each name that `name` lies under, and of itself, to `isFound` until that says so.
  ///
  /// Octet by octet from the end (FNV-1a), so that one pass gives them all. Every TLS connection is looked up.
  private static func suffixes(of name: DomainName, _ isFound: (_ hash: UInt64, _ isWhole: Bool) -> Bool) -> Bool {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for octet in name.text.utf8.reversed() {
      if octet == UInt8(ascii: "."), isFound(hash, false) { return true }
      hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3
    }
    return isFound(hash, true)
  }

  func contains(_ address: IPAddress) -> Bool { addresses.contains(address) }
}
