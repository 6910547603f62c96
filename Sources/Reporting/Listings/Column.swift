import EgressModel

/// One value of a row: rounded and shortened for people, exact for spreadsheets.
enum Cell {
  case text(String)
  case count(UInt64)
  case bytes(UInt64)
  case time(Timestamp)
  /// Nothing to say: `-` for people, an empty field for spreadsheets.
  case none

  init(text: String?) { self = text.map(Cell.text) ?? .none }

  init(count: (some BinaryInteger)?) { self = count.map { .count(UInt64(clamping: $0)) } ?? .none }

  init(time: Timestamp?) { self = time.map(Cell.time) ?? .none }

  /// Before escaping.
  var humanText: String {
    switch self {
    case .text(let text): text
    case .count(let count): String(count)
    case .bytes(let count): Quantity.bytes(count)
    case .time(let time): Timestamp(seconds: time.nanoseconds / 1_000_000_000).description
    case .none: "-"
    }
  }

  /// One CSV field, escaped.
  var field: String {
    switch self {
    case .text(let text): Escaping.csv(text)
    case .count(let count), .bytes(let count): String(count)
    case .time(let time): time.description
    case .none: ""
    }
  }

  var isNumber: Bool {
    switch self {
    case .count, .bytes: true
    case .text, .time, .none: false
    }
  }
}

/// One column of a listing.
struct Column<Record: Sendable>: Sendable {
  /// The formats that show the column.
  struct Reach: OptionSet, Sendable {
    let rawValue: Int
    /// `table`, and `markdown` with it.
    static var table: Reach { Reach(rawValue: 1) }
    static var wide: Reach { Reach(rawValue: 2) }
    static var csv: Reach { Reach(rawValue: 4) }
    static var all: Reach { [.table, .wide, .csv] }
    static var people: Reach { [.table, .wide] }
    static var details: Reach { [.wide, .csv] }
  }

  /// Lower case with underscores: the name of the CSV field. People see it in capitals, with spaces.
  var name: String
  var reach: Reach
  var isNumeric: Bool
  /// The least width in a table whose rows are not known beforehand.
  var width: Int
  var colour: (@Sendable (Record) -> Colour?)?
  var cell: @Sendable (Record) -> Cell

  init(
    _ name: String, _ reach: Reach = .all, width: Int = 8, isNumeric: Bool = false, colour: (@Sendable (Record) -> Colour?)? = nil,
    cell: @escaping @Sendable (Record) -> Cell
  ) {
    self.name = name
    self.reach = reach
    self.width = width
    self.isNumeric = isNumeric
    self.colour = colour
    self.cell = cell
  }

  var title: String { name.uppercased().replacing("_", with: " ") }
}

/// The colours of ECMA-48 that a table uses.
enum Colour: String, Sendable {
  case red = "31"
  case green = "32"
  case yellow = "33"
  case cyan = "36"
  case faint = "2"

  func paint(_ text: String) -> String { "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" }
}
