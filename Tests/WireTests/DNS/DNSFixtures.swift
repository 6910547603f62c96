import Wire

/// Messages that tests write octet by octet.
enum DNSFixtures {
  /// A name without compression, labels as given.
  static func name(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { Octets.block8([UInt8]($0.utf8)) } + [0]
  }

  static func pointer(_ offset: Int) -> [UInt8] { Octets.u16(0xc000 | offset) }

  static func question(_ owner: [UInt8], _ type: Int, class: Int = 1) -> [UInt8] { owner + Octets.u16(type) + Octets.u16(`class`) }

  static func record(_ owner: [UInt8], _ type: Int, class: Int = 1, ttl: Int = 60, _ data: [UInt8]) -> [UInt8] {
    owner + Octets.u16(type) + Octets.u16(`class`) + Octets.u32(ttl) + Octets.block16(data)
  }

  static func message(
    id: Int = 0x1234, flags: Int = 0x8180, questions: [[UInt8]], answers: [[UInt8]] = [], authority: [[UInt8]] = [], additional: [[UInt8]] = [],
    answerCount: Int? = nil
  ) -> [UInt8] {
    Octets.u16(id) + Octets.u16(flags) + Octets.u16(questions.count) + Octets.u16(answerCount ?? answers.count) + Octets.u16(authority.count)
      + Octets.u16(additional.count) + (questions + answers + authority + additional).flatMap { $0 }
  }

  /// An answer with two aliases, two addresses, an NS record in the authority section and an EDNS record; most names compressed.
  static let shop = Octets.hex("""
    1234 8180 0001 0004 0001 0001
    04 73686f70 07 6578616d706c65 03 636f6d 00 0001 0001
    c00c 0005 0001 0000012c 0006 03 63646e c011
    c02e 0005 0001 0000003c 0004 01 65 c032
    c040 0001 0001 00000005 0004 cb00710a
    c040 0001 0001 00000007 0004 cb00710b
    c011 0002 0001 0000003c 0005 02 6e73 c011
    00 0029 04d0 00000000 0000
    """)

  static func decode(_ bytes: [UInt8]) throws(WireError) -> DNSMessage { try DNSMessage(decoding: bytes.span) }
}
