public import EgressModel

/// Coverage for people: one line, then one for each gap.
///
/// `coverage: 59m of 60m, 0.00% dropped, 2 workloads use encrypted DNS`
public enum CoverageText {
  /// Not escaped; without line breaks of its own.
  public static func lines(_ coverage: Coverage) -> [String] {
    var parts = [
      "\(TimeSpan(nanoseconds: coverage.watched)) of \(TimeSpan(nanoseconds: coverage.until.since(coverage.from)))",
      Quantity.finePercent(coverage.dropped, of: sum(coverage.packets, coverage.dropped)) + " dropped",
    ]
    if coverage.externalBytes > 0 {
      parts.append(Quantity.percent(coverage.unnamedBytes, of: coverage.externalBytes) + " of third-party bytes unnamed")
    }
    if coverage.undecoded > 0 { parts.append(Quantity.counted(coverage.undecoded, "packet") + " not decoded") }
    if coverage.evicted > 0 { parts.append(Quantity.counted(coverage.evicted, "flow or name", plural: "flows or names") + " evicted") }
    if coverage.restarts > 0 { parts.append(Quantity.counted(coverage.restarts, "restart")) }
    let clients = coverage.encryptedDNSClients.count
    if clients > 0 { parts.append(Quantity.counted(clients, "workload") + (clients == 1 ? " uses" : " use") + " encrypted DNS") }
    return ["coverage: " + parts.joined(separator: ", ")]
      + coverage.gaps.sorted { $0.from < $1.from }.map { gap in
        "gap: \(gap.from) to \(gap.until) (\(TimeSpan(nanoseconds: gap.until.since(gap.from)))) \(gap.reason)"
      }
  }

  /// The lines as a table ends with them: escaped for a terminal.
  public static func text(_ coverage: Coverage) -> String {
    lines(coverage).map { Escaping.terminal($0) + "\n" }.joined()
  }

  private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }
}
