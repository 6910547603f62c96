import EgressModel
import Wire

/// Names that an answer led to without giving their addresses: a client that asks for one of them right after is still on its way to the
/// name it first asked for.
///
/// Direct-mapped: an alias that falls on another's place takes it, which bounds memory.
struct AliasTable {
  struct Alias {
    var client: IPAddress
    /// The type that the client asks the target for; HTTPS leads to a host of which it asks whatever it needs.
    var type: RecordType
    /// What was asked for first.
    var name: DomainName
    /// From `name` to the target, which comes last.
    var chain: [DomainName]
    /// In seconds.
    var ttl: UInt32
    var time: Timestamp
    /// Several names led here: then it is not known which one the client is after.
    fileprivate var isShared = false

    init(client: IPAddress, type: RecordType, name: DomainName, chain: [DomainName], ttl: UInt32, time: Timestamp) {
      self.client = client
      self.type = type
      self.name = name
      self.chain = chain
      self.ttl = ttl
      self.time = time
    }
  }

  static let places = 1024
  /// A client goes on at once; whoever asks for the target later asks for the target itself.
  static let lifetime: Int64 = 5_000_000_000

  private let seed: UInt64
  private var aliases: ContiguousArray<Alias?> = []

  init(seed: UInt64) { self.seed = seed }

  mutating func remember(_ alias: Alias) {
    guard let target = alias.chain.last, target != alias.name, alias.chain.count < DNSMessage.maximumChainLength else { return }
    if aliases.isEmpty { aliases = ContiguousArray(repeating: nil, count: Self.places) }
    let place = place(alias.client, target, alias.type)
    var alias = alias
    if let other = aliases[place], isCurrent(other, at: alias.time), other.client == alias.client, other.chain.last == target, other.type == alias.type {
      alias.isShared = other.isShared || other.name != alias.name
    }
    aliases[place] = alias
  }

  /// What led the client to ask for `name`.
  func alias(client: IPAddress, to name: DomainName, type: RecordType, at time: Timestamp) -> Alias? {
    guard !aliases.isEmpty else { return nil }
    var found: Alias?
    for type in [type, .https] {
      guard let alias = aliases[place(client, name, type)], alias.client == client, alias.chain.last == name, alias.type == type, isCurrent(alias, at: time)
      else { continue }
      guard !alias.isShared, found?.name ?? alias.name == alias.name else { return nil }
      found = found ?? alias
    }
    return found
  }

  private func isCurrent(_ alias: Alias, at time: Timestamp) -> Bool {
    time >= alias.time && time.since(alias.time) <= Self.lifetime
  }

  /// Each type that leads to a name has its own: A and AAAA are asked for side by side.
  private func place(_ client: IPAddress, _ target: DomainName, _ type: RecordType) -> Int {
    var hash = seed ^ UInt64(type.rawValue)
    for octet in target.text.utf8 { hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
    return Int(SeededHash.folded(SeededHash.mixed(client.high ^ hash, client.low ^ 0x9e37_79b9_7f4a_7c15))) & (Self.places - 1)
  }
}
