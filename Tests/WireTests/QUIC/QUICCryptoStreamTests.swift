import Testing

@testable import Wire

@Suite struct QUICCryptoStreamTests {
  @Test func `it holds what a plain array of octets holds`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("CRYPTO pieces: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var stream = QUICCryptoStream()
      var naive = [UInt8?](repeating: nil, count: 200)
      for _ in 0..<Int.random(in: 1...40, using: &generator) {
        let offset = Int.random(in: 0..<150, using: &generator)
        let octets = generator.bytes(Int.random(in: 0...50, using: &generator))
        stream.insert(octets[...], at: UInt64(offset))
        for (index, octet) in octets.enumerated() where naive[offset + index] == nil { naive[offset + index] = octet }
      }
      let expected = naive.prefix { $0 != nil }.compactMap { $0 }
      #expect(stream.contiguousCount == expected.count)
      #expect(stream.prefix(expected.count) == expected)
    }
  }

  @Test func `octets up to the limit are kept and not one more`() {
    var stream = QUICCryptoStream()
    stream.insert([UInt8](repeating: 1, count: QUICCryptoStream.maximumOffset + 10)[...], at: 0)
    #expect(stream.contiguousCount == QUICCryptoStream.maximumOffset)
    stream.insert([1], at: UInt64(QUICCryptoStream.maximumOffset))
    stream.insert([1], at: .max)
    #expect(stream.contiguousCount == QUICCryptoStream.maximumOffset)
  }

  @Test(arguments: [(256, true), (257, false)])
  func `256 separate pieces are kept and not one more`(count: Int, isKept: Bool) {
    var stream = QUICCryptoStream()
    for index in 0..<count { stream.insert([UInt8(index & 0xff)], at: UInt64(2 * index)) }
    // Filling the gaps joins what was kept.
    for index in 0..<count { stream.insert([0], at: UInt64(2 * index + 1)) }
    #expect((stream.contiguousCount == 2 * count) == isKept)
  }

  @Test func `pieces that touch are one, whichever comes first`() {
    var stream = QUICCryptoStream()
    for index in (0..<2_000).reversed() { stream.insert([UInt8(truncatingIfNeeded: index)], at: UInt64(index)) }
    #expect(stream.prefix(2_000) == (0..<2_000).map { UInt8(truncatingIfNeeded: $0) })
  }

  @Test(arguments: [
    // The example of RFC 9000 A.3.
    (0x9b32, 2, 0xa82f_30ea, 0xa82f_9b32), (0, 1, 255, 256), (255, 1, 256, 255), (7, 4, 0, 7), (0xff, 1, 0, 0xff),
  ] as [(UInt64, Int, UInt64, UInt64)])
  func `a packet number is the nearest to the one expected`(truncated: UInt64, octets: Int, largest: UInt64, number: UInt64) {
    #expect(QUICInitialKeys.packetNumber(truncated: truncated, octets: octets, largest: largest) == number)
  }
}
