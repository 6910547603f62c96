import EgressModel

/// DNS queries that wait for their answer; an answer is believed only when it fits one of them.
///
/// A query is kept as one number, made with a secret seed of everything an answer has to repeat: the addresses, the ports, the
/// message's id and its question. Four places share a bucket; a full bucket forgets its oldest.
struct QueryTable {
  private struct Query {
    var fingerprint: UInt64
    var time: Timestamp
  }

  private static let ways = 4

  /// In nanoseconds.
  let timeout: Int64
  private let buckets: Int
  /// Empty until the first query; a fingerprint of 0 marks a free place.
  private var places: ContiguousArray<Query> = []
  private(set) var count = 0
  /// Queries that were forgotten without an answer.
  private(set) var unanswered: UInt64 = 0
  private var sweptAt: Timestamp?

  /// - Parameter capacity: rounded up to a power of two, 4 or more.
  init(capacity: Int, timeout: Int64) {
    var buckets = 1
    while buckets * Self.ways < capacity { buckets *= 2 }
    self.buckets = buckets
    self.timeout = timeout
  }

  /// Notes a query; the same one again (a retransmission) starts its waiting time anew.
  mutating func insert(_ fingerprint: UInt64, at time: Timestamp) {
    if places.isEmpty {
      places = ContiguousArray(repeating: Query(fingerprint: 0, time: time), count: buckets * Self.ways)
    }
    let bucket = bucket(fingerprint)
    var place = bucket.lowerBound
    for candidate in bucket {
      if places[candidate].fingerprint == fingerprint || places[candidate].fingerprint == 0 {
        place = candidate
        break
      }
      if places[candidate].time < places[place].time { place = candidate }
    }
    if places[place].fingerprint == 0 {
      count += 1
    } else if places[place].fingerprint != fingerprint {
      unanswered += 1
    }
    places[place] = Query(fingerprint: fingerprint, time: time)
  }

  /// Whether an answer fits a query, which then waits no longer.
  mutating func answer(_ fingerprint: UInt64, at time: Timestamp) -> Bool {
    guard !places.isEmpty else { return false }
    for place in bucket(fingerprint) where places[place].fingerprint == fingerprint {
      let isInTime = time.since(places[place].time) <= timeout
      places[place].fingerprint = 0
      count -= 1
      if !isInTime { unanswered += 1 }
      return isInTime
    }
    return false
  }

  /// Drops the queries that waited too long; looks at them once in a `timeout`.
  mutating func forget(before time: Timestamp) {
    guard count > 0 else { return }
    guard let last = sweptAt, time.since(last) < timeout else {
      sweptAt = time
      for place in places.indices where places[place].fingerprint != 0 && time.since(places[place].time) > timeout {
        places[place].fingerprint = 0
        count -= 1
        unanswered += 1
      }
      return
    }
  }

  private func bucket(_ fingerprint: UInt64) -> Range<Int> {
    let first = Int(truncatingIfNeeded: fingerprint >> 32) & (buckets - 1)
    return first * Self.ways..<(first + 1) * Self.ways
  }
}

/// The question of a DNS message as a number, without decoding names into text.
enum QuestionFingerprint {
  /// A hash of the only question: its name in lower case, type and class. Nil when there is not exactly one, well-formed.
  static func of(_ message: Span<UInt8>, seed: UInt64) -> UInt64? {
    guard message.count >= 12, message[4] == 0, message[5] == 1 else { return nil }
    var hash = seed
    var position = 12
    // RFC 1035 2.3.4: a name has 255 octets at most. A question has nothing before it to point to.
    while position < min(message.count, 12 + 255) {
      let length = Int(message[position])
      guard length < 64, position + length < message.count else { return nil }
      for index in position...position + length {
        let octet = message[index]
        let isUpper = octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") && index > position
        hash = (hash ^ UInt64(isUpper ? octet | 0x20 : octet)) &* 0x0000_0100_0000_01b3
      }
      position += 1 + length
      guard length == 0 else { continue }
      guard position + 4 <= message.count else { return nil }
      for index in position..<position + 4 { hash = (hash ^ UInt64(message[index])) &* 0x0000_0100_0000_01b3 }
      return hash
    }
    return nil
  }

  /// The question together with who asks whom, as an answer has to repeat it. Never 0.
  static func of(
    question: UInt64, id: UInt16, client: SocketAddress, server: SocketAddress, isStream: Bool, seed: UInt64
  ) -> UInt64 {
    let ports = UInt64(client.port ?? 0) << 48 | UInt64(server.port ?? 0) << 32 | UInt64(id) << 16 | (isStream ? 1 : 0)
    let a = SeededHash.mixed(client.ip.high ^ seed, client.ip.low ^ 0x9e37_79b9_7f4a_7c15)
    let b = SeededHash.mixed(server.ip.high ^ ~seed, server.ip.low ^ 0xd1b5_4a32_d192_ed03)
    return SeededHash.mixed(a ^ ports, b ^ question) | 1
  }
}
