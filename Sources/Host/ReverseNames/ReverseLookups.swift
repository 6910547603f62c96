public import EgressModel

/// What reverse DNS may cost.
public struct ReverseLookupLimits: Equatable, Sendable {
  public var inFlight: Int
  /// Queries sent in a second, retries included.
  public var perSecond: Int
  /// How long one attempt waits, in nanoseconds, and how many there are.
  public var timeout: Int64
  public var attempts: Int
  /// Addresses that wait for their turn; a further one is refused and counted.
  public var queueCapacity: Int
  /// Answers remembered; the one that expires first makes room.
  public var cacheCapacity: Int
  /// How long names are kept whatever their TTL says, in seconds, and how long "no name" and "no answer" are.
  public var timeToLive: ClosedRange<UInt32>
  public var negativeTimeToLive: UInt32

  public init(
    inFlight: Int = 4, perSecond: Int = 10, timeout: Int64 = 2_000_000_000, attempts: Int = 2, queueCapacity: Int = 1024,
    cacheCapacity: Int = 16_384, timeToLive: ClosedRange<UInt32> = 300...86_400, negativeTimeToLive: UInt32 = 3600
  ) {
    self.inFlight = inFlight
    self.perSecond = perSecond
    self.timeout = timeout
    self.attempts = attempts
    self.queueCapacity = queueCapacity
    self.cacheCapacity = cacheCapacity
    self.timeToLive = timeToLive
    self.negativeTimeToLive = negativeTimeToLive
  }
}

/// What reverse DNS said of an address.
public enum ReverseName: Hashable, Sendable {
  case named([DomainName])
  /// The server says that there is no name.
  case unnamed
  /// Nobody answered, or not usefully.
  case unanswered
}

public struct ReverseLookupCounters: Equatable, Sendable {
  public var sent: UInt64 = 0
  public var named: UInt64 = 0
  public var unnamed: UInt64 = 0
  public var unanswered: UInt64 = 0
  /// Addresses not asked for because the queue was full.
  public var refused: UInt64 = 0
  /// Answers that matched no question.
  public var mismatched: UInt64 = 0
}

/// Decides which address to ask for when, and remembers the answers. Time is a parameter; somebody else sends.
struct ReverseLookups {
  let limits: ReverseLookupLimits
  private(set) var counters = ReverseLookupCounters()
  private var queue: [(address: IPAddress, attempt: Int)] = []
  private(set) var inFlight: [IPAddress: (attempt: Int, deadline: Timestamp)] = [:]
  private var waiting: Set<IPAddress> = []
  private var cache: [IPAddress: (name: ReverseName, expires: Timestamp)] = [:]
  /// Sending times of the last second.
  private var recent: [Timestamp] = []

  init(limits: ReverseLookupLimits) { self.limits = limits }

  var isIdle: Bool { queue.isEmpty && inFlight.isEmpty }

  func known(_ address: IPAddress, at now: Timestamp) -> ReverseName? {
    cache[address].flatMap { $0.expires > now ? $0.name : nil }
  }

  /// Queues an address unless its answer is known or under way; false when the queue is full.
  mutating func ask(_ address: IPAddress, at now: Timestamp) -> Bool {
    if waiting.contains(address) || known(address, at: now) != nil { return true }
    guard queue.count < limits.queueCapacity else {
      counters.refused += 1
      return false
    }
    queue.append((address, 0))
    waiting.insert(address)
    return true
  }

  /// The next address to send a query for, if one may be sent now.
  mutating func next(at now: Timestamp) -> (address: IPAddress, attempt: Int)? {
    recent.removeAll { now.since($0) >= 1_000_000_000 || $0 > now }
    guard !queue.isEmpty, inFlight.count < limits.inFlight, recent.count < limits.perSecond else { return nil }
    let next = queue.removeFirst()
    recent.append(now)
    inFlight[next.address] = (next.attempt, now.adding(nanoseconds: limits.timeout))
    counters.sent += 1
    return next
  }

  mutating func answered(_ address: IPAddress, _ name: ReverseName, timeToLive: UInt32, at now: Timestamp) {
    inFlight[address] = nil
    waiting.remove(address)
    let seconds: UInt32
    switch name {
    case .named:
      counters.named += 1
      seconds = min(max(timeToLive, limits.timeToLive.lowerBound), limits.timeToLive.upperBound)
    case .unnamed:
      counters.unnamed += 1
      seconds = limits.negativeTimeToLive
    case .unanswered:
      counters.unanswered += 1
      seconds = limits.negativeTimeToLive
    }
    if cache.count >= limits.cacheCapacity, cache[address] == nil {
      cache = cache.filter { $0.value.expires > now }
      if cache.count >= limits.cacheCapacity, let first = cache.min(by: { $0.value.expires < $1.value.expires })?.key { cache[first] = nil }
    }
    cache[address] = (name, now.adding(nanoseconds: Int64(seconds) * 1_000_000_000))
  }

  mutating func mismatched() { counters.mismatched += 1 }

  /// An attempt failed: again at the head of the queue, or given up; true when it was given up.
  mutating func failed(_ address: IPAddress, at now: Timestamp) -> Bool {
    guard let attempt = inFlight.removeValue(forKey: address)?.attempt else { return false }
    if attempt + 1 < limits.attempts {
      queue.insert((address, attempt + 1), at: 0)
      return false
    }
    answered(address, .unanswered, timeToLive: 0, at: now)
    return true
  }

  /// Those whose time is over.
  func expired(at now: Timestamp) -> [IPAddress] {
    inFlight.filter { $0.value.deadline <= now }.keys.sorted()
  }
}
