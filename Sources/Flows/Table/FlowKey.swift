import EgressModel
import Wire

/// A five-tuple without a direction: both directions of a conversation have the same key.
///
/// The numerically lower end (address, then port) is `low`. Five words, so that comparing and hashing touch no branch.
struct FlowKey: Hashable {
  /// One end of a conversation, named by its place in the key.
  enum Side: UInt8 {
    case low = 0
    case high = 1

    var other: Side { self == .low ? .high : .low }
  }

  var lowAddress: IPAddress
  var highAddress: IPAddress
  /// Low port, high port, transport, and whether the ports are known, from the most significant bits down. For both ports of an ICMP echo
  /// stands its identifier, which connection tracking goes by, too: what one process asks is not counted to another, nor a pod's to the node.
  private var tail: UInt64

  /// The key of a packet from `source` to `destination`, and which side the source is. Ports are nil for transports without.
  @inline(__always) static func make(
    source: IPAddress, sourcePort: UInt16, destination: IPAddress, destinationPort: UInt16, transport: Transport, hasPorts: Bool
  ) -> (key: FlowKey, sender: Side) {
    let isLow = source != destination ? source < destination : sourcePort <= destinationPort
    let tail = UInt64(transport.rawValue) << 8 | (hasPorts ? 1 : 0)
    return isLow
      ? (FlowKey(lowAddress: source, highAddress: destination, tail: UInt64(sourcePort) << 48 | UInt64(destinationPort) << 32 | tail), .low)
      : (FlowKey(lowAddress: destination, highAddress: source, tail: UInt64(destinationPort) << 48 | UInt64(sourcePort) << 32 | tail), .high)
  }

  @inline(__always) static func make(_ packet: Packet) -> (key: FlowKey, sender: Side) {
    let (from, to) = packet.hasPorts ? (packet.sourcePort, packet.destinationPort) : (packet.icmpIdentifier, packet.icmpIdentifier)
    return make(
      source: packet.source, sourcePort: from, destination: packet.destination, destinationPort: to, transport: packet.transport, hasPorts: packet.hasPorts)
  }

  var lowPort: UInt16 { UInt16(truncatingIfNeeded: tail >> 48) }
  var highPort: UInt16 { UInt16(truncatingIfNeeded: tail >> 32) }
  var transport: Transport { Transport(rawValue: UInt8(truncatingIfNeeded: tail >> 8)) }
  var hasPorts: Bool { tail & 1 != 0 }

  func address(_ side: Side) -> IPAddress { side == .low ? lowAddress : highAddress }

  func port(_ side: Side) -> UInt16 { side == .low ? lowPort : highPort }

  func end(_ side: Side) -> SocketAddress {
    SocketAddress(ip: address(side), port: hasPorts ? port(side) : nil)
  }

  /// Three multiplications; see `SeededHash`.
  @inline(__always) func hash(seed: UInt64) -> UInt32 {
    let a = SeededHash.mixed(lowAddress.high ^ seed, lowAddress.low ^ 0x9e37_79b9_7f4a_7c15)
    let b = SeededHash.mixed(highAddress.high ^ ~seed, highAddress.low ^ 0xd1b5_4a32_d192_ed03)
    return SeededHash.folded(SeededHash.mixed(a ^ tail, b ^ seed ^ 0xa076_1d64_78bd_642f))
  }
}
