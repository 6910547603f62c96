/// Numbers as people read them.
enum Quantity {
  /// Octets with SI prefixes and two digits at least: `999 B`, `1.2 MB`, `880 MB`.
  static func bytes(_ count: UInt64) -> String {
    guard count >= 1000 else { return "\(count) B" }
    var unit = 0
    var divisor: UInt64 = 1000
    // Rounding must not give "1000 kB": the next unit starts where this one would.
    while unit < units.count - 1, count / divisor >= 1000 || (count / divisor == 999 && count % divisor >= divisor / 2) {
      divisor *= 1000
      unit += 1
    }
    let tenths = (Double(count) / Double(divisor) * 10).rounded()
    if tenths < 100 { return "\(Int(tenths) / 10).\(Int(tenths) % 10) \(units[unit])" }
    return "\(Int((Double(count) / Double(divisor)).rounded())) \(units[unit])"
  }

  private static let units = ["kB", "MB", "GB", "TB", "PB", "EB"]

  /// A share as a whole percentage: 0 and 100 only when they are exact, `<1%` and `99%` next to them.
  static func percent(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0, part > 0 else { return "0%" }
    guard part < whole else { return "100%" }
    let percent = Int((Double(part) / Double(whole) * 100).rounded())
    return percent == 0 ? "<1%" : "\(min(percent, 99))%"
  }

  /// A share with two decimals: `0.00%`. What is not nothing is not shown as nothing.
  static func finePercent(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0, part > 0 else { return "0.00%" }
    let hundredths = Int((min(1, Double(part) / Double(whole)) * 10_000).rounded())
    guard hundredths > 0 else { return "<0.01%" }
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)%"
  }

  /// `1 workload`, `2 workloads`.
  static func counted(_ count: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
  }
}
