import EgressModel
import Testing

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000000001Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
    (1_795_406_401_500_000_000, "2026-11-23T04:00:01.5Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
    (4_107_542_400_000_000_000, "2100-03-01T00:00:00Z"),
  ])
  func `a moment and its text are one`(nanoseconds: Int64, text: String) {
    #expect(Timestamp(nanoseconds: nanoseconds).description == text)
    #expect(Timestamp(text)?.nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    ("2026-11-23T05:00:01.5+01:00", "2026-11-23T04:00:01.5Z"), ("2026-11-22T23:30:01-04:30", "2026-11-23T04:00:01Z"),
    ("2026-11-23t04:00:01z", "2026-11-23T04:00:01Z"),
  ])
  func `offsets are read`(text: String, utc: String) {
    #expect(Timestamp(text)?.description == utc)
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-11-23T04:00:01", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T04:00:01.Z",
    "2026-11-23T04:00:01ZZ", "x026-11-23T04:00:01Z", "2026-11-23T04:00:01+0100",
  ])
  func `what is no moment is nil`(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test func `arithmetic saturates`() {
    #expect(Timestamp(seconds: .max).nanoseconds == .max)
    #expect(Timestamp(seconds: .min).nanoseconds == .min)
    #expect(Timestamp(nanoseconds: .max).adding(nanoseconds: 1).nanoseconds == .max)
    #expect(Timestamp(nanoseconds: .min).since(Timestamp(nanoseconds: 1)) == .min)
  }
}
