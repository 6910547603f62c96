// Shared media other than Ethernet; IP is behind an LLC header in all of them.
extension PacketDecoder {
  /// [LINKTYPE_FDDI](https://www.tcpdump.org/linktypes.html): frame control, two addresses.
  mutating func fddi(_ frame: Span<UInt8>) -> Layer {
    guard available >= 13 else { return stop(.truncatedLink) }
    // 01LLLxxx and 0101xxxx: asynchronous frames with LLC; others are the ring's own.
    guard frame[offset] & 0xf0 == 0x50 else { return stop(.notIP) }
    offset += 13
    return logicalLinkControl(frame)
  }

  /// A [radiotap](https://www.radiotap.org) header says its length, little-endian, after version and padding.
  mutating func radiotap(_ frame: Span<UInt8>) -> Layer {
    guard available >= 8 else { return stop(.truncatedLink) }
    let length = Int(frame[offset + 2]) | Int(frame[offset + 3]) << 8
    guard frame[offset] == 0, length >= 8 else { return stop(.notIP) }
    guard available >= length else { return stop(.truncatedLink) }
    offset += length
    return .wifi
  }

  /// An IEEE 802.11 data frame that is not encrypted (IEEE Std 802.11-2020, 9.2.3 and 9.3.2).
  ///
  /// Of an aggregate of several MSDUs the first is read.
  mutating func wifi(_ frame: Span<UInt8>) -> Layer {
    guard available >= 24 else { return stop(.truncatedLink) }
    let (type, flags) = (frame[offset], frame[offset + 1])
    let subtype = type >> 4
    // Version 0, type 2 (data), a subtype with data; not protected, no later fragment.
    guard type & 0x0f == 0x08, subtype & 0x04 == 0, flags & 0x40 == 0, frame[offset + 22] & 0x0f == 0 else { return stop(.notIP) }
    // A fourth address between two access points; QoS control; HT control.
    let addresses = flags & 0x03 == 0x03 ? 30 : 24
    let isQoS = subtype & 0x08 != 0
    let length = addresses + (isQoS ? 2 : 0) + (isQoS && flags & 0x80 != 0 ? 4 : 0)
    guard available >= length else { return stop(.truncatedLink) }
    let isAggregate = isQoS && frame[offset + addresses] & 0x80 != 0
    offset += length
    if isAggregate {
      guard available >= 14 else { return stop(.truncatedLink) }
      offset += 14
    }
    return logicalLinkControl(frame)
  }
}
