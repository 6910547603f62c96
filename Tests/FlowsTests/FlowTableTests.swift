import EgressModel
import Testing
import Wire

@testable import Flows

/// SplitMix64: the printed seed gives the run again.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

@Suite struct FlowTableTests {
  private static func key(_ number: UInt32) -> FlowKey {
    FlowKey.make(
      source: IPAddress(v4: 0x0a00_0000 | number), sourcePort: UInt16(truncatingIfNeeded: number), destination: IPAddress(v4: 0xcb00_7101),
      destinationPort: 443, transport: .tcp, hasPorts: true
    ).key
  }

  @Test(arguments: [(capacity: 1, keys: 3), (capacity: 7, keys: 20), (capacity: 500, keys: 600), (capacity: 5000, keys: 4000)])
  func `random operations leave the table like a dictionary`(capacity: Int, keys: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    var table = FlowTable(capacity: capacity, seed: random.next())
    var model: [FlowKey: UInt64] = [:]
    for step in 0..<40_000 {
      let key = Self.key(UInt32(random.next() % UInt64(keys)))
      let hash = table.hash(key)
      let index = table.index(of: key, hash: hash)
      #expect((index != nil) == (model[key] != nil), "seed \(seed), step \(step)")
      if let index {
        #expect(table[index].id == model[key], "seed \(seed), step \(step)")
        if random.next() % 3 == 0 {
          table.remove(at: index)
          model[key] = nil
        }
      } else {
        let flow = Flow(key: key, id: UInt64(step), initiator: .low, at: Timestamp(nanoseconds: 0))
        let inserted = table.insert(flow, hash: hash)
        #expect((inserted == nil) == (model.count >= capacity), "seed \(seed), step \(step)")
        if inserted != nil { model[key] = UInt64(step) }
      }
      #expect(table.count == model.count, "seed \(seed), step \(step)")
    }
    for (key, id) in model {
      let index = try #require(table.index(of: key, hash: table.hash(key)))
      #expect(table[index].id == id && table[index].isLive)
    }
    #expect((0..<table.places).filter { table[$0].isLive }.count == model.count)
  }

  @Test func `removal leaves no tombstones behind: places are used again`() {
    var table = FlowTable(capacity: 100, seed: 1)
    for round in 0..<10_000 as Range<UInt32> {
      let key = Self.key(round)
      let index = table.insert(Flow(key: key, id: 1, initiator: .low, at: Timestamp(nanoseconds: 0)), hash: table.hash(key))
      table.remove(at: index ?? -1)
    }
    #expect(table.count == 0)
    #expect(table.places == 1)
  }

  @Test func `both directions of a conversation have one key`() {
    let a = IPAddress(v4: 0x0a00_0001)
    let b = IPAddress(v4: 0xcb00_7101)
    let there = FlowKey.make(source: a, sourcePort: 50_000, destination: b, destinationPort: 443, transport: .tcp, hasPorts: true)
    let back = FlowKey.make(source: b, sourcePort: 443, destination: a, destinationPort: 50_000, transport: .tcp, hasPorts: true)
    #expect(there.key == back.key)
    #expect(there.sender == back.sender.other)
    #expect(there.key.end(there.sender) == SocketAddress(ip: a, port: 50_000))
    let same = FlowKey.make(source: a, sourcePort: 2, destination: a, destinationPort: 1, transport: .udp, hasPorts: true)
    #expect(same.sender == .high && same.key.lowPort == 1)
    #expect(same.key != FlowKey.make(source: a, sourcePort: 2, destination: a, destinationPort: 1, transport: .tcp, hasPorts: true).key)
  }

  @Test func `hashes of neighbouring keys spread over the slots`() {
    var filled = Set<UInt32>()
    for number in 0..<4096 as Range<UInt32> { filled.insert(Self.key(number).hash(seed: 7) & 4095) }
    // 4096 balls in 4096 bins fill 63 % of them; a weak hash fills far fewer.
    #expect(filled.count > 2400)
  }

  @Test func `a flow takes less than 200 octets`() {
    #expect(MemoryLayout<Flow>.stride <= 192)
  }
}
