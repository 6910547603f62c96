import EgressModel
import Wire

/// Datagrams that arrive in fragments, until they are whole, spoilt or overdue.
///
/// Senders fall into groups, by a seeded hash. A group has room for so many datagrams and octets, and no more: who floods the table with
/// pieces that never fit together displaces the datagrams of its own group, and all groups together stay inside `groups` × `octetsPerGroup`.
struct FragmentTable {
  static let groups = 64
  static let datagramsPerGroup = 32
  static let octetsPerGroup = 131_072
  /// Linux gives up reassembly after 30 s (`ipfrag_time`).
  static let lifetime: Int64 = 30_000_000_000
  /// How long a whole datagram is remembered, at most, for pieces that come twice.
  static let memory: Int64 = 1_000_000_000

  private let seed: UInt64
  /// The longest there first; empty until the first fragment.
  private var datagrams: ContiguousArray<ContiguousArray<Datagram>> = []
  /// Datagrams that began so far.
  private var begun: UInt64 = 0
  /// Datagrams there now.
  private(set) var count = 0

  init(seed: UInt64) { self.seed = seed }

  /// Octets held now.
  var byteCount: Int { datagrams.reduce(0) { $0 + $1.reduce(0) { $0 + $1.byteCount } } }

  /// Takes in a fragment, and gives back the datagram that is whole by it and those that had to go.
  mutating func insert(
    _ packet: Packet, _ fragment: Packet.Fragment, _ frame: Span<UInt8>, on link: UInt16, at time: Timestamp
  ) -> (whole: Datagram?, displaced: [Datagram]) {
    if datagrams.isEmpty { datagrams = ContiguousArray(repeating: [], count: Self.groups) }
    let key = Datagram.Key(packet, fragment, on: link)
    let group = group(of: key.source)
    // The others of the group go when time is told to have passed: who shares a group follows the seed.
    var displaced = expire(group, at: time) { $0.key == key }
    let before = datagrams[group].lastIndex { $0.key == key && $0.isSettled }
    let isRepeated = before.map { datagrams[group][$0].repeats(packet, fragment, frame) } ?? false
    var index = datagrams[group].lastIndex { $0.key == key && !$0.isSettled }
    if index == nil {
      // A copy right behind its piece; it would be taken for one of the next datagram.
      if isRepeated, let before, datagrams[group][before].completedAt == UInt32(fragment.offset) { return (nil, displaced) }
      if datagrams[group].count >= Self.datagramsPerGroup { displaced += displace(from: group) }
      datagrams[group].append(Datagram(packet, key, number: begun, at: time))
      begun += 1
      count += 1
      index = datagrams[group].count - 1
    }
    guard let index else { return (nil, displaced) }
    datagrams[group][index].insert(packet, fragment, frame, isRepeated: isRepeated, at: time)
    var whole: Datagram?
    if datagrams[group][index].isWhole {
      if datagrams[group][index].isRepeat {
        datagrams[group].remove(at: index)
        count -= 1
        return (nil, displaced)
      }
      whole = datagrams[group][index]
      datagrams[group][index].settle(by: fragment)
      if let before = datagrams[group].firstIndex(where: { $0.key == key && $0.isSettled }), before != index {
        datagrams[group].remove(at: before)
        count -= 1
      }
    }
    while datagrams[group].count > 1, datagrams[group].reduce(0, { $0 + $1.byteCount }) > Self.octetsPerGroup {
      displaced += displace(from: group)
    }
    return (whole, displaced)
  }

  /// Takes out what is there for too long.
  mutating func expire(before time: Timestamp) -> [Datagram] {
    guard count > 0 else { return [] }
    return datagrams.indices.flatMap { expire($0, at: time) { _ in true } }.sorted { $0.number < $1.number }
  }

  mutating func removeAll() -> [Datagram] {
    guard count > 0 else { return [] }
    count = 0
    let all = datagrams.flatMap { $0 }.sorted { $0.number < $1.number }
    datagrams = []
    return all
  }

  private mutating func expire(_ group: Int, at time: Timestamp, where isMeant: (Datagram) -> Bool) -> [Datagram] {
    func isOverdue(_ datagram: Datagram) -> Bool {
      guard isMeant(datagram) else { return false }
      // Copies are of no more use than what they repeat.
      let known = datagram.isRepeat ? datagrams[group].first { $0.key == datagram.key && $0.isSettled } : datagram
      guard let known else { return true }
      return known.isSettled ? time.since(known.last) > Self.memory : time.since(known.since) > Self.lifetime
    }
    let overdue = datagrams[group].filter(isOverdue)
    guard !overdue.isEmpty else { return [] }
    datagrams[group].removeAll { datagram in overdue.contains { $0.number == datagram.number } }
    count -= overdue.count
    return Array(overdue)
  }

  /// Takes out the datagram that is there for longest, one that is settled before any other.
  private mutating func displace(from group: Int) -> [Datagram] {
    guard !datagrams[group].isEmpty else { return [] }
    var displaced = datagrams[group].remove(at: datagrams[group].firstIndex(where: \.isSettled) ?? 0)
    count -= 1
    if displaced.fault == nil, !displaced.isSettled, !displaced.isRepeat { displaced.spoil(.noRoom) }
    return [displaced]
  }

  private func group(of source: IPAddress) -> Int {
    Int(SeededHash.folded(SeededHash.mixed(source.high ^ seed, source.low ^ 0x9e37_79b9_7f4a_7c15))) & (Self.groups - 1)
  }
}
