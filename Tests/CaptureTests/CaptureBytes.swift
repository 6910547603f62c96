/// Writes capture files octet by octet, so that the tests own every field of them.
struct CaptureBytes {
  var octets: [UInt8] = []
  var bigEndian = false

  mutating func u8(_ values: UInt8...) { octets += values }
  mutating func u16(_ value: UInt16) { append(value) }
  mutating func u32(_ value: UInt32) { append(value) }
  mutating func raw(_ values: [UInt8]) { octets += values }

  private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    let bytes = (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
    octets += bigEndian ? bytes.reversed() : bytes
  }

  /// One frame to write: seconds, fraction in the file's own unit, octets kept, length on the wire.
  struct Frame {
    var seconds: UInt32 = 1_700_000_000
    var fraction: UInt32
    var octets: [UInt8]
    var wire: UInt32?
  }

  static func pcap(_ frames: [Frame], nanoseconds: Bool = false, bigEndian: Bool = false, linkType: UInt32 = 1) -> [UInt8] {
    var file = CaptureBytes(bigEndian: bigEndian)
    file.u32(nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4)
    file.u16(2)
    file.u16(4)
    file.u32(0)
    file.u32(0)
    file.u32(65535)
    file.u32(linkType)
    for frame in frames {
      file.u32(frame.seconds)
      file.u32(frame.fraction)
      file.u32(UInt32(frame.octets.count))
      file.u32(frame.wire ?? UInt32(frame.octets.count))
      file.raw(frame.octets)
    }
    return file.octets
  }

  /// An interface of a pcapng file; `resolution` is the exponent of `if_tsresol`.
  struct Interface {
    var linkType: UInt16 = 1
    var snapLength: UInt32 = 65535
    var resolution: UInt8 = 9
  }

  static func pcapng(_ interfaces: [Interface], _ frames: [(interface: UInt32, Frame)], bigEndian: Bool = false) -> [UInt8] {
    var file = CaptureBytes(bigEndian: bigEndian)
    file.block(0x0a0d_0d0a) {
      $0.u32(0x1a2b_3c4d)
      $0.u16(1)
      $0.u16(0)
      $0.u32(.max)
      $0.u32(.max)
    }
    for interface in interfaces {
      file.block(1) {
        $0.u16(interface.linkType)
        $0.u16(0)
        $0.u32(interface.snapLength)
        $0.u16(9)
        $0.u16(1)
        $0.u8(interface.resolution, 0, 0, 0)
        $0.u32(0)
      }
    }
    for (interface, frame) in frames {
      let unit: UInt64 = interfaces[Int(interface)].resolution == 9 ? 1_000_000_000 : 1_000_000
      let time = UInt64(frame.seconds) * unit + UInt64(frame.fraction)
      file.block(6) {
        $0.u32(interface)
        $0.u32(UInt32(time >> 32))
        $0.u32(UInt32(truncatingIfNeeded: time))
        $0.u32(UInt32(frame.octets.count))
        $0.u32(frame.wire ?? UInt32(frame.octets.count))
        $0.raw(frame.octets)
        $0.raw(Array(repeating: 0, count: (4 - frame.octets.count % 4) % 4))
      }
    }
    return file.octets
  }

  private mutating func block(_ type: UInt32, _ write: (inout CaptureBytes) -> Void) {
    var body = CaptureBytes(bigEndian: bigEndian)
    write(&body)
    u32(type)
    u32(UInt32(body.octets.count + 12))
    raw(body.octets)
    u32(UInt32(body.octets.count + 12))
  }
}
