import EgressModel
@testable import Reporting
import Testing

@Suite struct TextTests {
  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1234, "1.2 kB"), (9949, "9.9 kB"), (9950, "10 kB"), (12_345, "12 kB"), (999_499, "999 kB"),
    (999_500, "1.0 MB"), (1_200_000, "1.2 MB"), (880_000_000, "880 MB"), (999_999_999_999, "1.0 TB"), (UInt64.max, "18 EB"),
  ] as [(UInt64, String)])
  func `bytes are told with two digits at least`(count: UInt64, text: String) {
    #expect(Quantity.bytes(count) == text)
  }

  @Test(arguments: [
    (0, 0, "0%"), (0, 9, "0%"), (9, 9, "100%"), (1, 1000, "<1%"), (999, 1000, "99%"), (97, 100, "97%"), (1, 3, "33%"), (UInt64.max, UInt64.max, "100%"),
  ] as [(UInt64, UInt64, String)])
  func `a share is nothing or everything only when it is`(part: UInt64, whole: UInt64, text: String) {
    #expect(Quantity.percent(part, of: whole) == text)
  }

  @Test(arguments: [
    (0, 0, "0.00%"), (0, 9, "0.00%"), (1, 1_000_000, "<0.01%"), (1, 1000, "0.10%"), (1, 3, "33.33%"), (5, 5, "100.00%"), (1005, 10_000, "10.05%"),
  ] as [(UInt64, UInt64, String)])
  func `drops are told to a hundredth of a percent and never hidden`(part: UInt64, whole: UInt64, text: String) {
    #expect(Quantity.finePercent(part, of: whole) == text)
  }

  @Test(arguments: [("abc", 3), ("名前", 4), ("e\u{301}", 1), ("→", 1), ("…", 1), ("ｱ", 1), ("ａ", 2), ("😀", 2), ("", 0)])
  func `width is what a terminal uses`(text: String, width: Int) {
    #expect(DisplayWidth.columns(text) == width)
  }

  @Test(arguments: [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""), ("名前名前", 5, "名前…"), ("名前名前", 4, "名…")])
  func `what is cut says so and fits`(text: String, width: Int, result: String) {
    #expect(DisplayWidth.truncated(text, to: width) == result)
    #expect(DisplayWidth.columns(DisplayWidth.truncated(text, to: width)) <= max(width, 0))
  }

  @Test func `columns are aligned, numbers to the right, and no line ends in spaces`() {
    let layout = TableLayout(needed: [4, 5, 6], isNumeric: [false, true, false], limit: nil)
    #expect(layout.line(["ab", "12", "x"], colours: nil) == "ab       12  x\n")
    #expect(layout.line(["名", "12345", ""], colours: [.red, nil, nil]) == "\u{1b}[31m名\u{1b}[0m    12345\n")
  }

  @Test(arguments: [(80, [40, 10, 20]), (60, [26, 10, 20]), (42, [8, 10, 20]), (40, [8, 10, 18]), (30, [8, 10, 8]), (1, [8, 10, 8])])
  func `the widest columns give way first, the last one last, and none is lost`(limit: Int, widths: [Int]) {
    #expect(TableLayout(needed: [40, 10, 20], isNumeric: [false, true, false], limit: limit).widths == widths)
  }

  @Test func `coverage ends with a line that can be trusted`() {
    var coverage = Coverage(
      from: Timestamp(seconds: 0), until: Timestamp(seconds: 3600), packets: 100,
      gaps: [.init(from: Timestamp(seconds: 60), until: Timestamp(seconds: 120), reason: "killed\u{1b}")], encryptedDNSClients: ["a", "b"])
    #expect(
      CoverageText.lines(coverage) == [
        "coverage: 59m of 60m, 0.00% dropped, 2 workloads use encrypted DNS", "gap: 1970-01-01T00:01:00Z to 1970-01-01T00:02:00Z (60s) killed\u{1b}",
      ])
    #expect(CoverageText.text(coverage).contains(#"killed\x1b"#))
    coverage.gaps = []
    coverage.dropped = 100
    coverage.externalBytes = 200
    coverage.unnamedBytes = 3
    coverage.undecoded = 1
    coverage.evicted = 2
    coverage.restarts = 1
    coverage.encryptedDNSClients = ["a"]
    #expect(
      CoverageText.lines(coverage) == [
        "coverage: 60m of 60m, 50.00% dropped, 2% of third-party bytes unnamed, 1 packet not decoded, 2 flows or names evicted, 1 restart, "
          + "1 workload uses encrypted DNS"
      ])
  }
}
