import Testing

@testable import Flows

@Suite struct StreamReassemblerTests {
  @Test func `random segments give the same prefix as one octet at a time, first copy first`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<300 {
      // Near the top, so that sequence numbers wrap.
      let start = UInt32.max - UInt32(random.next() % 200)
      var reassembler = StreamReassembler(start: start)
      var model: [Int: UInt8] = [:]
      var prefix = 0
      for step in 0..<40 {
        let offset = Int(random.next() % 300) - 20
        let payload = (0..<Int(random.next() % 40)).map { _ in UInt8(random.next() & 255) }
        let insertion = reassembler.insert(payload.span, sequence: start &+ UInt32(truncatingIfNeeded: offset), limit: 10_000)
        for (index, octet) in payload.enumerated() where offset + index >= 0 && model[offset + index] == nil { model[offset + index] = octet }
        let before = prefix
        while model[prefix] != nil { prefix += 1 }
        #expect((insertion == .advanced) == (prefix > before), "seed \(seed), round \(round), step \(step)")
        #expect(reassembler.prefix == (0..<prefix).compactMap { model[$0] }, "seed \(seed), round \(round), step \(step)")
        #expect(reassembler.byteCount == model.count, "seed \(seed), round \(round), step \(step)")
      }
    }
  }

  @Test func `octets beyond the limit are passed over, and refused where they follow the prefix; too many pieces are refused`() {
    var reassembler = StreamReassembler(start: 0)
    let octets: [UInt8] = [1, 2, 3, 4]
    #expect(reassembler.insert(octets.span, sequence: 97, limit: 100) == .waiting)
    #expect(reassembler.byteCount == 0)
    var late = reassembler
    for _ in 1..<StreamReassembler.maximumBeyond { #expect(late.insert(octets.span, sequence: 200, limit: 100) == .waiting) }
    #expect(late.insert(octets.span, sequence: 200, limit: 100) == .overLimit)
    #expect(reassembler.insert(octets.span, sequence: 96, limit: 100) == .waiting)
    #expect(reassembler.byteCount == 4)
    #expect(reassembler.insert(octets.span, sequence: 0, limit: 100) == .advanced)
    #expect(reassembler.insert([UInt8](repeating: 0, count: 97).span, sequence: 4, limit: 100) == .overLimit)

    var scattered = StreamReassembler(start: 0)
    let one: [UInt8] = [1]
    for piece in 0..<StreamReassembler.maximumPieces {
      #expect(scattered.insert(one.span, sequence: UInt32(2 * piece + 1), limit: 10_000) == .waiting)
    }
    #expect(scattered.insert(one.span, sequence: 9_999, limit: 10_000) == .overLimit)
  }

  @Test func `pieces that touch are one where room is needed, whichever comes first`() {
    let octets = (0..<2_000).map { UInt8(truncatingIfNeeded: $0) }
    for order in [Array(1..<2_000), Array((1..<2_000).reversed()), Array(stride(from: 1, to: 400, by: 2)) + Array(stride(from: 2, to: 400, by: 2)) + Array(400..<2_000)] {
      var reassembler = StreamReassembler(start: 0)
      for place in order { #expect(reassembler.insert([octets[place]].span, sequence: UInt32(place), limit: 10_000) == .waiting) }
      #expect(reassembler.insert([octets[0]].span, sequence: 0, limit: 10_000) == .advanced)
      #expect(reassembler.prefix == octets)
    }
  }

  @Test func `what is consumed moves the start`() {
    var reassembler = StreamReassembler(start: .max)
    let octets: [UInt8] = [1, 2, 3, 4]
    _ = reassembler.insert(octets.span, sequence: .max, limit: 100)
    _ = reassembler.insert(octets.span, sequence: 7, limit: 100)
    reassembler.consume(3)
    #expect(reassembler.prefix == [4] && reassembler.start == 2 && reassembler.byteCount == 5)
    #expect(reassembler.insert(octets.span, sequence: 3, limit: 100) == .advanced)
    #expect(reassembler.prefix == [4, 1, 2, 3, 4, 1, 2, 3, 4])
  }
}
