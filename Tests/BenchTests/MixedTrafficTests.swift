import Capture
import Foundation
import Testing

@testable import bench

struct MixedTrafficTests {
  static let small = MixedTraffic(flows: 30, concurrency: 10, clients: 10, sites: 50, seed: 7)

  static func frames(_ traffic: MixedTraffic) throws -> (frames: [(time: UInt64, octets: [UInt8])], counts: TrafficCounts) {
    var frames: [(UInt64, [UInt8])] = []
    let counts = try traffic.forEachFrame { frames.append(($0, Array($1))) }
    return (frames, counts)
  }

  @Test func `the same seed makes the same frames, another makes others`() throws {
    let first = try Self.frames(Self.small).frames
    let again = try Self.frames(Self.small).frames
    #expect(first.elementsEqual(again, by: ==))
    var other = Self.small
    other.seed = 8
    #expect(try !first.elementsEqual(Self.frames(other).frames, by: ==))
  }

  @Test func `frames are in order of time and counted`() throws {
    let (frames, counts) = try Self.frames(Self.small)
    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect(counts.packets == frames.count)
    #expect(counts.bytes == frames.reduce(0) { $0 + $1.octets.count })
    #expect(counts.flows.filter { $0.key != "dns" }.values.reduce(0, +) == 30)
  }

  @Test func `the lengths in the headers are those of the frames, and IPv4 header checksums hold`() throws {
    for frame in try Self.frames(Self.small).frames.map(\.octets) {
      func word(_ offset: Int) -> Int { Int(frame[offset]) << 8 | Int(frame[offset + 1]) }
      let isV4 = word(12) == 0x0800
      #expect(isV4 || word(12) == 0x86dd)
      let transport = isV4 ? 34 : 54
      #expect(isV4 ? word(16) == frame.count - 14 : word(18) == frame.count - transport)
      if isV4 {
        // RFC 1071: with the checksum in place the one's complement sum is all ones.
        var sum = stride(from: 14, to: 34, by: 2).reduce(0) { $0 + word($1) }
        sum = (sum & 0xffff) + (sum >> 16)
        #expect((sum & 0xffff) + (sum >> 16) == 0xffff)
      }
      switch frame[isV4 ? 23 : 20] {
      case 17: #expect(word(transport + 4) == frame.count - transport)
      case 6: #expect(transport + Int(frame[transport + 12] >> 4) * 4 <= frame.count)
      case let number: Issue.record("protocol \(number)")
      }
    }
  }

  @Test func `libpcap reads every frame that was written`() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString).pcap")
    defer { try? FileManager.default.removeItem(at: url) }
    var writer = try PcapWriter(creating: url)
    let counts = try Self.small.forEachFrame { try writer.write($1, at: $0) }
    try writer.flush()

    let source = try PacketSource(file: url.path)
    var octets = 0
    var frames = 0
    while case .frames(let count) = try source.read(atMost: 1_000, { frame, _, _ in octets += frame.count }) { frames += count }
    #expect(frames == counts.packets)
    #expect(octets == counts.bytes)
  }

  @Test func `many flows are as many different five-tuples`() {
    var tuples: Set<[UInt8]> = []
    var opened = 0
    let counts = ManyFlows(flows: 2_000).forEachFrame { _, frame in
      let isV4 = frame[12] == 8
      let flags = frame[(isV4 ? 34 : 54) + 13]
      guard flags == 2 else { return }
      opened += 1
      tuples.insert(Array(isV4 ? frame[26..<38] : frame[22..<58]))
    }
    #expect(opened == 2_000)
    #expect(tuples.count == 2_000)
    #expect(counts.packets == 7_000)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>) func `the agenda gives what a sorted list gives`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var agenda = Agenda()
    var list: [(time: UInt64, slot: Int)] = []
    for slot in 0..<500 {
      let time = UInt64(random.below(100))
      agenda.insert(time: time, slot: slot)
      list.append((time, slot))
      if random.below(3) == 0 {
        list.sort { $0 < $1 }
        let first = list.removeFirst()
        #expect(agenda.popFirst().map { $0 == first } == true)
      }
    }
    list.sort { $0 < $1 }
    for expected in list { #expect(agenda.popFirst().map { $0 == expected } == true) }
    #expect(agenda.popFirst() == nil)
  }
}
