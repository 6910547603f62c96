internal import Glibc

/// One netlink message ([RFC 3549 §2.2](https://www.rfc-editor.org/rfc/rfc3549#section-2.2)): its type and what follows its 16-octet header.
struct NetlinkMessage: Equatable {
  var type: UInt16
  var flags: UInt16
  var sequence: UInt32
  var payload: ArraySlice<UInt8>

  static let error: UInt16 = 2
  static let done: UInt16 = 3

  /// The messages of one datagram; one that claims more octets than there are ends the list.
  static func messages(in datagram: ArraySlice<UInt8>) -> [NetlinkMessage] {
    var messages: [NetlinkMessage] = []
    var rest = datagram
    while let length = rest.number(UInt32.self, at: 0).map(Int.init), length >= 16, length <= rest.count,
      let type = rest.number(UInt16.self, at: 4), let flags = rest.number(UInt16.self, at: 6),
      let sequence = rest.number(UInt32.self, at: 8)
    {
      let end = rest.startIndex + length
      messages.append(NetlinkMessage(type: type, flags: flags, sequence: sequence, payload: rest[(rest.startIndex + 16)..<end]))
      rest = rest[min(rest.startIndex + (length + 3) & ~3, rest.endIndex)...]
    }
    return messages
  }

  /// The attributes from `offset` on, by type; a broken one ends the list, of a repeated one the last counts.
  static func attributes(in payload: ArraySlice<UInt8>, from offset: Int) -> [UInt16: ArraySlice<UInt8>] {
    var attributes: [UInt16: ArraySlice<UInt8>] = [:]
    var rest = payload.dropFirst(offset)
    while let length = rest.number(UInt16.self, at: 0).map(Int.init), length >= 4, length <= rest.count,
      let type = rest.number(UInt16.self, at: 2)
    {
      // The two upper bits say "nested" and "network order", which none of ours is.
      attributes[type & 0x3fff] = rest[(rest.startIndex + 4)..<(rest.startIndex + length)]
      rest = rest[min(rest.startIndex + (length + 3) & ~3, rest.endIndex)...]
    }
    return attributes
  }

  /// An attribute, padded to four octets.
  static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
    UInt16(4 + value.count).hostOctets + type.hostOctets + value + [UInt8](repeating: 0, count: -value.count & 3)
  }

  /// A request, ready to be sent.
  static func request(type: UInt16, flags: UInt16, sequence: UInt32, payload: [UInt8]) -> [UInt8] {
    UInt32(16 + payload.count).hostOctets + type.hostOctets + flags.hostOctets + sequence.hostOctets + UInt32(0).hostOctets + payload
  }
}

extension ArraySlice<UInt8> {
  /// A number in the host's byte order, as netlink has them; nil past the end.
  func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type, at offset: Int) -> Number? {
    let count = Number.bitWidth / 8
    guard offset >= 0, offset <= self.count - count else { return nil }
    let little = self[(startIndex + offset)..<(startIndex + offset + count)].reversed().reduce(Number(0)) { $0 << 8 | Number($1) }
    return Number(littleEndian: little)
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// The octets in the host's byte order.
  var hostOctets: [UInt8] { (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: littleEndian >> Self($0 * 8)) } }
}

/// A netlink socket: talks to the kernel only.
struct NetlinkSocket: ~Copyable {
  enum Family: Int32 {
    case route = 0
    case socketDiagnostics = 4
    case netfilter = 12
  }

  let descriptor: Descriptor
  private var sequence: UInt32 = 0

  /// `groups` is a bit mask of multicast groups to hear.
  init(_ family: Family, groups: UInt32 = 0, what: String) throws(HostError) {
    guard let descriptor = Descriptor(socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), family.rawValue)) else {
      throw .netlink(what: what, cause: lastSystemError)
    }
    // struct sockaddr_nl: family, padding, port (the kernel chooses), groups.
    let address = UInt16(AF_NETLINK).hostOctets + [0, 0] + UInt32(0).hostOctets + groups.hostOctets
    let bound = unsafe address.withUnsafeBytes { unsafe bind(descriptor.number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), 12) }
    guard bound == 0 else { throw .netlink(what: what, cause: lastSystemError) }
    // The kernel answers at once; should it not, nobody waits forever.
    var limit = timeval(tv_sec: 2, tv_usec: 0)
    unsafe setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    self.descriptor = descriptor
  }

  private static let maximumMessages = 4 << 20
  private static let noSuchEntry: Int32 = ENOENT
  private static let request: UInt16 = 1
  private static let dumpFlags: UInt16 = 0x300

  /// Asks, and hands every message of the answer to `body`.
  ///
  /// - Returns: false when the kernel says that there is no such thing (ENOENT).
  mutating func ask(
    type: UInt16, dump: Bool, payload: [UInt8], what: String, _ body: (NetlinkMessage) -> Void
  ) throws(HostError) -> Bool {
    sequence &+= 1
    let message = NetlinkMessage.request(
      type: type, flags: Self.request | (dump ? Self.dumpFlags : 0), sequence: sequence, payload: payload)
    let sent = unsafe message.withUnsafeBytes { unsafe send(descriptor.number, $0.baseAddress, $0.count, 0) }
    guard sent == message.count else { throw .netlink(what: what, cause: lastSystemError) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var count = 0
    while true {
      let length = try receive(into: &buffer, what: what)
      for message in NetlinkMessage.messages(in: buffer[..<length]) where message.sequence == sequence {
        count += 1
        guard count <= Self.maximumMessages else { throw .netlink(what: what, cause: "the answer does not end") }
        switch message.type {
        case NetlinkMessage.done: return true
        case NetlinkMessage.error:
          // The number is negative; 0 is an acknowledgement.
          let code = message.payload.number(UInt32.self, at: 0).map { Int32(bitPattern: $0) } ?? -EPROTO
          if code == 0 { return true }
          if code == -Self.noSuchEntry { return false }
          throw .netlink(what: what, cause: unsafe String(cString: strerror(code == .min ? EPROTO : -code)))
        default:
          body(message)
          if !dump { return true }
        }
      }
    }
  }

  /// One datagram from the kernel; what any other process sent is passed over.
  private func receive(into buffer: inout [UInt8], what: String) throws(HostError) -> Int {
    while true {
      var sender = [UInt8](repeating: 0, count: 12)
      var senderLength: socklen_t = 12
      // Both buffers are valid for their own counts during the call.
      let length = unsafe buffer.withUnsafeMutableBytes { buffer in
        unsafe sender.withUnsafeMutableBytes { sender in
          unsafe recvfrom(
            descriptor.number, buffer.baseAddress, buffer.count, 0, sender.baseAddress?.assumingMemoryBound(to: sockaddr.self), &senderLength)
        }
      }
      if length < 0, errno == EINTR { continue }
      guard length >= 0 else { throw .netlink(what: what, cause: lastSystemError) }
      if sender[...].number(UInt32.self, at: 4) == 0 { return length }
    }
  }
}
