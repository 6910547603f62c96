import EgressModel
import Wire

@testable import Flows

/// A meter with a clock of its own, fed with packets.
struct MeterRun: ~Copyable {
  static let client = SocketAddress(ip: IPAddress(v4: 0x0a00_0001), port: 50_000)
  static let server = SocketAddress(ip: IPAddress(v4: 0xcb00_710a), port: 443)
  static let resolver = SocketAddress(ip: IPAddress(v4: 0x0a00_0035), port: 53)

  var meter: FlowMeter
  /// Nanoseconds since 1970.
  var now: Int64 = 1_700_000_000 * FlowMeterConfiguration.second

  init(_ change: (inout FlowMeterConfiguration) -> Void = { _ in }) {
    var configuration = FlowMeterConfiguration(seed: 1)
    change(&configuration)
    meter = FlowMeter(configuration: configuration)
  }

  var time: Timestamp { Timestamp(nanoseconds: now) }

  mutating func wait(seconds: Double) { now += Int64(seconds * 1_000_000_000) }

  /// One packet, a millisecond after the one before.
  mutating func feed(_ packet: [UInt8], originalLength: Int? = nil, captured: Int? = nil, link: UInt32 = 0) {
    now += 1_000_000
    let kept = captured.map { Array(packet[..<min($0, packet.count)]) } ?? packet
    meter.observe(kept.span, linkType: .raw, at: time, originalLength: originalLength ?? packet.count, link: link)
  }

  mutating func feed(all packets: [[UInt8]]) {
    for packet in packets { feed(packet) }
  }

  /// SYN, SYN+ACK, ACK; the client's data starts at `isn` + 1.
  mutating func handshake(isn: UInt32 = 1000, client: SocketAddress = client, server: SocketAddress = server) {
    feed(Traffic.tcp(client, server, .syn, sequence: isn))
    feed(Traffic.tcp(server, client, [.syn, .ack], sequence: 9000, acknowledgment: isn &+ 1))
    feed(Traffic.tcp(client, server, .ack, sequence: isn &+ 1, acknowledgment: 9001))
  }

  /// What the client says `offset` octets into its stream.
  mutating func say(_ payload: [UInt8], at offset: Int = 0, isn: UInt32 = 1000, captured: Int? = nil) {
    let sequence = isn &+ 1 &+ UInt32(truncatingIfNeeded: offset)
    feed(Traffic.tcp(Self.client, Self.server, [.psh, .ack], sequence: sequence, payload), captured: captured)
  }

  /// A query and its answer.
  mutating func resolve(
    _ name: String, aliases: [String] = [], _ addresses: [IPAddress] = [server.ip], ttl: UInt32 = 60, client: IPAddress = client.ip, id: UInt16 = 7
  ) {
    let stub = SocketAddress(ip: client, port: 40_000)
    feed(Traffic.udp(stub, Self.resolver, Traffic.query(id, name)))
    feed(Traffic.udp(Self.resolver, stub, Traffic.answer(id, name, aliases: aliases, addresses, ttl: ttl)))
  }

  mutating func drain() -> [FlowRecord] { meter.drain(at: time).records().sorted { $0.id < $1.id } }

  /// The record of the only flow that is not DNS.
  mutating func only() -> FlowRecord? {
    let records = drain().filter { $0.destination.port != 53 }
    return records.count == 1 ? records[0] : nil
  }

  /// As `only`, where there must be one.
  mutating func record() throws -> FlowRecord {
    guard let record = only() else { throw NoSingleFlow() }
    return record
  }

  struct NoSingleFlow: Error {}
}
