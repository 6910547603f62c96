/// The formats that every command that lists can write.
public enum OutputFormat: String, CaseIterable, Sendable {
  /// For people.
  case table
  /// For people with wide terminals: every column.
  case wide
  /// One document.
  case json
  /// One JSON object a line.
  case ndjson
  case csv
  /// A table for a pull request or a chat.
  case markdown
}

/// The formats of `report`, `audit` and `check`: those of a list, and two that tools read.
public enum ReportFormat: Hashable, CaseIterable, RawRepresentable, Sendable {
  case listing(OutputFormat)
  /// [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), for code scanning.
  case sarif
  /// JUnit's XML, for CI.
  case junit

  public static var allCases: [ReportFormat] { OutputFormat.allCases.map(listing) + [.sarif, .junit] }

  public init?(rawValue: String) {
    switch rawValue {
    case "sarif": self = .sarif
    case "junit": self = .junit
    default:
      guard let format = OutputFormat(rawValue: rawValue) else { return nil }
      self = .listing(format)
    }
  }

  /// Whether the flows behind a finding are part of it.
  public var showsSamples: Bool { self == .listing(.json) || self == .listing(.ndjson) }

  public var rawValue: String {
    switch self {
    case .listing(let format): format.rawValue
    case .sarif: "sarif"
    case .junit: "junit"
    }
  }
}

/// How text for people may look; the caller knows the terminal and the environment.
public struct TextStyle: Sendable {
  /// Only for a terminal, and not with `NO_COLOR`.
  public var usesColour: Bool
  /// The columns of the terminal; nil when there is none, and then nothing is ever cut.
  public var width: Int?

  public init(usesColour: Bool = false, width: Int? = nil) {
    self.usesColour = usesColour
    self.width = width
  }
}
