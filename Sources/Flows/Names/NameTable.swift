import EgressModel

/// Which names a client looked up and got an address for.
///
/// Kept per (client, address): the same address means one thing to one workload and another thing to the next. Bounded by
/// pairs and by octets; beyond that one is forgotten that was learned long ago, and not again since.
struct NameTable {
  private struct Pair: Equatable {
    var client: IPAddress
    var address: IPAddress

    func hash(seed: UInt64) -> UInt32 {
      let a = SeededHash.mixed(client.high ^ seed, client.low ^ 0x9e37_79b9_7f4a_7c15)
      let b = SeededHash.mixed(address.high ^ ~seed, address.low ^ 0xd1b5_4a32_d192_ed03)
      return SeededHash.folded(SeededHash.mixed(a, b ^ seed))
    }
  }

  private struct Binding {
    /// One piece of evidence, as most flows need it; every flow and every address of one answer share it.
    var evidence: [NameEvidence]
    var learned: Timestamp
    var expires: Timestamp

    var name: DomainName? { evidence.first?.name }

    /// Octets of memory, as if nothing were shared.
    var byteCount: Int {
      evidence.reduce(Self.overhead) { sum, evidence in
        evidence.chain.reduce(sum + evidence.name.text.utf8.count) { $0 + $1.text.utf8.count + 48 }
      }
    }
    private static let overhead = 160
  }

  private struct Entry {
    var pair: Pair
    var latest: Binding
    /// Latest first; empty but for addresses that several names share.
    var older: [Binding] = []
    /// Learned again since the hand of the clock passed.
    var isRefreshed = false

    var bindings: [Binding] { [latest] + older }

    var byteCount: Int { older.reduce(latest.byteCount) { $0 + $1.byteCount } }

    var isForgotten: Bool { latest.evidence.isEmpty }

    mutating func forget() {
      latest.evidence = []
      older = []
    }

    mutating func refresh(_ binding: Binding, limit: Int) {
      isRefreshed = true
      if latest.name != binding.name {
        older.removeAll { $0.name == binding.name }
        older.insert(latest, at: 0)
        if older.count >= limit { older.removeLast(older.count - limit + 1) }
      }
      latest = binding
    }
  }

  /// Addresses of one client, each with the one that stands for it.
  var clients: [IPAddress: IPAddress] = [:]

  /// The client of a stub resolver, whichever loopback address it used.
  static let loopbackClient = IPAddress(v4: 0x7f00_0001)

  let capacity: Int
  let byteLimit: Int
  let namesPerAddress: Int
  /// How long past its time to live a name still counts as resolved, in nanoseconds.
  let grace: Int64
  private let seed: UInt64
  private var entries: ContiguousArray<Entry> = []
  private var slots = SlotIndex()
  /// By address, the entry that learned it last.
  private var hints = SlotIndex()
  /// The hand of the clock that looks for the entry to forget.
  private var hand = 0
  private(set) var evicted: UInt64 = 0
  /// Octets of memory that the names take.
  private(set) var byteCount = 0
  /// Places of pairs that were forgotten for their octets.
  private var free: ContiguousArray<Int> = []

  init(capacity: Int, byteLimit: Int, namesPerAddress: Int, grace: Int64, seed: UInt64) {
    self.byteLimit = max(0, byteLimit)
    self.capacity = min(max(1, capacity), Int(Int32.max))
    self.namesPerAddress = max(1, namesPerAddress)
    self.grace = grace
    self.seed = seed
  }

  /// Pairs known.
  var count: Int { slots.count }

  /// - Parameter ttl: seconds; above 2³¹ − 1 it means 0 ([RFC 2181 §8](https://www.rfc-editor.org/rfc/rfc2181#section-8)).
  mutating func learn(client: IPAddress, name: DomainName, chain: [DomainName], addresses: [IPAddress], ttl: UInt32, at time: Timestamp) {
    let seconds = ttl > UInt32(Int32.max) ? 0 : Int64(ttl)
    let binding = Binding(
      evidence: [NameEvidence(name: name, source: .dns, confidence: .resolved, chain: chain)], learned: time,
      expires: time.adding(nanoseconds: seconds * 1_000_000_000))
    for address in addresses {
      let place = remember(binding, for: Pair(client: representative(of: client), address: address))
      // It may have had to go at once, where all others are asked for more often.
      guard !entries[place].isForgotten else { continue }
      let hash = hash(address)
      if let last = findHint(address, hash) {
        if last == place { continue }
        hints.remove(hash, last)
      }
      hints.insert(hash, place)
    }
  }

  /// The names that fit a flow from `client` to `address` which began at `time`, surest first, then latest first.
  func evidence(client: IPAddress, address: IPAddress, at time: Timestamp) -> [NameEvidence] {
    guard !entries.isEmpty else { return [] }
    let own = find(Pair(client: representative(of: client), address: address))
    if let own, entries[own].older.isEmpty, isResolved(entries[own].latest, at: time) { return entries[own].latest.evidence }
    var known = own.map { entries[$0].bindings } ?? []
    known.removeAll { $0.learned > time }
    // A name may be used for longer than it was to live, but not where one that was learned later is still fresh.
    let newestFresh = known.lazy.filter { time <= $0.expires }.map(\.learned).max()
    let fitting = known.filter { isResolved($0, at: time) && (time <= $0.expires || $0.learned >= newestFresh ?? $0.learned) }
    if !fitting.isEmpty { return evidence(of: fitting, fitting.count == 1 ? .resolved : .shared) }
    return evidence(of: known.isEmpty ? hint(address, at: time) : known, .hint)
  }

  /// What another client looked up last.
  private func hint(_ address: IPAddress, at time: Timestamp) -> [Binding] {
    guard let place = findHint(address, hash(address)), entries[place].latest.learned <= time else { return [] }
    return [entries[place].latest]
  }

  private func findHint(_ address: IPAddress, _ hash: UInt32) -> Int? {
    hints.find(hash) { entries[$0].pair.address == address }
  }

  private func hash(_ address: IPAddress) -> UInt32 {
    SeededHash.folded(SeededHash.mixed(address.high ^ seed, address.low ^ 0xa076_1d64_78bd_642f))
  }

  private func representative(of client: IPAddress) -> IPAddress {
    if client.isLoopback { return Self.loopbackClient }
    return clients.isEmpty ? client : clients[client] ?? client
  }

  private func isResolved(_ binding: Binding, at time: Timestamp) -> Bool {
    binding.learned <= time && time <= binding.expires.adding(nanoseconds: grace)
  }

  private func evidence(of bindings: [Binding], _ confidence: Confidence) -> [NameEvidence] {
    bindings.flatMap { binding in
      binding.evidence.map { NameEvidence(name: $0.name, source: .dns, confidence: confidence, chain: $0.chain) }
    }
  }

  private func find(_ pair: Pair) -> Int? {
    slots.find(pair.hash(seed: seed)) { entries[$0].pair == pair }
  }

  private mutating func remember(_ binding: Binding, for pair: Pair) -> Int {
    let place: Int
    if let known = find(pair) {
      place = known
      byteCount -= entries[place].byteCount
      entries[place].refresh(binding, limit: namesPerAddress)
    } else {
      if free.isEmpty, entries.count >= capacity { forget() }
      if let forgotten = free.popLast() {
        place = forgotten
        entries[place] = Entry(pair: pair, latest: binding)
      } else {
        place = entries.count
        entries.append(Entry(pair: pair, latest: binding))
      }
      slots.insert(pair.hash(seed: seed), place)
    }
    byteCount += entries[place].byteCount
    while byteCount > byteLimit, count > 1 { forget() }
    return place
  }

  /// Frees the place of the first entry under the hand that was not refreshed since the hand last came by; there must be one.
  private mutating func forget() {
    // One round clears every mark, so the second one finds an entry.
    while count > 0 {
      if hand >= entries.count { hand = 0 }
      let place = hand
      hand += 1
      guard !entries[place].isForgotten else { continue }
      guard !entries[place].isRefreshed else {
        entries[place].isRefreshed = false
        continue
      }
      slots.remove(entries[place].pair.hash(seed: seed), place)
      hints.remove(hash(entries[place].pair.address), place)
      byteCount -= entries[place].byteCount
      entries[place].forget()
      free.append(place)
      evicted += 1
      return
    }
  }
}
