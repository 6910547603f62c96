import EgressModel
import Flows
import Wire

/// A capture as the meter sees it: frames of any link, their times, and pauses in which it hands things out.
///
/// `| options | frames: link type, pause, octets on the wire beyond the captured ones in units of 16, length (2), octets |`
struct MeterTarget: ~Copyable {
  struct Options: OptionSet {
    let rawValue: UInt8
    /// A few flows, names and octets, so that everything is evicted.
    static let isTight = Options(rawValue: 1)
    static let reportsLongFlows = Options(rawValue: 2)
    static let guardsTunnels = Options(rawValue: 4)
    /// Frames come from four links, as the upper bits of their link type say.
    static let watchesLinks = Options(rawValue: 8)
    static let knowsItsClients = Options(rawValue: 16)
    static let knowsLocal = Options(rawValue: 32)
    static let ignoresOne = Options(rawValue: 64)
    static let drainsInParts = Options(rawValue: 128)
  }

  struct Frame {
    var octets: [UInt8]
    var linkType: LinkType
    /// Milliseconds after the one before.
    var pause: Int
    var originalLength: Int
  }

  static func seed(_ options: Options, _ frames: [Frame]) -> [UInt8] {
    frames.reduce([options.rawValue]) { octets, frame in
      let pause = UInt8(frame.pause < 64 ? frame.pause : 64 + min(63, frame.pause / 1_000))
      let link = PacketTarget.linkTypes.firstIndex(of: frame.linkType) ?? 0
      return octets + Octets.u8(link) + [pause, UInt8(min(255, max(0, frame.originalLength - frame.octets.count + 15) / 16))]
        + Octets.block16(frame.octets)
    }
  }

  static func run(_ bytes: Span<UInt8>) {
    guard bytes.count > 6 else { return }
    var target = MeterTarget(Options(rawValue: bytes[0]))
    var input = Input(bytes, skipping: 1)
    while !input.isAtEnd {
      let kind = input.octet(bytes)
      let linkType = PacketTarget.linkTypes[Int(kind) % PacketTarget.linkTypes.count]
      target.wait(input.octet(bytes))
      let beyond = 16 * Int(input.octet(bytes))
      let frame = bytes.extracting(input.range(input.uint16(bytes)))
      target.observe(frame, linkType, originalLength: frame.count + beyond, link: UInt32(kind >> 6) + 1)
    }
    target.finish()
  }

  private static let client = IPAddress(v4: 0x0a00_0001)

  private let options: Options
  private let configuration: FlowMeterConfiguration
  private var meter: FlowMeter
  private var now = Timestamp(nanoseconds: 1_700_000_000 * FlowMeterConfiguration.second)
  private var told = Told()
  /// What the records must tell by frames that are whole packets; nil where that depends on what came before.
  private var plain: FlowCounters? = FlowCounters()

  private init(_ options: Options) {
    var configuration = FlowMeterConfiguration(seed: 1)
    configuration.capacity = options.contains(.isTight) ? 3 : 4_096
    configuration.nameCapacity = options.contains(.isTight) ? 3 : 4_096
    configuration.queryCapacity = options.contains(.isTight) ? 3 : 4_096
    if options.contains(.isTight) {
      configuration.nameByteLimit = 2_048
      configuration.reassemblyByteLimit = 4_096
      configuration.streamByteLimit = 1_024
    }
    if options.contains(.reportsLongFlows) { configuration.activeTimeout = 60 * FlowMeterConfiguration.second }
    let inside = [IPPrefix("10.0.0.0/8"), IPPrefix("2001:db8::/32")].compactMap { $0 }
    if options.contains(.guardsTunnels) { configuration.tunnelEnds = inside }
    if options.contains(.knowsLocal) { configuration.local = inside }
    if options.contains(.knowsItsClients) { configuration.clients.unite([IPAddress(v4: 0x7f00_0001), Self.client]) }
    self.options = options
    self.configuration = configuration
    meter = FlowMeter(configuration: configuration)
    if options.contains(.ignoresOne) {
      meter.ignore(SocketAddress(ip: Self.client, port: 50_000), transport: .tcp)
      meter.learn(
        NameRecord(
          time: now, client: Self.client, server: Self.client, name: IPAddress(v4: 1).reverseName, type: "A", chain: [],
          addresses: [IPAddress(v4: 0xcb00_710a)], ttl: 60, rcode: "NOERROR"))
    }
  }

  /// Milliseconds; seconds; minutes, up to two hours; or back, as frames of several capture threads may come.
  private mutating func wait(_ pause: UInt8) {
    let amount = Int64(pause & 63)
    switch pause >> 6 {
    case 0: now = Timestamp(nanoseconds: now.nanoseconds + amount * 1_000_000)
    case 3: now = Timestamp(nanoseconds: now.nanoseconds - amount * 1_000_000)
    case let unit:
      now = Timestamp(nanoseconds: now.nanoseconds + amount * FlowMeterConfiguration.second * (unit == 1 ? 1 : 120))
      told.take(meter.advance(to: now))
      checkBounds()
    }
  }

  private mutating func observe(_ frame: Span<UInt8>, _ linkType: LinkType, originalLength: Int, link: UInt32) {
    meter.observe(
      frame, linkType: linkType, at: now, originalLength: originalLength, link: options.contains(.watchesLinks) ? link : 0)
    checkBounds()
    guard let sum = plain else { return }
    let packet = PacketDecoder.decode(frame, linkType: linkType, originalLength: originalLength)
    guard !packet.isFragment else {
      plain = nil
      return
    }
    let counts = packet.stop == .complete || packet.stop == .truncatedTransport || packet.stop == .malformedTransport
    guard counts, !packet.isLinkUpkeep, !packet.isICMPError else { return }
    plain = FlowCounters(packets: sum.packets + 1, bytes: sum.bytes + UInt64(packet.ipLength))
  }

  private borrowing func checkBounds() {
    let counters = meter.counters
    demand(counters.flowsLive <= configuration.capacity, "flows are bounded: \(counters.flowsLive)")
    demand((0...configuration.reassemblyByteLimit).contains(counters.reassemblyBytes), "streams are bounded: \(counters.reassemblyBytes)")
    demand((0...configuration.nameCapacity).contains(counters.namesKnown), "names are bounded: \(counters.namesKnown)")
    demand((0...configuration.nameByteLimit).contains(counters.nameBytes), "names are bounded: \(counters.nameBytes) octets")
  }

  private consuming func finish() {
    while true {
      let batch = meter.drain(at: now, limit: options.contains(.drainsInParts) ? 2 : .max)
      if batch.isEmpty { break }
      told.take(batch)
    }
    let counters = meter.counters
    demand(counters.flowsLive == 0 && counters.reassemblyBytes == 0, "nothing is left: \(counters.flowsLive) flows, \(counters.reassemblyBytes) octets")
    demand(told.started == counters.flowsStarted, "every flow that began was told of: \(told.started) of \(counters.flowsStarted)")
    demand(UInt64(told.ended.count) + counters.flowsTranslated == counters.flowsStarted, "every flow that began has a last record")
    let cut = counters.undecoded[.truncatedTransport] &+ counters.undecoded[.malformedTransport]
    let flawed = counters.undecoded.total - counters.undecoded[.complete] - cut
    // Each frame is a packet or a piece of a datagram, and each datagram is a packet or a piece of another.
    let packets = counters.frames + counters.datagramsReassembled + counters.datagramsAbandoned.total - counters.fragments
    let left = flawed + counters.linkUpkeepFrames + counters.ignoredFrames + counters.errorMessages + counters.copies
    if counters.flowsTranslated == 0 {
      demand(told.sum.packets == packets - left, "every packet is in a record: \(told.sum.packets) of \(packets) - \(left)")
    }
    // A cooked frame says its link itself, so there may be copies without the option.
    if let plain, counters.copies == 0, options.isDisjoint(with: [.guardsTunnels, .knowsItsClients, .ignoresOne]) {
      demand(told.sum == plain, "records add up to \(plain): \(told.sum)")
    }
  }
}

/// What the batches told.
private struct Told {
  var started: UInt64 = 0
  var ended: Set<UInt64> = []
  var sum = FlowCounters()

  mutating func take(_ batch: FlowBatch) {
    started += UInt64(batch.started.count)
    for name in batch.names { name.name.check() }
    for record in batch.records() {
      demand(record.start <= record.end, "a flow ends after it began")
      for (total, earlier) in [(record.out, record.reportedOut), (record.in, record.reportedIn)] {
        demand(total.packets >= earlier.packets && total.bytes >= earlier.bytes, "counters only grow")
        sum.packets += total.packets - earlier.packets
        sum.bytes += total.bytes - earlier.bytes
      }
      for name in record.names { name.name.check() }
      record.proxy?.target.check()
      demand(!ended.contains(record.id), "a flow that ended is not told of again")
      if record.endReason != .activeTimeout { ended.insert(record.id) }
    }
  }
}
