/// A length of time as people write it: `90s`, `15m`, `2h`, `7d`.
public struct TimeSpan: Hashable, Comparable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000_000) }

  public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension TimeSpan: LosslessStringConvertible {
  /// The largest unit of which there are at least two, cut to a whole number: `60m`, `31d`, `400ms`; a negative span has a `-`.
  public var description: String {
    let magnitude = nanoseconds.magnitude
    let sign = nanoseconds < 0 ? "-" : ""
    let seconds = magnitude / 1_000_000_000
    return switch seconds {
    case 0: magnitude == 0 ? "0s" : "\(sign)\(magnitude / 1_000_000)ms"
    case ..<120: "\(sign)\(seconds)s"
    case ..<7200: "\(sign)\(seconds / 60)m"
    case ..<172_800: "\(sign)\(seconds / 3600)h"
    default: "\(sign)\(seconds / 86_400)d"
    }
  }

  /// Reads a whole number of `ms`, `s`, `m`, `h`, `d` or `w`; nil for anything else and for what 292 years cannot hold.
  public init?(_ text: String) {
    let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty, let count = Int64(String(Substring(digits))) else { return nil }
    let unit: Int64
    switch text.dropFirst(digits.count) {
    case "ms": unit = 1_000_000
    case "s": unit = 1_000_000_000
    case "m": unit = 60_000_000_000
    case "h": unit = 3_600_000_000_000
    case "d": unit = 86_400_000_000_000
    case "w": unit = 604_800_000_000_000
    default: return nil
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    self.init(nanoseconds: product)
  }
}
