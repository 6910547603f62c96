import EgressModel

extension [UInt8] {
  /// Four octets for IPv4, sixteen for IPv6.
  mutating func append(address: IPAddress) {
    if let v4 = address.v4 {
      append(bigEndian: v4)
    } else {
      append(bigEndian: address.high)
      append(bigEndian: address.low)
    }
  }
}

/// The two ends of a conversation.
struct Path {
  var client: IPAddress
  var server: IPAddress
  var clientPort: UInt16
  var serverPort: UInt16

  enum Direction { case outbound, inbound }

  func ends(_ direction: Direction) -> (source: (IPAddress, UInt16), destination: (IPAddress, UInt16)) {
    direction == .outbound
      ? ((client, clientPort), (server, serverPort)) : ((server, serverPort), (client, clientPort))
  }

  /// The largest TCP segment, with the timestamp option, that a 1,500-octet link carries.
  var maximumSegment: Int { client.isV4 ? 1448 : 1428 }
}

/// Ethernet frames. Lengths and the IPv4 header checksum are right; TCP and UDP checksums hold the sum of the pseudo-header only, as
/// they do on a link whose device completes them.
enum Frame {
  struct TCPHeader {
    var sequence: UInt32
    var acknowledgment: UInt32
    var flags: UInt8
    /// A multiple of four octets.
    var options: [UInt8]
  }

  static let fin: UInt8 = 1, syn: UInt8 = 2, psh: UInt8 = 8, ack: UInt8 = 16

  static func appendTCP(
    to bytes: inout [UInt8], _ path: Path, _ direction: Path.Direction, identification: UInt16, _ header: TCPHeader, payload: ArraySlice<UInt8>
  ) {
    let length = 20 + header.options.count + payload.count
    let (source, destination) = path.ends(direction)
    let sum = appendLinkAndInternet(
      to: &bytes, source.0, destination.0, protocolNumber: 6, length: length, identification: identification, outbound: direction == .outbound)
    bytes.append(bigEndian: source.1)
    bytes.append(bigEndian: destination.1)
    bytes.append(bigEndian: header.sequence)
    bytes.append(bigEndian: header.acknowledgment)
    bytes.append(UInt8((20 + header.options.count) / 4) << 4)
    bytes.append(header.flags)
    bytes.append(bigEndian: 502 as UInt16)
    bytes.append(bigEndian: sum)
    bytes.append(bigEndian: 0 as UInt16)
    bytes.append(contentsOf: header.options)
    bytes.append(contentsOf: payload)
  }

  static func appendUDP(to bytes: inout [UInt8], _ path: Path, _ direction: Path.Direction, identification: UInt16, payload: ArraySlice<UInt8>) {
    let length = 8 + payload.count
    let (source, destination) = path.ends(direction)
    let sum = appendLinkAndInternet(
      to: &bytes, source.0, destination.0, protocolNumber: 17, length: length, identification: identification, outbound: direction == .outbound)
    bytes.append(bigEndian: source.1)
    bytes.append(bigEndian: destination.1)
    bytes.append(bigEndian: UInt16(length))
    bytes.append(bigEndian: sum)
    bytes.append(contentsOf: payload)
  }

  /// Returns the folded sum of the pseudo-header.
  private static func appendLinkAndInternet(
    to bytes: inout [UInt8], _ source: IPAddress, _ destination: IPAddress, protocolNumber: UInt8, length: Int, identification: UInt16, outbound: Bool
  ) -> UInt16 {
    bytes.append(contentsOf: outbound ? outboundLink : inboundLink)
    let hops: UInt8 = outbound ? 64 : 54
    var sum = UInt32(protocolNumber) + UInt32(length)
    if let from = source.v4, let to = destination.v4 {
      let addresses = words(from) + words(to)
      let total = UInt16(20 + length)
      var header = 0x4500 + 0x4000 + UInt32(total) + UInt32(identification) + (UInt32(hops) << 8 | UInt32(protocolNumber)) + addresses
      header = (header & 0xffff) + (header >> 16)
      header = (header & 0xffff) + (header >> 16)
      bytes.append(bigEndian: 0x0800 as UInt16)
      bytes.append(bigEndian: 0x4500 as UInt16)
      bytes.append(bigEndian: total)
      bytes.append(bigEndian: identification)
      bytes.append(bigEndian: 0x4000 as UInt16)
      bytes.append(hops)
      bytes.append(protocolNumber)
      bytes.append(bigEndian: ~UInt16(truncatingIfNeeded: header))
      bytes.append(bigEndian: from)
      bytes.append(bigEndian: to)
      sum += addresses
    } else {
      bytes.append(bigEndian: 0x86dd as UInt16)
      bytes.append(bigEndian: 0x6000_0000 | UInt32(identification))
      bytes.append(bigEndian: UInt16(length))
      bytes.append(protocolNumber)
      bytes.append(hops)
      for address in [source, destination] {
        bytes.append(address: address)
        for half in [address.high, address.low] {
          sum += words(UInt32(truncatingIfNeeded: half >> 32)) + words(UInt32(truncatingIfNeeded: half))
        }
      }
    }
    sum = (sum & 0xffff) + (sum >> 16)
    return UInt16(truncatingIfNeeded: (sum & 0xffff) + (sum >> 16))
  }

  private static func words(_ value: UInt32) -> UInt32 { (value >> 16) + (value & 0xffff) }

  private static let outboundLink: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
  private static let inboundLink: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
}
