import EgressModel

/// DNS queries that wait for their answer; an answer is believed only when it fits one of them.
///
/// Off-path answers have to guess the client's port and the message's id, and the name too.
struct QueryTable {
  struct Key: Hashable {
    var client: IPAddress
    var server: IPAddress
    var clientPort: UInt16
    var serverPort: UInt16
    var id: UInt16
    var isStream: Bool
  }

  private struct Query {
    var question: UInt64
    var serial: UInt64
    var time: Timestamp
  }

  let capacity: Int
  /// In nanoseconds.
  let timeout: Int64
  private var queries: [Key: Query] = [:]
  /// Keys in the order of their queries, answered ones included, from `oldest` on.
  private var order: ContiguousArray<(key: Key, serial: UInt64)> = []
  private var oldest = 0
  private var nextSerial: UInt64 = 0
  /// Queries that were forgotten without an answer.
  private(set) var unanswered: UInt64 = 0

  init(capacity: Int, timeout: Int64) {
    self.capacity = max(1, capacity)
    self.timeout = timeout
  }

  var count: Int { queries.count }

  /// Notes a query; the same one again (a retransmission) starts its waiting time anew.
  mutating func insert(_ key: Key, question: UInt64, at time: Timestamp) {
    forget(before: time)
    queries[key] = Query(question: question, serial: nextSerial, time: time)
    order.append((key, nextSerial))
    nextSerial += 1
  }

  /// Whether an answer fits a query, which then waits no longer.
  mutating func answer(_ key: Key, question: UInt64, at time: Timestamp) -> Bool {
    guard let query = queries[key], query.question == question, time.since(query.time) <= timeout else { return false }
    queries[key] = nil
    return true
  }

  /// Drops from the front of the queue what was answered or waited too long, and as much more as the bound demands.
  mutating func forget(before time: Timestamp) {
    while oldest < order.count {
      let (key, serial) = order[oldest]
      if let query = queries[key], query.serial == serial {
        guard time.since(query.time) > timeout || order.count - oldest >= capacity else { break }
        queries[key] = nil
        unanswered += 1
      }
      oldest += 1
    }
    if oldest > 1024, oldest * 2 > order.count {
      order.removeFirst(oldest)
      oldest = 0
    }
  }
}

/// The question of a DNS message as a number, without decoding names into text.
enum QuestionFingerprint {
  /// A hash of name (in lower case), type and class of the only question; nil when there is not exactly one, well-formed.
  static func of(_ message: Span<UInt8>, seed: UInt64) -> UInt64? {
    guard message.count >= 12, message[4] == 0, message[5] == 1 else { return nil }
    var hash = seed ^ 0xcbf2_9ce4_8422_2325
    var position = 12
    // RFC 1035 2.3.4: a name has 255 octets at most. A question has nothing before it to point to.
    while position < min(message.count, 12 + 255) {
      let length = Int(message[position])
      guard length < 64, position + length < message.count else { return nil }
      hash = (hash ^ UInt64(length)) &* 0x0000_0100_0000_01b3
      for index in position + 1..<position + 1 + length {
        let octet = message[index]
        let isUpper = octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z")
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
}
