import Drift
import EgressModel
import Testing

/// What a suggestion may rest on.
@Suite struct SuggestionGroundsTests {
  /// Endpoints below a domain, each used for `length` seconds from the moment that its place in the list says.
  static func endpoints(_ names: [String], length: Int64) throws -> [Endpoint] {
    try names.enumerated().map { index, name in
      var endpoint = try Shop.endpoint(Shop.web, "203.0.113.\(index + 1)", name: Shop.name(name), at: Int64(index) * 100)
      endpoint.lastSeen = Timestamp(seconds: Int64(index) * 100 + length)
      return endpoint
    }
  }

  static func parents(_ names: [String], length: Int64 = 50) throws -> Set<String> {
    Set(RotatingNames.parents(in: try endpoints(names, length: length), catalogue: try Shop.vendors()).values.map(\.text))
  }

  @Test func `names that come and go stand as their parent, if there are enough and none but one tenant has it`() throws {
    let names = (1...5).map { "n\($0).edge.example.com" }
    #expect(try Self.parents(names) == ["edge.example.com"])
    #expect(try Self.parents(Array(names.dropLast())).isEmpty)
    // All of them are still in use when the last one comes.
    #expect(try Self.parents(names, length: 900).isEmpty)
    #expect(try Self.parents((1...6).map { "n\($0).cdn.example" }).isEmpty)
    #expect(try Self.parents((1...6).map { "n\($0).co.uk" }).isEmpty)
    // Below what strangers share, one tenant's part is not shared.
    #expect(try Self.parents((1...6).map { "n\($0).mine.cdn.example" }) == ["mine.cdn.example"])
  }

  @Test func `too little coverage speaks against a suggestion`() {
    func doubts(_ seconds: Int64, packets: UInt64 = 1000, dropped: UInt64 = 0, gap: Int64 = 0) -> [String] {
      let gaps = gap == 0 ? [] : [Coverage.Gap(from: Timestamp(seconds: 0), until: Timestamp(seconds: gap), reason: "killed")]
      return Coverage(from: Timestamp(seconds: 0), until: Timestamp(seconds: seconds), packets: packets, dropped: dropped, gaps: gaps).doubts
    }
    #expect(doubts(90_000).isEmpty)
    #expect(doubts(86_399) == ["only 23h were watched, less than 24h"])
    #expect(doubts(1_000_000, gap: 100_000) == ["only 90% of the window was watched"])
    #expect(doubts(90_000, packets: 1000, dropped: 10).isEmpty)
    #expect(doubts(90_000, packets: 1000, dropped: 20) == ["20 of 1020 packets were dropped"])
    #expect(doubts(90_000, packets: .max, dropped: .max).count == 1)
  }
}
