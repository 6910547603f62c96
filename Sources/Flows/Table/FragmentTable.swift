import EgressModel
import Wire

/// The ports of datagrams that arrive in fragments: only the first fragment has them.
///
/// A direct-mapped cache: a datagram that falls on another's place takes it. That bounds memory, costs one comparison, and
/// a datagram's fragments come close together.
struct FragmentTable {
  private struct Entry {
    var source: IPAddress
    var destination: IPAddress
    var identification: UInt32
    var sourcePort: UInt16
    var destinationPort: UInt16
    var transport: Transport
    var time: Timestamp
  }

  static let places = 1024
  /// Linux gives up reassembly after 30 s (`ipfrag_time`).
  static let lifetime: Int64 = 30_000_000_000

  private let seed: UInt64
  private var entries: ContiguousArray<Entry?> = []

  init(seed: UInt64) { self.seed = seed }

  mutating func remember(_ first: Packet, at time: Timestamp) {
    // Hosts that see no fragment pay nothing.
    if entries.isEmpty { entries = ContiguousArray(repeating: nil, count: Self.places) }
    entries[place(first)] = Entry(
      source: first.source, destination: first.destination, identification: first.fragmentIdentification, sourcePort: first.sourcePort,
      destinationPort: first.destinationPort, transport: first.transport, time: time)
  }

  /// Gives a later fragment the ports of its first; false when that was not seen.
  func complete(_ packet: inout Packet, at time: Timestamp) -> Bool {
    guard !entries.isEmpty, let entry = entries[place(packet)], entry.source == packet.source, entry.destination == packet.destination,
      entry.identification == packet.fragmentIdentification, entry.transport == packet.transport, time.since(entry.time) <= Self.lifetime
    else { return false }
    packet.sourcePort = entry.sourcePort
    packet.destinationPort = entry.destinationPort
    packet.hasPorts = true
    return true
  }

  private func place(_ packet: Packet) -> Int {
    let (key, _) = FlowKey.make(
      source: packet.source, sourcePort: 0, destination: packet.destination, destinationPort: 0, transport: packet.transport, hasPorts: false)
    return Int(key.hash(seed: seed ^ UInt64(packet.fragmentIdentification) << 32)) & (Self.places - 1)
  }
}
