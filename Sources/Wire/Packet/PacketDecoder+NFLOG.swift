extension PacketDecoder {
  private static let maximumAttributes = 64

  /// [LINKTYPE_NFLOG](https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html): four octets, then attributes with length and type in
  /// the host's byte order (libpcap turns those of a file); attribute 9 is the packet.
  mutating func nflog(_ frame: Span<UInt8>) -> Layer {
    guard available >= 4 else { return stop(.truncatedLink) }
    guard frame[offset + 1] == 0 else { return stop(.notIP) }
    offset += 4
    for _ in 0..<Self.maximumAttributes {
      guard available >= 4 else { return stop(.truncatedLink) }
      let header = frame.extracting(offset..<offset + 4)
      let length = Int(UInt16(littleEndian: UInt16(header[0]) | UInt16(header[1]) << 8))
      let type = UInt16(header[2]) | UInt16(header[3]) << 8
      guard length >= 4 else { return stop(.notIP) }
      if type == 9 {
        claimedEnd = min(claimedEnd, offset + length)
        end = min(end, claimedEnd)
        offset += 4
        return .rawIP
      }
      let padded = (length + 3) & ~3
      guard available >= padded else { return stop(.truncatedLink) }
      offset += padded
    }
    return stop(.notIP)
  }
}
