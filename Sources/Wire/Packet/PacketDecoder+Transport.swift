import EgressModel

extension PacketDecoder {
  mutating func transport(_ number: UInt8, _ frame: Span<UInt8>) -> Layer {
    switch number {
    case 6: return tcp(frame)
    case 17: return udp(frame)
    case 132: return sctp(frame)
    case 1, 58: return icmp(frame)
    default: return .otherTransport(number)
    }
  }

  /// [RFC 9293 §3.1](https://www.rfc-editor.org/rfc/rfc9293#section-3.1).
  private mutating func tcp(_ frame: Span<UInt8>) -> Layer {
    guard available >= 20 else {
      // A capture cut here, or the quotation in an ICMP error, still has the ports and often the sequence number.
      ports(frame)
      if available >= 8 { packet.sequence = frame.extracting(offset..<offset + 8).bigEndian32(4) }
      if available >= 14 { packet.tcpFlags = TCPFlags(rawValue: frame[offset + 13]) }
      return stop(.truncatedTransport)
    }
    let header = frame.extracting(offset..<offset + 20)
    packet.sourcePort = header.bigEndian16(0)
    packet.destinationPort = header.bigEndian16(2)
    packet.hasPorts = true
    packet.sequence = header.bigEndian32(4)
    packet.acknowledgment = header.bigEndian32(8)
    packet.tcpFlags = TCPFlags(rawValue: header[13])
    let headerLength = Int(header[12] >> 4) * 4
    guard headerLength >= 20, headerLength <= claimedEnd - offset else { return stop(.malformedTransport) }
    setPayload(from: offset + headerLength)
    return .done
  }

  /// [RFC 768](https://www.rfc-editor.org/rfc/rfc768).
  private mutating func udp(_ frame: Span<UInt8>) -> Layer {
    guard available >= 8 else {
      ports(frame)
      return stop(.truncatedTransport)
    }
    let header = frame.extracting(offset..<offset + 8)
    packet.sourcePort = header.bigEndian16(0)
    packet.destinationPort = header.bigEndian16(2)
    packet.hasPorts = true
    let length = Int(header.bigEndian16(4))
    // 0 is a jumbogram or an offloaded batch of datagrams; more than the datagram holds is a lie, or a fragment's.
    let isShorter = length != 0 && length < claimedEnd - offset
    guard !isShorter || length >= 8 else { return stop(.malformedTransport) }
    if isShorter {
      claimedEnd = offset + length
      end = min(end, claimedEnd)
    }
    setPayload(from: offset + 8)
    return Self.mayTunnel(packet.sourcePort, packet.destinationPort) ? .udpTunnel : .done
  }

  /// The common header ([RFC 9260 §3.1](https://www.rfc-editor.org/rfc/rfc9260#section-3.1)); chunks are the payload.
  private mutating func sctp(_ frame: Span<UInt8>) -> Layer {
    ports(frame)
    guard available >= 12 else { return stop(.truncatedTransport) }
    setPayload(from: offset + 12)
    return .done
  }

  /// [RFC 792](https://www.rfc-editor.org/rfc/rfc792), [RFC 4443](https://www.rfc-editor.org/rfc/rfc4443): eight octets, then what the type says.
  private mutating func icmp(_ frame: Span<UInt8>) -> Layer {
    guard available >= 8 else { return stop(.truncatedTransport) }
    let header = frame.extracting(offset..<offset + 8)
    packet.icmpType = header[0]
    packet.icmpCode = header[1]
    switch (packet.transport, packet.icmpType) {
    case (.icmp, 0), (.icmp, 8), (.icmp, 13...18), (.icmpv6, 128...129): packet.icmpIdentifier = header.bigEndian16(4)
    default: break
    }
    setPayload(from: offset + 8)
    return .done
  }

  private mutating func ports(_ frame: Span<UInt8>) {
    guard available >= 4 else { return }
    let header = frame.extracting(offset..<offset + 4)
    packet.sourcePort = header.bigEndian16(0)
    packet.destinationPort = header.bigEndian16(2)
    packet.hasPorts = true
  }

  @inline(__always) mutating func setPayload(from start: Int) {
    // A capture may end inside the header's options: no payload then, at a place that exists.
    packet.payloadOffset = min(start, end)
    packet.payloadLength = max(0, claimedEnd - start)
    packet.capturedPayloadLength = max(0, end - start)
    offset = start
  }
}
