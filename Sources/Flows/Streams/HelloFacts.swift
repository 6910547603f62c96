import EgressModel
import Wire

/// What hellos say beside the server's name. A client program says the same in every hello, so what was made of one seen lately (its fingerprint, which
/// takes two hashes, and texts) serves for the next.
struct HelloFacts {
  private struct Entry {
    var hello: ClientHello
    var carrier: ClientHello.Carrier
    var facts: TLSFacts
  }

  /// By hash; who comes last has the place.
  private var entries: [Entry?] = Array(repeating: nil, count: 256)
  /// A bound on memory: octets of lists in a hello that is kept.
  private static let keptLength = 1024

  mutating func facts(of hello: ClientHello, over carrier: ClientHello.Carrier) -> TLSFacts {
    var nameless = hello
    nameless.claimedServerName = nil
    nameless.repeatsServerName = false
    let place = Self.place(of: nameless, carrier, among: entries.count)
    if let entry = entries[place], entry.carrier == carrier, entry.hello == nameless {
      var facts = entry.facts
      facts.sni = hello.serverName
      return facts
    }
    var facts = hello.facts
    facts.ja4 = hello.ja4(over: carrier)
    let listed = 2 * (hello.cipherSuites.count + hello.extensions.count + hello.signatureAlgorithms.count + hello.supportedVersions.count)
    if listed + hello.alpn.reduce(0, { $0 + $1.count + 16 }) <= Self.keptLength {
      var kept = facts
      kept.sni = nil
      entries[place] = Entry(hello: nameless, carrier: carrier, facts: kept)
    }
    return facts
  }

  private static func place(of hello: ClientHello, _ carrier: ClientHello.Carrier, among count: Int) -> Int {
    var hasher = Hasher()
    hasher.combine(carrier)
    for list in [hello.cipherSuites, hello.extensions, hello.signatureAlgorithms] {
      unsafe list.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
    return Int(UInt(bitPattern: hasher.finalize()) % UInt(count))
  }
}
