import EgressModel
import Testing

@Suite struct TimeSpanTests {
  @Test(arguments: [
    (0, "0s"), (1, "0ms"), (400_000_000, "400ms"), (1_999_999_999, "1s"), (119_000_000_000, "119s"), (120_000_000_000, "2m"),
    (3_600_000_000_000, "60m"), (7_199_000_000_000, "119m"), (7_200_000_000_000, "2h"), (172_800_000_000_000, "2d"),
    (2_678_400_000_000_000, "31d"), (-3_600_000_000_000, "-60m"), (Int64.max, "106751d"), (Int64.min, "-106751d"),
  ] as [(Int64, String)])
  func `a span is told in the largest unit of which there are two`(nanoseconds: Int64, text: String) {
    #expect(TimeSpan(nanoseconds: nanoseconds).description == text)
  }

  @Test(arguments: [
    ("90s", 90_000_000_000), ("15m", 900_000_000_000), ("2h", 7_200_000_000_000), ("7d", 604_800_000_000_000), ("1w", 604_800_000_000_000),
    ("250ms", 250_000_000), ("0s", 0), ("106751d", 9_223_286_400_000_000_000),
  ] as [(String, Int64)])
  func `a span is read`(text: String, nanoseconds: Int64) {
    #expect(TimeSpan(text)?.nanoseconds == nanoseconds)
  }

  @Test(arguments: ["", "s", "5", "5 m", "-5m", "+5m", "1.5h", "5M", "106752d", "99999999999999999999s", "5m5s", "٥m"])
  func `anything else is no span`(text: String) {
    #expect(TimeSpan(text) == nil)
  }
}
