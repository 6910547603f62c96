import EgressModel

/// [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180) with a header: exact values, every column, one table and nothing else.
struct CSVFormat<Record: Sendable>: FormatWriter {
  private let columns: [Column<Record>]

  init(_ listing: Listing<Record>) { columns = listing.columns.filter { $0.reach.contains(.csv) } }

  func begin(_ text: inout String) {
    text += columns.map(\.name).joined(separator: ",") + "\r\n"
  }

  func append(_ record: Record, to text: inout String) {
    text += columns.map { $0.cell(record).field }.joined(separator: ",")
    text += "\r\n"
  }

  func end(_ coverage: Coverage?, _ text: inout String) {}
}
