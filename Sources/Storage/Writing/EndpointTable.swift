import EgressModel

/// Adds flows to the endpoints they belong to, one statement per endpoint and batch however many flows it has. What lies between two flushes is a batch.
final class EndpointTable {
  struct Key: Hashable {
    var group: Int64
    /// The presentation text, or '' for a destination without a name.
    var name: String
    /// -1 for transports without ports.
    var port: Int64
    var transport: Transport
    var address: IPAddress
  }

  /// Whether it is time to flush: a bound on memory, and on sums (see `FlowTotals`).
  private(set) var isFull = false
  private static let largestBatch = 2048
  private static let mostRecords = 1000

  /// What a batch changes of one endpoint.
  private struct Change {
    var key: Key
    var id: Int64
    var isInsert: Bool
    var facts: Facts?
    var firstSeen = Int64.max
    var lastSeen = Int64.min
    var flows: Int64 = 0
    /// How many terms `counts` sums up.
    var records = 0
    var counts = FlowTotals()
  }

  private struct Facts {
    var workload: Int64
    /// `NameEvidence.trust`; smaller is better.
    var trust: Int64
    var chain: [DomainName]
    var scope: Scope
    var application: Application?
    var vendor: Int64?
    var ech: TLSFacts.ECH?
    var verdict: Int64?
  }

  private struct Slot {
    var id: Int64
    var batch: Int
    var change: Int
  }

  // A bound on memory: about 8 MB of keys. Beyond it the cache starts again.
  private static let capacity = 32_768

  private let database: Database
  private let findNamed: Statement
  private let findExact: Statement
  private let insert: Statement
  private let update: Statement
  private let reduce: Statement
  private let delete: Statement
  private var slots: [Key: Slot] = [:]
  private var changes: [Change] = []
  // Names that are new in this batch, whose rows are not written yet; every name of the file while `holdsAll`.
  private var names: Set<Key> = []
  // Whether every endpoint of the file is in `slots`, so that what is not there need not be looked for. So it is with a new file.
  private var holdsAll = false
  private var batch = 1
  private var nextID: Int64?
  /// Whether the file can be searched: a temporary database is given its index when something is looked for.
  private var isIndexed = false

  init(_ database: Database) throws(StorageError) {
    self.database = database
    findNamed = try Statement(
      database, "SELECT id, address FROM endpoints WHERE grp = ? AND name = ? AND port = ? AND transport = ? LIMIT 1")
    findExact = try Statement(
      database, "SELECT id FROM endpoints WHERE grp = ? AND name = ? AND port = ? AND transport = ? AND address = ?")
    insert = try Statement(
      database,
      """
      INSERT INTO endpoints(id, grp, name, port, transport, address, workload, trust, chain, scope, application, vendor, ech,
        first_seen, last_seen, flows, answered, packets_out, bytes_out, packets_in, bytes_in, verdict)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    update = try Statement(
      database,
      """
      UPDATE endpoints SET workload = ?1, chain = CASE WHEN ?2 <= trust THEN ?3 ELSE chain END, trust = min(trust, ?2), scope = ?4,
        application = coalesce(?5, application), vendor = coalesce(?6, vendor), ech = coalesce(?7, ech), verdict = ?8,
        first_seen = min(first_seen, ?9), last_seen = max(last_seen, ?10), \(Self.sums(from: 11)) WHERE id = ?17
      """)
    reduce = try Statement(database, "UPDATE endpoints SET \(Self.sums(from: 1)) WHERE id = ?7")
    delete = try Statement(database, "DELETE FROM endpoints WHERE id = ? AND flows = 0")
  }

  // SQLite turns an integer sum that overflows into a real; `FlowTotals` keeps the terms far from that.
  private static func sums(from first: Int) -> String {
    ["flows", "answered", "packets_out", "bytes_out", "packets_in", "bytes_in"].enumerated().map { index, column in
      "\(column) = \(column) + ?\(first + index)"
    }.joined(separator: ", ")
  }

  func forget() {
    slots.removeAll(keepingCapacity: true)
    changes.removeAll(keepingCapacity: true)
    names.removeAll(keepingCapacity: true)
    isFull = false
    holdsAll = false
    nextID = nil
    isIndexed = false
  }

  /// The endpoint's row, existing or to be, and whether its group never talked to this name (or nameless address), port and transport.
  func endpoint(_ key: Key) throws(StorageError) -> (change: Int, isNew: Bool) {
    if let place = slots.index(forKey: key) {
      let slot = slots.values[place]
      if slot.batch == batch { return (slot.change, false) }
      slots.values[place] = Slot(id: slot.id, batch: batch, change: changes.count)
      return (begin(Change(key: key, id: slot.id, isInsert: false)), false)
    }
    if nextID == nil {
      let last = try database.integer("SELECT coalesce(max(id), 0) FROM endpoints")
      nextID = last
      holdsAll = last == 0 && slots.isEmpty
    }
    let (known, isKnownName) = holdsAll ? (nil, false) : try find(key)
    if let known { return (append(Change(key: key, id: known, isInsert: false)), false) }
    let isNew: Bool
    if key.name.isEmpty {
      isNew = true
    } else {
      var name = key
      name.address = IPAddress(high: 0, low: 0)
      isNew = !isKnownName && names.insert(name).inserted
    }
    let id = (nextID ?? 0) + 1
    nextID = id
    return (append(Change(key: key, id: id, isInsert: true)), isNew)
  }

  func id(_ change: Int) -> Int64 { changes[change].id }

  private func append(_ change: Change) -> Int {
    if slots.count >= Self.capacity {
      // Changes of this batch must still be found: they are all that is kept.
      slots = slots.filter { $0.value.batch == batch }
      holdsAll = false
    }
    slots[change.key] = Slot(id: change.id, batch: batch, change: changes.count)
    return begin(change)
  }

  private func begin(_ change: Change) -> Int {
    changes.append(change)
    if changes.count >= Self.largestBatch { isFull = true }
    return changes.count - 1
  }

  private func find(_ key: Key) throws(StorageError) -> (exact: Int64?, isKnownName: Bool) {
    if !isIndexed {
      try database.execute("CREATE UNIQUE INDEX IF NOT EXISTS \(Schema.endpointsKey)")
      isIndexed = true
    }
    if !key.name.isEmpty {
      bindName(key, to: findNamed)
      guard try findNamed.step() else { return (nil, false) }
      defer { findNamed.reset() }
      let id = findNamed.anyInteger()
      if findNamed.anyText() == key.address.description { return (id, true) }
    }
    bindName(key, to: findExact)
    findExact.bind(key.address)
    guard try findExact.step() else { return (nil, true) }
    defer { findExact.reset() }
    return (findExact.anyInteger(), true)
  }

  private func bindName(_ key: Key, to statement: Statement) {
    statement.bind(key.group)
    statement.bind(key.name)
    statement.bind(key.port)
    statement.bind(Int64(key.transport.rawValue))
  }

  /// Adds what a record of a flow tells beyond `before`, what the endpoint was already told of it.
  func add(_ flow: FlowRecord, workload: Int64, vendor: Int64?, verdict: Int64?, before: FlowTotals, isFirst: Bool, to index: Int) {
    let evidence = flow.name
    var facts = Facts(
      workload: workload, trust: evidence?.trust ?? 0, chain: evidence?.chain ?? [], scope: flow.scope, application: flow.application,
      vendor: vendor, ech: flow.tls?.ech, verdict: verdict)
    // A new row begins with a flow even when the batch that told of its beginning was lost.
    let isFirst = isFirst || (changes[index].isInsert && changes[index].flows == 0)
    if let earlier = changes[index].facts {
      if earlier.trust < facts.trust { (facts.trust, facts.chain) = (earlier.trust, earlier.chain) }
      facts.application = facts.application ?? earlier.application
      facts.vendor = facts.vendor ?? earlier.vendor
      facts.ech = facts.ech ?? earlier.ech
    }
    changes[index].facts = facts
    changes[index].firstSeen = min(changes[index].firstSeen, flow.start.nanoseconds)
    changes[index].lastSeen = max(changes[index].lastSeen, flow.end.nanoseconds)
    if isFirst { changes[index].flows += 1 }
    count(FlowTotals(flow), minus: before, in: index)
  }

  private func count(_ more: FlowTotals, minus less: FlowTotals, in index: Int) {
    changes[index].counts.add(more, minus: less)
    changes[index].records += 1
    if changes[index].records >= Self.mostRecords { isFull = true }
  }

  /// Takes back a flow that turned out to go elsewhere: its name was learned after its first record.
  func remove(_ totals: FlowTotals, from index: Int) {
    changes[index].flows -= 1
    count(FlowTotals(), minus: totals, in: index)
  }

  /// Writes the batch's changes.
  func flush() throws(StorageError) {
    // Taken out, so that each can be lent.
    var written: [Change] = []
    swap(&written, &changes)
    try write(written.span)
    written.removeAll(keepingCapacity: true)
    swap(&written, &changes)
    if !holdsAll { names.removeAll(keepingCapacity: true) }
    isFull = false
    batch += 1
  }

  private func write(_ changes: Span<Change>) throws(StorageError) {
    for index in changes.indices { try write(changes[index]) }
  }

  private func write(_ change: borrowing Change) throws(StorageError) {
    if let facts = change.facts {
      change.isInsert ? try write(insertOf: change, facts) : try write(updateOf: change, facts)
    } else {
      bindSums(change, to: reduce)
      reduce.bind(change.id)
      try reduce.run()
    }
    guard change.flows < 0 else { return }
    delete.bind(change.id)
    try delete.run()
    if database.changes > 0 {
      slots[change.key] = nil
      holdsAll = false
    }
  }

  private func write(insertOf change: Change, _ facts: Facts) throws(StorageError) {
    insert.bind(change.id)
    bindName(change.key, to: insert)
    insert.bind(change.key.address)
    insert.bind(facts.workload)
    insert.bind(facts.trust)
    insert.bind(facts.chain.isEmpty ? nil : facts.chain.map(\.text).joined(separator: " "))
    insert.bind(facts.scope.rawValue)
    insert.bind(facts.application?.rawValue)
    insert.bind(facts.vendor)
    insert.bind((facts.ech ?? .none).rawValue)
    insert.bind(change.firstSeen)
    insert.bind(change.lastSeen)
    bindSums(change, to: insert)
    insert.bind(facts.verdict)
    try insert.run()
  }

  private func write(updateOf change: Change, _ facts: Facts) throws(StorageError) {
    update.bind(facts.workload)
    update.bind(facts.trust)
    update.bind(facts.chain.isEmpty ? nil : facts.chain.map(\.text).joined(separator: " "))
    update.bind(facts.scope.rawValue)
    update.bind(facts.application?.rawValue)
    update.bind(facts.vendor)
    update.bind(facts.ech?.rawValue)
    update.bind(facts.verdict)
    update.bind(change.firstSeen)
    update.bind(change.lastSeen)
    bindSums(change, to: update)
    update.bind(change.id)
    try update.run()
  }

  private func bindSums(_ change: Change, to statement: Statement) {
    statement.bind(change.flows)
    statement.bind(change.counts.answered)
    statement.bind(change.counts.packetsOut)
    statement.bind(change.counts.bytesOut)
    statement.bind(change.counts.packetsIn)
    statement.bind(change.counts.bytesIn)
  }
}

extension NameEvidence {
  /// Source and confidence as one number; smaller is more trusted. Stored: the words are frozen in the schema's views.
  var trust: Int64 {
    let source: Int64 =
      switch source {
      case .tlsSNI: 0
      case .quicSNI: 1
      case .httpHost: 2
      case .httpConnect: 3
      case .socks: 4
      case .dns: 5
      case .certificate: 6
      case .ptr: 7
      }
    let confidence: Int64 =
      switch confidence {
      case .confirmed: 0
      case .resolved: 1
      case .shared: 2
      case .hint: 3
      }
    return source * 4 + confidence
  }

  /// What `trust` stands for; nil for a number that it never gives.
  static func evidence(trust: Int64) -> (source: NameSource, confidence: Confidence)? {
    let sources: [NameSource] = [.tlsSNI, .quicSNI, .httpHost, .httpConnect, .socks, .dns, .certificate, .ptr]
    let confidences: [Confidence] = [.confirmed, .resolved, .shared, .hint]
    guard (0..<32).contains(trust) else { return nil }
    return (sources[Int(trust / 4)], confidences[Int(trust % 4)])
  }
}
