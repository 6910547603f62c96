import EgressModel
import Wire

/// One datagram that arrives in fragments.
///
/// Overlaps are treated as Linux treats them: a piece that lies wholly inside what is there already is a duplicate and adds nothing; any
/// other overlap spoils the datagram ([RFC 5722 §4](https://www.rfc-editor.org/rfc/rfc5722#section-4)), because hosts differ in which octets they
/// would take. Nothing in a spoilt datagram is read.
struct Datagram {
  struct Key: Equatable {
    var source: IPAddress
    var destination: IPAddress
    var identification: UInt32
    var transport: Transport
    /// Pieces meet only at the same depth of nesting, so a datagram inside a datagram inside a datagram ends where nesting does.
    var encapsulation: Encapsulation
    /// A node shows a fragment on several links; each link's are put together on their own.
    var link: UInt16
  }

  /// Octets without a hole.
  private struct Run {
    var offset: Int
    var bytes: [UInt8]
    var end: Int { offset + bytes.count }
  }

  static let maximumRuns = 64
  /// What is kept of a datagram that will not be whole, for the ports.
  static let headerLength = 64

  let key: Key
  /// Which of all datagrams this is, by the order of their first fragments.
  let number: UInt64
  /// The fragment that came first, as a packet without a transport header.
  let template: Packet
  let since: Timestamp
  private(set) var last: Timestamp
  /// Octets of its fragments at the IP layer.
  private(set) var ipLength = 0
  /// In order, never touching one another.
  private var runs: [Run] = []
  /// Octets held.
  private(set) var byteCount = 0
  /// Octets of the whole, once its last piece is there.
  private var length: Int?
  /// Why it will never be whole.
  private(set) var fault: DatagramAbandonment?
  /// It was whole, and was handed on. Its octets are kept to tell pieces that come again from those of the next datagram.
  private(set) var isSettled = false
  /// Where the piece belongs that made it whole.
  private(set) var completedAt: UInt32?
  /// All that came is of the datagram before, which had the same identification: copies, as far as is known.
  private(set) var isRepeat = true

  init(_ packet: Packet, _ key: Key, number: UInt64, at time: Timestamp) {
    self.key = key
    self.number = number
    var template = packet
    template.fragment = nil
    (template.payloadOffset, template.payloadLength, template.capturedPayloadLength) = (0, 0, 0)
    self.template = template
    since = time
    last = time
  }

  var isWhole: Bool {
    guard fault == nil, let length, let first = runs.first else { return false }
    return first.offset == 0 && first.bytes.count == length
  }

  /// Whether a piece is there already, octet for octet.
  func repeats(_ packet: Packet, _ fragment: Packet.Fragment, _ frame: Span<UInt8>) -> Bool {
    guard let first = runs.first, let length else { return false }
    let start = Int(fragment.offset)
    let count = min(packet.capturedPayloadLength, length - start)
    guard fragment.hasMore || start + packet.payloadLength == length, count >= 0, start + count <= first.bytes.count else { return false }
    for index in 0..<count where first.bytes[start + index] != frame[packet.payloadOffset + index] { return false }
    return true
  }

  /// - Parameter isRepeated: the datagram before has the same piece.
  mutating func insert(_ packet: Packet, _ fragment: Packet.Fragment, _ frame: Span<UInt8>, isRepeated: Bool = false, at time: Timestamp) {
    if !isRepeated { isRepeat = false }
    if time > last { last = time }
    let piece = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    if fault == nil {
      switch join(piece, fragment, claimedLength: packet.payloadLength) {
      case .joined: break
      case .duplicate: return
      case .fault(let cause): spoil(cause)
      }
    } else if fragment.offset == 0, runs.isEmpty {
      insert([UInt8](copying: piece, min(piece.count, Self.headerLength)), at: 0, 0)
    }
    ipLength += packet.ipLength
  }

  private enum Joining {
    case joined
    case duplicate
    case fault(DatagramAbandonment)
  }

  private mutating func join(_ piece: Span<UInt8>, _ fragment: Packet.Fragment, claimedLength: Int) -> Joining {
    var pieceLength = claimedLength
    // RFC 791 3.2, RFC 8200 4.5: all but the last are multiples of eight octets. Linux cuts the others of IPv4, and drops those of IPv6.
    if fragment.hasMore, pieceLength % 8 != 0 {
      guard key.source.isV4 else { return .fault(.malformed) }
      pieceLength &= ~7
    }
    let start = Int(fragment.offset)
    let end = start + pieceLength
    // No datagram is longer than its length field can say.
    guard end + (key.source.isV4 ? 20 : 0) <= 65_535 else { return .fault(.malformed) }
    let whole = fragment.hasMore ? length : end
    guard length == nil || length == whole, end <= whole ?? .max, runs.last?.end ?? 0 <= whole ?? .max else { return .fault(.overlapping) }
    guard pieceLength > 0 else { return fragment.hasMore ? .fault(.malformed) : .joined }
    // The first run that ends behind the piece's beginning is the only one it can lie in.
    let index = runs.firstIndex { $0.end > start } ?? runs.count
    if index < runs.count, runs[index].offset < end { return runs[index].offset <= start && end <= runs[index].end ? .duplicate : .fault(.overlapping) }
    length = whole
    insert([UInt8](copying: piece, min(piece.count, pieceLength)), at: start, index)
    if piece.count < pieceLength { return .fault(.cut) }
    return runs.count > Self.maximumRuns ? .fault(.noRoom) : .joined
  }

  private mutating func insert(_ bytes: [UInt8], at offset: Int, _ index: Int) {
    byteCount += bytes.count
    if index > 0, runs[index - 1].end == offset {
      runs[index - 1].bytes += bytes
      if index < runs.count, runs[index].offset == runs[index - 1].end { runs[index - 1].bytes += runs.remove(at: index).bytes }
    } else if index < runs.count, runs[index].offset == offset + bytes.count {
      runs[index] = Run(offset: offset, bytes: bytes + runs[index].bytes)
    } else {
      runs.insert(Run(offset: offset, bytes: bytes), at: index)
    }
  }

  /// Gives up; what is kept is the beginning.
  mutating func spoil(_ cause: DatagramAbandonment) {
    fault = cause
    runs = runs.first.flatMap { $0.offset == 0 ? [Run(offset: 0, bytes: Array($0.bytes.prefix(Self.headerLength)))] : nil } ?? []
    byteCount = runs.first?.bytes.count ?? 0
  }

  /// Notes that it was handed on, whole by this piece.
  mutating func settle(by fragment: Packet.Fragment) {
    isSettled = true
    completedAt = UInt32(fragment.offset)
  }

  /// The datagram as one packet, behind an IP header of the fewest octets; of one that is not whole, its beginning. Empty when that did not come.
  var octets: [UInt8] {
    guard let first = runs.first, first.offset == 0 else { return [] }
    let bytes = first.bytes
    let payload = isWhole ? bytes.count : max(length ?? 0, bytes.count)
    var header: [UInt8]
    if let source = key.source.v4, let destination = key.destination.v4 {
      header = [0x45, 0] + Self.bigEndian(UInt64(20 + payload), 2) + [0, 0, 0, 0, 64, key.transport.rawValue, 0, 0]
      header += Self.bigEndian(UInt64(source), 4) + Self.bigEndian(UInt64(destination), 4)
    } else {
      header = [0x60, 0, 0, 0] + Self.bigEndian(UInt64(payload), 2) + [key.transport.rawValue, 64]
      for half in [key.source.high, key.source.low, key.destination.high, key.destination.low] { header += Self.bigEndian(half, 8) }
    }
    return header + bytes
  }

  private static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }
}

extension Datagram.Key {
  init(_ packet: Packet, _ fragment: Packet.Fragment, on link: UInt16) {
    self.init(
      source: packet.source, destination: packet.destination, identification: fragment.identification, transport: packet.transport,
      encapsulation: packet.encapsulation, link: link)
  }
}

extension [UInt8] {
  fileprivate init(copying octets: Span<UInt8>, _ count: Int) {
    self.init()
    append(addingCapacity: count) { output in
      for index in 0..<count { output.append(octets[index]) }
    }
  }
}
