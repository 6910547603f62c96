import EgressModel
import Wire

/// `| link type | octets on the wire beyond the captured ones (2) | frame |`
enum PacketTarget {
  static let linkTypes: [LinkType] = [
    .ethernet, .raw, .ipv4, .ipv6, .linuxSLL, .linuxSLL2, .null, .loop, .ppp, .pppSerial, .pppEthernet, .ciscoHDLC, .fddi, .wifi, .radiotap, .mpls,
    .nflog, LinkType(rawValue: 14), LinkType(rawValue: 101), LinkType(rawValue: 147),
  ]

  static func seed(_ frame: [UInt8], _ linkType: LinkType, beyond: Int = 0) -> [UInt8] {
    Octets.u8(linkTypes.firstIndex(of: linkType) ?? 0) + Octets.u16(min(max(0, beyond), 0xffff)) + frame
  }

  static func run(_ bytes: Span<UInt8>) {
    guard bytes.count >= 3 else { return }
    let linkType = linkTypes[Int(bytes[0]) % linkTypes.count]
    let frame = bytes.extracting(3...)
    let originalLength = frame.count + Int(bytes[1]) << 8 + Int(bytes[2])
    let packet = check(frame, linkType, originalLength, opensTunnels: true)
    let outer = check(frame, linkType, originalLength, opensTunnels: false)
    demand(outer.encapsulation.layers.count <= packet.encapsulation.layers.count, "what opens tunnels sees as many layers")

    for length in Prefixes.lengths(frame) {
      let part = check(frame.extracting(0..<length), linkType, originalLength, opensTunnels: true)
      guard part.stop == .complete, part.encapsulation == packet.encapsulation, packet.stop == .complete else { continue }
      // What a tunnel holds is taken for a packet only as far as it is there; but a plain packet is the same however little was captured.
      guard packet.encapsulation.isEmpty else { continue }
      demand(
        part.source == packet.source && part.destination == packet.destination && part.transport == packet.transport
          && part.sourcePort == packet.sourcePort && part.destinationPort == packet.destinationPort && part.tcpFlags == packet.tcpFlags,
        "\(length) of \(frame.count) octets tell the same conversation")
      demand(part.ipLength == packet.ipLength && part.payloadLength == packet.payloadLength, "\(length) of \(frame.count) octets tell the same length")
    }
  }

  private static func check(_ frame: Span<UInt8>, _ linkType: LinkType, _ originalLength: Int, opensTunnels: Bool) -> Packet {
    let packet = PacketDecoder.decode(frame, linkType: linkType, originalLength: originalLength, opensTunnels: opensTunnels)
    demand(packet.payloadOffset >= 0 && packet.capturedPayloadLength >= 0, "offsets are not negative")
    demand(packet.payloadOffset + packet.capturedPayloadLength <= frame.count, "the captured payload is in the frame")
    demand(packet.capturedPayloadLength <= packet.payloadLength, "no more payload is captured than is claimed")
    demand(packet.ipLength >= 0 && packet.ipLength <= max(originalLength, frame.count, 65_575), "a length that some frame can have: \(packet.ipLength)")
    demand(packet.encapsulation.layers.count <= Encapsulation.maximumLayers, "nesting is bounded")
    let quoted = PacketDecoder.decodeQuotation(in: frame, of: packet)
    demand(packet.isICMPError || !quoted.hasInternetHeader, "only ICMP errors quote")
    demand(quoted.payloadOffset + quoted.capturedPayloadLength <= frame.count, "the quoted payload is in the frame")
    return packet
  }
}
