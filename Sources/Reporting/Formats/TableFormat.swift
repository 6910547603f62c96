import EgressModel

/// Aligned columns for people, then the coverage.
struct TableFormat<Record: Sendable>: FormatWriter {
  private let listing: Listing<Record>
  private let columns: [Column<Record>]
  private let style: TextStyle
  private let layout: TableLayout
  private var isEmpty = true

  init(_ listing: Listing<Record>, reach: Column<Record>.Reach, style: TextStyle, widths: ListingWriter<Record>.Widths) {
    self.listing = listing
    self.style = style
    let columns = listing.columns.filter { $0.reach.contains(reach) }
    self.columns = columns
    let titled = listing.hasTitles || reach == .wide
    var needed = columns.map { titled ? DisplayWidth.columns($0.title) : 0 }
    switch widths {
    case .fixed:
      for index in needed.indices { needed[index] = max(needed[index], columns[index].width) }
    case .fitting(let records):
      for record in records {
        for index in needed.indices {
          needed[index] = max(needed[index], DisplayWidth.columns(Self.text(columns[index], record)))
        }
      }
    }
    layout = TableLayout(needed: needed, isNumeric: columns.map(\.isNumeric), limit: style.width)
    hasTitles = titled
  }

  private let hasTitles: Bool

  func begin(_ text: inout String) {
    // Titles over nothing look like a failure: they wait for the first record.
  }

  mutating func append(_ record: Record, to text: inout String) {
    if isEmpty, hasTitles { text += layout.line(columns.map(\.title), colours: nil) }
    isEmpty = false
    let colours = style.usesColour ? columns.map { $0.colour?(record) } : nil
    text += layout.line(columns.map { Self.text($0, record) }, colours: colours)
  }

  func end(_ coverage: Coverage?, _ text: inout String) {
    if isEmpty { text += "no \(listing.plural)\n" }
    guard let coverage else { return }
    for line in CoverageText.lines(coverage) { text += Escaping.terminal(line) + "\n" }
  }

  private static func text(_ column: Column<Record>, _ record: Record) -> String { Escaping.terminal(column.cell(record).humanText) }
}

/// Widths of columns, and lines that keep to them.
struct TableLayout: Sendable {
  /// Between columns.
  private static let gap = 2
  /// No column is cut below this.
  private static let least = 8

  private(set) var widths: [Int]
  private let isNumeric: [Bool]
  private let cuts: Bool

  /// `limit` is the width of the terminal. What does not fit is taken from the widest column, again and again, the last column and
  /// numbers coming last; when even that is not enough, lines run over rather than lose a column.
  init(needed: [Int], isNumeric: [Bool], limit: Int?) {
    widths = needed
    self.isNumeric = isNumeric
    cuts = limit != nil
    guard let limit else { return }
    var excess = needed.reduce(0, +) + Self.gap * max(0, needed.count - 1) - limit
    for candidates in [needed.indices.dropLast().filter { !isNumeric[$0] }, Array(needed.indices.suffix(1))] {
      while excess > 0, let widest = candidates.max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.least {
        widths[widest] -= 1
        excess -= 1
      }
    }
  }

  func line(_ cells: [String], colours: [Colour?]?) -> String {
    var line = ""
    // Spaces are written only before something, so that no line ends in them.
    var spaces = 0
    for (index, cell) in cells.enumerated() {
      let shown = cuts && !isNumeric[index] ? DisplayWidth.truncated(cell, to: widths[index]) : cell
      let padding = max(0, widths[index] - DisplayWidth.columns(shown))
      if isNumeric[index] { spaces += padding }
      if !shown.isEmpty {
        line += String(repeating: " ", count: spaces) + (colours?[index]?.paint(shown) ?? shown)
        spaces = 0
      }
      spaces += (isNumeric[index] ? 0 : padding) + Self.gap
    }
    return line + "\n"
  }
}
