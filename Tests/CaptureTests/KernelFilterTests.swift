import CPcap
import Capture
import EgressModel
import Testing

/// The programs run in libpcap's own interpreter, over frames made here.
@Suite struct KernelFilterTests {
  /// What `filter` keeps of the frame: 0 is dropped, nil is "no program for this link type".
  static func kept(_ filter: KernelFilter, _ linkType: LinkType, _ frame: [UInt8]) -> Int? {
    guard let program = filter.program(for: linkType) else { return nil }
    let instructions = program.map { bpf_insn(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.operand) }
    let octets = unsafe instructions.withUnsafeBufferPointer { instructions in
      unsafe frame.withUnsafeBufferPointer { frame in
        // The frame outlives the call, and the program was checked below to end.
        unsafe bpf_filter(instructions.baseAddress, frame.baseAddress, UInt32(frame.count), UInt32(frame.count))
      }
    }
    return min(Int(octets), frame.count)
  }

  enum Link: CaseIterable {
    case ethernet, oneTag, twoTags, sll, sll2, sll2Tag, raw

    var type: LinkType {
      switch self {
      case .ethernet, .oneTag, .twoTags: .ethernet
      case .sll: .linuxSLL
      case .sll2, .sll2Tag: .linuxSLL2
      case .raw: .raw
      }
    }

    func frame(_ etherType: UInt16, _ packet: [UInt8]) -> [UInt8] {
      let type = [UInt8(etherType >> 8), UInt8(etherType & 255)]
      let addresses = [UInt8](repeating: 2, count: 12)
      return switch self {
      case .ethernet: addresses + type + packet
      case .oneTag: addresses + [0x81, 0x00, 0x00, 0x2a] + type + packet
      case .twoTags: addresses + [0x88, 0xa8, 0x00, 0x2a, 0x81, 0x00, 0x00, 0x2b] + type + packet
      case .sll: [0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0] + type + packet
      case .sll2: type + [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0] + packet
      case .sll2Tag: [0x81, 0x00] + [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0] + [0x00, 0x2a] + type + packet
      case .raw: packet
      }
    }
  }

  static func ports(_ source: UInt16, _ destination: UInt16, length: Int) -> [UInt8] {
    [UInt8(source >> 8), UInt8(source & 255), UInt8(destination >> 8), UInt8(destination & 255)] + Array(repeating: 0x5a, count: length - 4)
  }

  static func ipv4(_ transport: UInt8, _ payload: [UInt8], options: Int = 0, fragment: UInt16 = 0) -> [UInt8] {
    let total = UInt16(20 + options + payload.count)
    return [0x40 | UInt8(5 + options / 4), 0, UInt8(total >> 8), UInt8(total & 255), 0, 1, UInt8(fragment >> 8), UInt8(fragment & 255)]
      + [64, transport, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + Array(repeating: 1, count: options) + payload
  }

  static func ipv6(_ nextHeader: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0x60, 0, 0, 0, UInt8(payload.count >> 8), UInt8(payload.count & 255), nextHeader, 64] + Array(repeating: 0xfd, count: 32) + payload
  }

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var etherType: UInt16 = 0x0800
    var packet: [UInt8]
    var isCut: Bool
  }

  static let cases: [Case] = [
    Case(testDescription: "TCP from a server", packet: ipv4(6, ports(443, 51324, length: 1400)), isCut: true),
    Case(testDescription: "UDP from a server", packet: ipv4(17, ports(443, 51324, length: 1250)), isCut: true),
    Case(testDescription: "TCP from a server behind IPv4 options", packet: ipv4(6, ports(443, 51324, length: 1400), options: 40), isCut: true),
    Case(testDescription: "TCP from a server on IPv6", etherType: 0x86dd, packet: ipv6(6, ports(443, 51324, length: 1400)), isCut: true),
    Case(testDescription: "UDP from a server on IPv6", etherType: 0x86dd, packet: ipv6(17, ports(443, 51324, length: 1250)), isCut: true),
    Case(testDescription: "the lowest client port", packet: ipv4(6, ports(32767, 32768, length: 1400)), isCut: true),
    Case(testDescription: "TCP from a client", packet: ipv4(6, ports(51324, 443, length: 1400)), isCut: false),
    Case(testDescription: "a QUIC Initial from a client", packet: ipv4(17, ports(51324, 443, length: 1250)), isCut: false),
    Case(testDescription: "TCP from a client on IPv6", etherType: 0x86dd, packet: ipv6(6, ports(51324, 443, length: 1400)), isCut: false),
    Case(testDescription: "between two low ports", packet: ipv4(6, ports(443, 32767, length: 1400)), isCut: false),
    Case(testDescription: "between two high ports", packet: ipv4(6, ports(32768, 51324, length: 1400)), isCut: false),
    Case(testDescription: "a DNS answer over UDP", packet: ipv4(17, ports(53, 51324, length: 1232)), isCut: false),
    Case(testDescription: "a DNS answer over TCP", packet: ipv4(6, ports(53, 51324, length: 1400)), isCut: false),
    Case(testDescription: "a DNS answer on IPv6", etherType: 0x86dd, packet: ipv6(17, ports(53, 51324, length: 1232)), isCut: false),
    Case(testDescription: "a multicast DNS answer", packet: ipv4(17, ports(5353, 51324, length: 1232)), isCut: false),
    Case(testDescription: "a first fragment", packet: ipv4(17, ports(443, 51324, length: 1250), fragment: 0x2000), isCut: false),
    Case(testDescription: "a later fragment", packet: ipv4(6, ports(443, 51324, length: 1400), fragment: 100), isCut: false),
    Case(testDescription: "a fragment on IPv6", etherType: 0x86dd, packet: ipv6(44, ports(443, 51324, length: 1400)), isCut: false),
    Case(testDescription: "IPv6 with an extension header", etherType: 0x86dd, packet: ipv6(60, ports(443, 51324, length: 1400)), isCut: false),
    Case(testDescription: "a large ping", packet: ipv4(1, ports(443, 51324, length: 1400)), isCut: false),
    Case(testDescription: "VXLAN", packet: ipv4(17, ports(51324, 4789, length: 1400)), isCut: false),
    Case(testDescription: "VXLAN from a low port", packet: ipv4(17, ports(1024, 8472, length: 1400)), isCut: false),
    Case(testDescription: "GTP-U", packet: ipv4(17, ports(2152, 2152, length: 1400)), isCut: false),
    Case(testDescription: "Teredo from its server", packet: ipv4(17, ports(3544, 51324, length: 1400)), isCut: false),
    Case(testDescription: "L2TP from its server", packet: ipv4(17, ports(1701, 51324, length: 1400)), isCut: false),
    Case(testDescription: "GRE", packet: ipv4(47, ports(443, 51324, length: 1400)), isCut: false),
    Case(testDescription: "IPv6 in IPv4", packet: ipv4(41, ports(443, 51324, length: 1400)), isCut: false),
    Case(testDescription: "SCTP", packet: ipv4(132, ports(443, 51324, length: 1400)), isCut: false),
  ]

  @Test(arguments: Link.allCases, cases)
  func `only what servers send in bulk is cut`(link: Link, example: Case) {
    let frame = link.frame(example.etherType, example.packet)
    let expected = example.isCut ? Int(KernelFilter.bulkLength) : frame.count
    #expect(Self.kept(.truncatingBulk, link.type, frame) == expected)
  }

  @Test(arguments: Link.allCases)
  func `nothing is dropped or cut at any length up to the bulk length, and no longer frame loses more`(link: Link) {
    for packet in [Self.ipv4(6, Self.ports(443, 51324, length: 300)), Self.ipv6(17, Self.ports(443, 51324, length: 300))] {
      let whole = link.frame(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd, packet)
      for length in 1...whole.count {
        #expect(Self.kept(.truncatingBulk, link.type, Array(whole[..<length])) == min(length, 192))
      }
    }
  }

  @Test(arguments: Link.allCases.filter { $0 != .raw }, [UInt16(0x0806), 0x8847, 0x8864, 0x88cc])
  func `what is no IP is kept whole, however long`(link: Link, etherType: UInt16) {
    let frame = link.frame(etherType, Array(repeating: 0x45, count: 1000))
    #expect(Self.kept(.truncatingBulk, link.type, frame) == frame.count)
  }

  @Test(arguments: Link.allCases)
  func `of an upload in frames of segmentation offload the beginning is kept, of a DNS answer all`(link: Link) {
    func kept(_ source: UInt16, _ destination: UInt16) -> Int? {
      Self.kept(.truncatingBulk, link.type, link.frame(0x0800, Self.ipv4(6, Self.ports(source, destination, length: 60_000))))
    }
    #expect(kept(51324, 443) == 8192)
    #expect(kept(443, 444) == 8192)
    #expect(kept(443, 51324) == 192)
    #expect(kept(53, 51324) == link.frame(0, []).count + 60_020)
  }

  @Test func `random octets are never dropped, only cut, and the interpreter stays inside`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let frame = (0..<Int.random(in: 1...400, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
      for type in [LinkType.ethernet, .linuxSLL, .linuxSLL2, .raw] {
        let kept = Self.kept(.truncatingBulk, type, frame)
        #expect(kept == frame.count || kept == 192, "\(type) \(frame)")
      }
    }
  }

  @Test(arguments: Link.allCases)
  func `the port filter keeps its ports and fragments whole and drops the rest`(link: Link) {
    let filter = KernelFilter.ports([53, 5353])
    func kept(_ etherType: UInt16, _ packet: [UInt8]) -> Bool {
      let frame = link.frame(etherType, packet)
      let length = Self.kept(filter, link.type, frame)
      #expect(length == 0 || length == frame.count)
      return length != 0
    }
    #expect(kept(0x0800, Self.ipv4(17, Self.ports(40000, 53, length: 40))))
    #expect(kept(0x0800, Self.ipv4(17, Self.ports(53, 40000, length: 1400))))
    #expect(kept(0x0800, Self.ipv4(6, Self.ports(40000, 5353, length: 20), options: 8)))
    #expect(kept(0x86dd, Self.ipv6(17, Self.ports(40000, 53, length: 40))))
    #expect(kept(0x86dd, Self.ipv6(6, Self.ports(53, 40000, length: 40))))
    #expect(kept(0x0800, Self.ipv4(17, Self.ports(1, 2, length: 40), fragment: 0x2000)))
    #expect(kept(0x86dd, Self.ipv6(44, Self.ports(1, 2, length: 40))))
    #expect(!kept(0x0800, Self.ipv4(17, Self.ports(40000, 443, length: 40))))
    #expect(!kept(0x0800, Self.ipv4(6, Self.ports(5353 + 256, 54, length: 40))))
    #expect(!kept(0x0800, Self.ipv4(1, Self.ports(53, 53, length: 40))))
    #expect(!kept(0x86dd, Self.ipv6(58, Self.ports(53, 53, length: 40))))
    // One octet of a port is no port.
    #expect(!kept(0x0800, Array(Self.ipv4(17, Self.ports(53, 53, length: 8))[..<21])))
  }

  @Test func `many ports fit in the jumps of one program, and more than 64 are ignored`() {
    let filter = KernelFilter.ports(Array(1000..<2000))
    for (port, isKept) in [(UInt16(1000), true), (1063, true), (1064, false)] {
      let frame = Link.ethernet.frame(0x86dd, Self.ipv6(6, Self.ports(port, 40000, length: 40)))
      #expect(Self.kept(filter, .ethernet, frame) == (isKept ? frame.count : 0))
    }
  }

  @Test(arguments: Link.allCases)
  func `of connections only what begins them is kept, and of datagrams those to a DNS server`(link: Link) {
    func kept(_ etherType: UInt16, _ packet: [UInt8]) -> Bool {
      let length = Self.kept(.connectionStarts, link.type, link.frame(etherType, packet))
      #expect(length.map { $0 == 0 || $0 <= 192 } == true)
      return length != 0
    }
    func segment(_ flags: UInt8, length: Int = 40) -> [UInt8] {
      var segment = Self.ports(51324, 443, length: length)
      segment[13] = flags
      return segment
    }
    for (flags, isStart) in [(UInt8(0x02), true), (0xc2, true), (0x12, false), (0x10, false), (0x18, false), (0x11, false), (0x04, false), (0, false)] {
      #expect(kept(0x0800, Self.ipv4(6, segment(flags), options: 40)) == isStart)
      #expect(kept(0x86dd, Self.ipv6(6, segment(flags, length: 1400))) == isStart)
      // An octet of a datagram is no flag.
      #expect(!kept(0x0800, Self.ipv4(17, segment(flags))))
    }
    #expect(kept(0x0800, Self.ipv4(17, Self.ports(40000, 53, length: 40))))
    #expect(kept(0x86dd, Self.ipv6(17, Self.ports(40000, 53, length: 1400))))
    #expect(!kept(0x0800, Self.ipv4(17, Self.ports(53, 40000, length: 40))))
    #expect(!kept(0x0800, Self.ipv4(6, segment(0x02), fragment: 0x2000)))
    #expect(!kept(0x0800, Self.ipv4(1, segment(0x02))))
    // A segment that ends before its flags is none.
    #expect(!kept(0x0800, Array(Self.ipv4(6, segment(0x02))[..<33])))
  }

  @Test(arguments: [Link.sll2, .sll2Tag], [true, false])
  func `of all links, loopback gives DNS only, and the others what they would give alone`(link: Link, isCut: Bool) {
    func kept(_ number: UInt8, _ packet: [UInt8], _ etherType: UInt16 = 0x0800) -> Int? {
      var frame = link.frame(etherType, packet)
      frame[7] = number
      return Self.kept(.everyLink(truncatingBulk: isCut), link.type, frame)
    }
    let header = link.frame(0, []).count
    for example in Self.cases {
      let isDNS = [UInt8]([6, 17]).contains(example.packet[0] >> 4 == 4 ? example.packet[9] : example.packet[6]) && example.testDescription.contains(" DNS answer")
      let isFragment = example.testDescription.contains("fragment")
      let whole = header + example.packet.count
      #expect(kept(2, example.packet, example.etherType) == (isCut && example.isCut ? 192 : whole), "\(example.testDescription)")
      #expect(kept(1, example.packet, example.etherType) == (isDNS && !example.testDescription.contains("multicast") || isFragment ? whole : 0), "\(example.testDescription)")
    }
    let arp = [UInt8](repeating: 0, count: 28)
    #expect(kept(2, arp, 0x0806) == header + 28 && kept(1, arp, 0x0806) == 0)
    #expect(kept(1, Self.ipv4(17, Self.ports(40000, 53, length: 40))) == header + 60)
    #expect(kept(1, Self.ipv4(17, Self.ports(40000, 54, length: 40))) == 0)
  }

  @Test(arguments: [LinkType.null, .loop, LinkType(rawValue: 127)])
  func `other link types have no program`(type: LinkType) {
    #expect(KernelFilter.truncatingBulk.program(for: type) == nil)
  }

  @Test func `every program is one the kernel's checker would take`() {
    for type in [LinkType.ethernet, .linuxSLL, .linuxSLL2, .raw, .ipv4, .ipv6] {
      for filter in [
        KernelFilter.truncatingBulk, .ports([53]), .ports(Array(0..<64)), .ports([]), .connectionStarts, .everyLink(truncatingBulk: true),
      ] {
        let program = filter.program(for: type) ?? []
        let instructions = program.map { bpf_insn(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.operand) }
        #expect(unsafe instructions.withUnsafeBufferPointer { unsafe bpf_validate($0.baseAddress, Int32($0.count)) } == 1)
      }
    }
  }
}
