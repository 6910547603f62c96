import ArgumentParser
import EgressModel

/// A length of time as people write it: `90s`, `15m`, `2h`, `7d`, or a sum of these (`1h30m`).
struct Interval: ExpressibleByArgument {
  var nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  static func seconds(_ seconds: Int64) -> Interval { Interval(nanoseconds: seconds * 1_000_000_000) }

  init?(argument: String) {
    var total: Int64 = 0
    var number: Int64?
    var unit = ""
    func add() -> Bool {
      let scale: Int64
      switch unit {
      case "ms": scale = 1_000_000
      case "s": scale = 1_000_000_000
      case "m": scale = 60_000_000_000
      case "h": scale = 3_600_000_000_000
      case "d": scale = 86_400_000_000_000
      default: return false
      }
      guard let value = number else { return false }
      let (product, overflow) = value.multipliedReportingOverflow(by: scale)
      let (sum, carried) = total.addingReportingOverflow(product)
      total = sum
      number = nil
      unit = ""
      return !overflow && !carried
    }
    for character in argument {
      if let digit = character.wholeNumberValue, character.isASCII {
        if !unit.isEmpty, !add() { return nil }
        let (product, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
        guard !overflow, product <= .max - 9 else { return nil }
        number = product + Int64(digit)
      } else {
        unit.append(character)
      }
    }
    guard add() else { return nil }
    nanoseconds = total
  }

  var defaultValueDescription: String {
    let seconds = nanoseconds / 1_000_000_000
    if seconds > 0, seconds % 86_400 == 0 { return "\(seconds / 86_400)d" }
    if seconds > 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    if seconds > 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
  }
}

/// A moment, or a length of time back from now.
enum TimeBound: ExpressibleByArgument {
  case moment(Timestamp)
  case ago(Interval)

  init?(argument: String) {
    if let span = Interval(argument: argument) {
      self = .ago(span)
    } else if let moment = Timestamp(argument) {
      self = .moment(moment)
    } else {
      return nil
    }
  }

  func timestamp(now: Timestamp) -> Timestamp {
    switch self {
    case .moment(let moment): moment
    case .ago(let span): now.adding(nanoseconds: -span.nanoseconds)
    }
  }
}
