import ArgumentParser
import EgressModel

/// A moment, or a length of time back from now.
enum TimeBound: ExpressibleByArgument {
  case moment(Timestamp)
  case ago(TimeSpan)

  init?(argument: String) {
    if let span = TimeSpan(argument) {
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
