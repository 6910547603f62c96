public import EgressModel
internal import Glibc
internal import Wire

/// Looks up the names of addresses (PTR over UDP), a few at a time.
///
/// No thread of its own: whoever owns it calls `ask` and, now and then, `step`. A name found here is a hint and satisfies no policy.
public final class ReverseResolver {
  public struct Answer: Equatable, Sendable {
    public var address: IPAddress
    public var name: ReverseName
  }

  private let nameservers: [SocketAddress]
  private var lookups: ReverseLookups
  private var slots: [Slot] = []
  /// The ports of closed sockets, newest last: answers may still be under way to them.
  private var retired: [UInt16] = []
  private static let retiredCapacity = 256

  /// A socket with a random port, made before it is needed so that its port is known before its first packet.
  private final class Slot {
    let descriptor: Descriptor
    let nameserver: SocketAddress
    let port: UInt16
    /// What was asked through it; a socket asks one question in its life.
    var question: (address: IPAddress, id: UInt16)?

    init(_ nameserver: SocketAddress) throws(HostError) {
      descriptor = try ReverseResolver.connected(to: nameserver)
      port = ReverseResolver.localPort(of: descriptor.number)
      self.nameserver = nameserver
    }
  }

  /// Asks the first of the servers, and the next one when an attempt failed.
  public init(nameservers: [SocketAddress], limits: ReverseLookupLimits = ReverseLookupLimits()) throws(HostError) {
    guard !nameservers.isEmpty else { throw .noNameserver(path: "the configuration") }
    self.nameservers = nameservers
    lookups = ReverseLookups(limits: limits)
    for _ in 0..<max(1, limits.inFlight) { slots.append(try Self.slot(among: nameservers, from: 0)) }
  }

  /// The answer if it is known.
  public func name(of address: IPAddress, at now: Timestamp) -> ReverseName? { lookups.known(address, at: now) }

  /// Queues an address; false when the queue is full. Known ones and those under way cost nothing.
  @discardableResult public func ask(_ address: IPAddress, at now: Timestamp) -> Bool { lookups.ask(address, at: now) }

  public var isIdle: Bool { lookups.isIdle }
  public var counters: ReverseLookupCounters { lookups.counters }

  /// The local ports of all queries so far that may still be on the wire, and of the next ones: packets between them and a name server
  /// are our own. Take it before each `step`.
  public var localPorts: Set<UInt16> { Set(retired).union(slots.map(\.port)) }

  /// Sends what may be sent, waits at most so long for answers, and gives up what is too old.
  public func step(at now: Timestamp, waiting milliseconds: Int32 = 0) -> [Answer] {
    var answers: [Answer] = []
    for address in lookups.expired(at: now) {
      for index in slots.indices where slots[index].question?.address == address { replace(index) }
      if lookups.failed(address, at: now) { answers.append(Answer(address: address, name: .unanswered)) }
    }
    // A socket replaced in this step has a port that the caller does not know yet, so it stays unused until the next one.
    let known = slots.indices.filter { slots[$0].question == nil && !fresh.contains(slots[$0].port) }
    for index in known {
      guard let next = lookups.next(at: now) else { break }
      send(next.address, attempt: next.attempt, through: index)
    }
    fresh = []
    answers += receive(at: now, waiting: milliseconds)
    return answers
  }

  private var fresh: Set<UInt16> = []

  private func send(_ address: IPAddress, attempt: Int, through index: Int) {
    let id = UInt16.random(in: 0...UInt16.max)
    slots[index].question = (address, id)
    let query = DNSMessage.encodePTRQuery(id: id, address: address)
    // What cannot be sent is as good as lost: the deadline deals with it.
    _ = unsafe query.withUnsafeBytes { unsafe Glibc.send(slots[index].descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }

  private func receive(at now: Timestamp, waiting milliseconds: Int32) -> [Answer] {
    let asked = slots.indices.filter { slots[$0].question != nil }
    var descriptors = asked.map { pollfd(fd: slots[$0].descriptor.number, events: Int16(POLLIN), revents: 0) }
    guard !asked.isEmpty, unsafe poll(&descriptors, UInt(descriptors.count), milliseconds) > 0 else { return [] }
    var answers: [Answer] = []
    for (index, descriptor) in zip(asked, descriptors) where descriptor.revents != 0 {
      if let answer = read(index, at: now) { answers.append(answer) }
    }
    return answers
  }

  /// Most datagrams read from one socket in one step; more are strangers guessing.
  private static let maximumDatagrams = 16

  private func read(_ index: Int, at now: Timestamp) -> Answer? {
    guard let question = slots[index].question else { return nil }
    var buffer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<Self.maximumDatagrams {
      let count = unsafe recv(slots[index].descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      guard count >= 0 else {
        if errno == EAGAIN || errno == EINTR { return nil }
        // Refused (ICMP): no need to wait for the deadline.
        replace(index)
        return lookups.failed(question.address, at: now) ? Answer(address: question.address, name: .unanswered) : nil
      }
      guard let (name, timeToLive) = Self.answer(in: buffer.span.extracting(0..<count), id: question.id, address: question.address) else {
        lookups.mismatched()
        continue
      }
      replace(index)
      if name == .unanswered {
        return lookups.failed(question.address, at: now) ? Answer(address: question.address, name: .unanswered) : nil
      }
      lookups.answered(question.address, name, timeToLive: timeToLive, at: now)
      return Answer(address: question.address, name: name)
    }
    return nil
  }

  /// What a message says about the question; nil when it is no answer to exactly this one.
  static func answer(in message: Span<UInt8>, id: UInt16, address: IPAddress) -> (ReverseName, timeToLive: UInt32)? {
    guard let message = try? DNSMessage(decoding: message), message.id == id, message.flags.isResponse, message.questionCount == 1,
      let question = message.question, question.name == address.reverseName, question.type == .ptr
    else { return nil }
    switch message.responseCode {
    case .noError:
      guard let resolution = message.resolution(), !resolution.pointers.isEmpty else { return (.unnamed, 0) }
      return (.named(Array(resolution.pointers.prefix(maximumNames))), resolution.ttl ?? 0)
    case .nameError: return (.unnamed, 0)
    default: return (.unanswered, 0)
    }
  }

  /// Names kept of one address; shared hosts have hundreds.
  static let maximumNames = 8

  /// Retires a socket and opens the next one with the server that follows the retired one's.
  private func replace(_ index: Int) {
    let old = slots[index]
    retired.append(old.port)
    if retired.count > Self.retiredCapacity { retired.removeFirst(retired.count - Self.retiredCapacity) }
    let position = nameservers.firstIndex(of: old.nameserver) ?? 0
    // Without a new socket the old one serves again: a later answer to its old question will not match.
    if let slot = try? Self.slot(among: nameservers, from: position + 1) {
      slots[index] = slot
      fresh.insert(slot.port)
    } else {
      old.question = nil
    }
  }

  /// Connected to the first server from `position` on that there is a route to.
  private static func slot(among nameservers: [SocketAddress], from position: Int) throws(HostError) -> Slot {
    for offset in 1..<nameservers.count {
      if let slot = try? Slot(nameservers[(position + offset - 1) % nameservers.count]) { return slot }
    }
    return try Slot(nameservers[(position + nameservers.count - 1) % nameservers.count])
  }

  /// A UDP socket with a port of the kernel's choice that hears this server only.
  private static func connected(to server: SocketAddress) throws(HostError) -> Descriptor {
    let what = "reach the name server \(server)"
    let family = server.ip.isV4 ? AF_INET : AF_INET6
    guard
      let descriptor = Descriptor(socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0))
    else { throw .socket(what: what, cause: lastSystemError) }
    let address = server.systemOctets
    let connected = unsafe address.withUnsafeBytes {
      unsafe connect(descriptor.number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard connected == 0 else { throw .socket(what: what, cause: lastSystemError) }
    return descriptor
  }

  private static func localPort(of descriptor: Int32) -> UInt16 {
    var address = [UInt8](repeating: 0, count: 28)
    var length = socklen_t(address.count)
    _ = unsafe address.withUnsafeMutableBytes {
      unsafe getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
    }
    // Both families have the port right behind the family.
    return UInt16(address[2]) << 8 | UInt16(address[3])
  }
}

extension SocketAddress {
  /// A `sockaddr_in` (16 octets) or `sockaddr_in6` (28).
  var systemOctets: [UInt8] {
    let port = [UInt8((self.port ?? 0) >> 8), UInt8((self.port ?? 0) & 255)]
    if ip.isV4 { return UInt16(AF_INET).hostOctets + port + ip.octets(in: UInt8(AF_INET))[..<4] + [UInt8](repeating: 0, count: 8) }
    return UInt16(AF_INET6).hostOctets + port + [0, 0, 0, 0] + ip.octets(in: UInt8(AF_INET6)) + [0, 0, 0, 0]
  }
}
