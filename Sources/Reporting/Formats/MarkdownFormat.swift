import EgressModel

/// A GitHub-flavoured Markdown table, then the coverage.
struct MarkdownFormat<Record: Sendable>: FormatWriter {
  private let listing: Listing<Record>
  private let columns: [Column<Record>]
  private var isEmpty = true

  init(_ listing: Listing<Record>) {
    self.listing = listing
    columns = listing.columns.filter { $0.reach.contains(.table) }
  }

  func begin(_ text: inout String) {}

  mutating func append(_ record: Record, to text: inout String) {
    if isEmpty {
      text += "| " + columns.map { $0.title.lowercased() }.joined(separator: " | ") + " |\n"
      text += "|" + columns.map { $0.isNumeric ? " ---: |" : " --- |" }.joined() + "\n"
      isEmpty = false
    }
    text += "| " + columns.map { Escaping.markdownCell($0.cell(record).humanText) }.joined(separator: " | ") + " |\n"
  }

  func end(_ coverage: Coverage?, _ text: inout String) {
    if isEmpty { text += "no \(listing.plural)\n" }
    guard let coverage else { return }
    text += "\n"
    for line in CoverageText.lines(coverage) { text += Escaping.markdownCell(line) + "  \n" }
  }
}
