import EgressModel

/// Which names a client looked up and got an address for.
///
/// Kept per (client, address): the same address means one thing to one workload and another thing to the next. Bounded by
/// pairs; beyond it the pair that was learned longest ago, and not again since, is forgotten.
struct NameTable {
  private struct Pair: Hashable {
    var client: IPAddress
    var address: IPAddress
  }

  fileprivate struct Binding {
    /// One piece of evidence, as most flows need it; every flow and every address of one answer share it.
    var evidence: [NameEvidence]
    var learned: Timestamp
    var expires: Timestamp

    var name: DomainName? { evidence.first?.name }
  }

  fileprivate struct Entry {
    var latest: Binding
    /// Latest first; empty but for addresses that several names share.
    var older: [Binding] = []
    var isRefreshed = false
  }

  /// The client of a stub resolver, whichever loopback address it used.
  static let loopbackClient = IPAddress(v4: 0x7f00_0001)

  let capacity: Int
  let namesPerAddress: Int
  /// How long past its time to live a name still counts as resolved, in nanoseconds.
  let grace: Int64
  private var entries: [Pair: Entry] = [:]
  /// Who learned an address last; only for addresses in `entries`.
  private var lastClient: [IPAddress: IPAddress] = [:]
  /// Pairs in the order they were first learned, from `oldest` on.
  private var order: ContiguousArray<Pair> = []
  private var oldest = 0
  private(set) var evicted: UInt64 = 0

  init(capacity: Int, namesPerAddress: Int, grace: Int64) {
    self.capacity = max(1, capacity)
    self.namesPerAddress = max(1, namesPerAddress)
    self.grace = grace
  }

  /// Pairs known.
  var count: Int { entries.count }

  /// - Parameter ttl: seconds; above 2³¹ − 1 it means 0 ([RFC 2181 §8](https://www.rfc-editor.org/rfc/rfc2181#section-8)).
  mutating func learn(client: IPAddress, name: DomainName, chain: [DomainName], addresses: [IPAddress], ttl: UInt32, at time: Timestamp) {
    let seconds = ttl > UInt32(Int32.max) ? 0 : Int64(ttl)
    let binding = Binding(
      evidence: [NameEvidence(name: name, source: .dns, confidence: .resolved, chain: chain)], learned: time,
      expires: time.adding(nanoseconds: seconds * 1_000_000_000))
    let client = client.isLoopback ? Self.loopbackClient : client
    for address in addresses {
      remember(binding, for: Pair(client: client, address: address))
      lastClient[address] = client
    }
  }

  /// The names that fit a flow from `client` to `address` which began at `time`, surest first, then latest first.
  ///
  /// - Parameter alsoLoopback: whether what clients on loopback looked up counts as looked up by this client.
  func evidence(client: IPAddress, alsoLoopback: Bool, address: IPAddress, at time: Timestamp) -> [NameEvidence] {
    let own = entries[Pair(client: client, address: address)]
    if let own, !alsoLoopback, own.older.isEmpty, isResolved(own.latest, at: time) { return own.latest.evidence }
    var known = own.map(bindings) ?? []
    if alsoLoopback, client != Self.loopbackClient, let stub = entries[Pair(client: Self.loopbackClient, address: address)] {
      known += bindings(stub).filter { binding in !known.contains { $0.name == binding.name } }
      known.sort { $0.learned > $1.learned }
    }
    known.removeAll { $0.learned > time }
    let fitting = known.filter { isResolved($0, at: time) }
    if !fitting.isEmpty { return evidence(of: fitting, fitting.count == 1 ? .resolved : .shared) }
    if !known.isEmpty { return evidence(of: known, .hint) }
    guard let other = lastClient[address], let entry = entries[Pair(client: other, address: address)], entry.latest.learned <= time else {
      return []
    }
    return evidence(of: [entry.latest], .hint)
  }

  private func isResolved(_ binding: Binding, at time: Timestamp) -> Bool {
    binding.learned <= time && time <= binding.expires.adding(nanoseconds: grace)
  }

  private func bindings(_ entry: Entry) -> [Binding] { [entry.latest] + entry.older }

  private func evidence(of bindings: [Binding], _ confidence: Confidence) -> [NameEvidence] {
    bindings.flatMap { binding in
      binding.evidence.map { NameEvidence(name: $0.name, source: .dns, confidence: confidence, chain: $0.chain) }
    }
  }

  private mutating func remember(_ binding: Binding, for pair: Pair) {
    let limit = namesPerAddress
    let isKnown: Void? = entries[pair]?.refresh(binding, limit: limit)
    guard isKnown == nil else { return }
    if entries.count >= capacity { evictOldest() }
    entries[pair] = Entry(latest: binding)
    order.append(pair)
  }

  // Second chance: a pair that was refreshed since it was queued goes to the end of the queue once more.
  private mutating func evictOldest() {
    while oldest < order.count {
      let pair = order[oldest]
      oldest += 1
      if oldest > 1024, oldest * 2 > order.count {
        order.removeFirst(oldest)
        oldest = 0
      }
      if entries[pair]?.isRefreshed == true {
        entries[pair]?.isRefreshed = false
        order.append(pair)
        continue
      }
      entries[pair] = nil
      if lastClient[pair.address] == pair.client { lastClient[pair.address] = nil }
      evicted += 1
      return
    }
  }
}

extension NameTable.Entry {
  fileprivate mutating func refresh(_ binding: NameTable.Binding, limit: Int) {
    isRefreshed = true
    if latest.name != binding.name {
      older.removeAll { $0.name == binding.name }
      older.insert(latest, at: 0)
      if older.count >= limit { older.removeLast(older.count - limit + 1) }
    }
    latest = binding
  }
}
