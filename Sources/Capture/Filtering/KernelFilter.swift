public import EgressModel

/// A classic BPF program that runs in the kernel, before a frame is copied: it says how many octets of each to keep.
///
/// Counts stay exact, because the original length travels beside the frame; what is saved is the copying. Made for the link type
/// by hand, since libpcap's filter language can only say yes or no.
public struct KernelFilter: Hashable, Sendable {
  enum Rule: Hashable {
    case truncatingBulk
    case ports([UInt16])
    case connectionStarts
    case everyLink(isCut: Bool)
  }
  let rule: Rule

  /// Whether bulk data is cut to its headers.
  public var cutsBulk: Bool { rule == .truncatingBulk || rule == .everyLink(isCut: true) }

  /// What is kept of a segment that cannot carry a name.
  ///
  /// The largest headers that are cut: 20 octets of SLL2, two VLAN tags (8), IPv4 with options (60), TCP with options (60). That is 148;
  /// the rest leaves room for what a server says first (`SSH-2.0-…`, `220 …`, `HTTP/1.1 200`).
  public static let bulkLength: UInt32 = 192

  /// What is kept of any other TCP or UDP packet: more than an unsegmented frame of any hello, less than the 64 KiB
  /// frames that segmentation offload makes of an upload.
  public static let clientLength: UInt32 = 8192

  /// Source ports whose packets carry names, so they are kept whole: DNS and multicast DNS; L2TP and Teredo, with whole packets inside. Other tunnels
  /// have no ports, or a client's packets go to theirs.
  static let namePorts: [UInt32] = [53, 5353, 1701, 3544]

  /// The kernel's number of the loopback interface, in every network namespace (LOOPBACK_IFINDEX).
  static let loopback: UInt32 = 1

  /// The lowest port that Linux hands to clients (`ip_local_port_range`).
  static let ephemeralPorts: UInt32 = 32768

  /// Cuts what servers send to `bulkLength`, what clients send to `clientLength`, and keeps everything else whole.
  ///
  /// Names are in what clients send (hello, request, CONNECT, SOCKS) and in DNS. Only a TCP or UDP packet from a port below 32768
  /// that is not DNS or a tunnel's, to a port of 32768 or above, counts as a server's. DNS answers, fragments, other protocols (tunnels without ports
  /// among them), labels and PPPoE, and IPv6 with extension headers stay whole.
  public static let truncatingBulk = KernelFilter(rule: .truncatingBulk)

  /// Keeps only TCP and UDP with one of these ports at either end, and fragments, whole; for the loopback interface, where only DNS
  /// is of interest. At most 64 ports; further ones are ignored.
  public static func ports(_ ports: [UInt16]) -> KernelFilter {
    KernelFilter(rule: .ports(Array(ports.prefix(64))))
  }

  /// Keeps only the headers of what a client sends first: a SYN without ACK, and whatever goes to port 53.
  ///
  /// Fragments and IPv6 with extension headers are dropped.
  public static let connectionStarts = KernelFilter(rule: .connectionStarts)

  /// For `any`, the source of all links at once: of loopback only DNS, as `ports([53])`; of the others everything, whole or cut as `truncatingBulk` does.
  public static func everyLink(truncatingBulk: Bool) -> KernelFilter { KernelFilter(rule: .everyLink(isCut: truncatingBulk)) }

  /// The program for frames of this link type; nil when they are not IP behind a header known here: then nothing is filtered.
  ///
  /// On a live Linux interface the kernel keeps an offloaded VLAN tag beside the frame and libpcap puts it back after the filter ran, so
  /// the program sees untagged frames there; tags in the frame itself are skipped, two at most.
  public func program(for linkType: LinkType) -> [BPFInstruction]? {
    guard let layout = LinkLayout(linkType) else { return nil }
    var assembler = BPFAssembler()
    switch rule {
    case .truncatingBulk:
      // Nothing is gained by looking at a short frame. And a classic load past the end drops the packet: with at least this
      // many octets every load below is inside.
      assembler.loadLength()
      assembler.jump(.greater, Self.bulkLength, else: .whole)
      assembler.findTransport(layout, other: .whole)
      assembler.cutBulk(layout)
      assembler.define(.whole)
      assembler.keep(.max)
    case .ports(let ports):
      // A load past the end drops the packet, which is right for one too short to have ports.
      assembler.findTransport(layout, other: .drop)
      assembler.findPorts(ports, layout)
      assembler.define(.drop)
      assembler.keep(0)
      assembler.define(.whole)
      assembler.keep(.max)
    case .connectionStarts:
      assembler.findTransport(layout, fragments: .drop, other: .drop)
      assembler.load(from: BPFAssembler.transport)
      assembler.jump(.equal, 17, then: .datagram)
      assembler.loadByteIndirect(layout.headerLength + 13)
      assembler.and(0x12)
      assembler.jump(.equal, 0x02, then: .whole, else: .drop)
      assembler.define(.datagram)
      assembler.loadHalfIndirect(layout.headerLength + 2)
      assembler.jump(.equal, 53, then: .whole)
      assembler.define(.drop)
      assembler.keep(0)
      assembler.define(.whole)
      assembler.keep(Self.bulkLength)
    case .everyLink(let isCut):
      // Only the cooked header of all links says which one it was; a source of one link has no loopback to tell apart.
      guard linkType == .linuxSLL2 else { return isCut ? Self.truncatingBulk.program(for: linkType) : nil }
      assembler.loadWord(4)
      assembler.store(in: BPFAssembler.link)
      assembler.jump(.equal, Self.loopback, then: .loopback)
      if isCut {
        assembler.loadLength()
        assembler.jump(.greater, Self.bulkLength, else: .whole)
      } else {
        assembler.jump(to: .whole)
      }
      assembler.define(.loopback)
      assembler.findTransport(layout, other: .other)
      assembler.load(from: BPFAssembler.link)
      assembler.jump(.equal, Self.loopback, then: .stub)
      assembler.cutBulk(layout)
      assembler.define(.other)
      assembler.load(from: BPFAssembler.link)
      assembler.jump(.equal, Self.loopback, then: .drop, else: .whole)
      assembler.define(.stub)
      assembler.findPorts([53], layout)
      assembler.define(.drop)
      assembler.keep(0)
      assembler.define(.whole)
      assembler.keep(.max)
    }
    return assembler.assemble()
  }
}

/// Where a link-layer header says what follows it.
struct LinkLayout {
  var headerLength: UInt32
  /// The offset of the EtherType; nil where the packet's own version nibble tells.
  var protocolOffset: UInt32?

  init?(_ linkType: LinkType) {
    switch linkType {
    case .ethernet: (headerLength, protocolOffset) = (14, 12)
    case .linuxSLL: (headerLength, protocolOffset) = (16, 14)
    case .linuxSLL2: (headerLength, protocolOffset) = (20, 0)
    case .raw, .ipv4, .ipv6: (headerLength, protocolOffset) = (0, nil)
    default: return nil
    }
  }
}

extension BPFAssembler {
  /// Where `findTransport` leaves the number of the transport.
  static let transport: UInt32 = 0
  /// Where the number of the link is kept.
  static let link: UInt32 = 1

  /// Ends with what is kept of the TCP or UDP packet that `findTransport` found; needs `whole` behind it.
  mutating func cutBulk(_ layout: LinkLayout) {
    loadHalfIndirect(layout.headerLength)
    jump(.greaterOrEqual, KernelFilter.ephemeralPorts, then: .client)
    for port in KernelFilter.namePorts { jump(.equal, port, then: .whole) }
    loadHalfIndirect(layout.headerLength + 2)
    jump(.greaterOrEqual, KernelFilter.ephemeralPorts, else: .client)
    keep(KernelFilter.bulkLength)
    define(.client)
    keep(KernelFilter.clientLength)
  }

  /// Goes to `whole` with one of these ports at either end, else on.
  mutating func findPorts(_ ports: [UInt16], _ layout: LinkLayout) {
    for offset in [layout.headerLength, layout.headerLength + 2] {
      loadHalfIndirect(offset)
      for port in ports { jump(.equal, UInt32(port), then: .whole) }
    }
  }

  /// Goes on with X such that `[X + headerLength]` is the source port of an unfragmented TCP or UDP packet.
  ///
  /// Fragments go to `fragments`, all else to `other`. Every packet offset is at least the header's length, apart from the EtherType's:
  /// on cooked sockets the kernel sees no link header, and libpcap moves the offsets by it.
  mutating func findTransport(_ layout: LinkLayout, fragments: Label = .whole, other: Label) {
    let start = layout.headerLength
    loadIndexImmediate(0)
    if let protocolOffset = layout.protocolOffset {
      loadHalf(protocolOffset)
      jumpIfVLAN(then: .oneTag, else: .internet)
      define(.oneTag)
      loadIndexImmediate(4)
      loadHalf(start + 2)
      jumpIfVLAN(then: .twoTags, else: .internet)
      define(.twoTags)
      loadIndexImmediate(8)
      loadHalf(start + 6)
      define(.internet)
      jump(.equal, 0x0800, then: .ipv4)
      jump(.equal, 0x86dd, then: .ipv6)
    } else {
      loadByte(start)
      shiftRight(4)
      jump(.equal, 4, then: .ipv4)
      jump(.equal, 6, then: .ipv6)
    }
    jump(to: other)

    define(.ipv4)
    loadHalfIndirect(start + 6)
    jump(.anyBit, 0x3fff, then: fragments)
    loadByteIndirect(start + 9)
    store(in: Self.transport)
    jump(.equal, 6, then: .ipv4Length)
    jump(.equal, 17, else: other)
    define(.ipv4Length)
    loadByteIndirect(start)
    and(0x0f)
    shiftLeft(2)
    addIndex()
    moveToIndex()
    jump(to: .ports)

    define(.ipv6)
    loadByteIndirect(start + 6)
    store(in: Self.transport)
    jump(.equal, 6, then: .ipv6Length)
    jump(.equal, 44, then: fragments)
    jump(.equal, 17, else: other)
    define(.ipv6Length)
    moveFromIndex()
    add(40)
    moveToIndex()
    define(.ports)
  }

  private mutating func jumpIfVLAN(then tagged: Label, else untagged: Label) {
    jump(.equal, 0x8100, then: tagged)
    jump(.equal, 0x88a8, then: tagged)
    jump(.equal, 0x9100, then: tagged)
    jump(to: untagged)
  }
}
