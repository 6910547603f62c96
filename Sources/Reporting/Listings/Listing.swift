public import EgressModel

/// How records of one kind are shown in every format: their columns for people and spreadsheets, their JSON for machines.
///
/// A new kind of record gets a listing; a new format gets a file in Formats and a case in `ListingWriter`.
public struct Listing<Record: Sendable>: Sendable {
  /// What the records are called, in the plural: the member that holds them in a JSON document.
  public let plural: String
  /// Whether tables have a line of column titles.
  let hasTitles: Bool
  let columns: [Column<Record>]
  let json: @Sendable (Record) -> JSONValue

  init(_ plural: String, hasTitles: Bool = true, columns: [Column<Record>], json: @escaping @Sendable (Record) -> JSONValue) {
    self.plural = plural
    self.hasTitles = hasTitles
    self.columns = columns
    self.json = json
  }

  /// All of it at once, with a line break at the end. Tables are as wide as their longest cells.
  public func render(
    _ records: some Collection<Record>, as format: OutputFormat, style: TextStyle = TextStyle(), coverage: Coverage? = nil
  ) -> String {
    var writer = ListingWriter(self, format: format, style: style, widths: .fitting(Array(records)))
    var text = writer.begin()
    for record in records { writer.append(record, to: &text) }
    return text + writer.end(coverage: coverage)
  }
}

/// Writes a listing record by record, for `-f` and for what does not fit in memory.
///
/// The texts of `begin`, every `append` and `end`, one after the other, are the output. `ndjson` flushes well after each record;
/// `json` is one document that is whole only after `end`. A table's columns have fixed widths unless all records are known.
public struct ListingWriter<Record: Sendable>: Sendable {
  enum Widths {
    case fixed
    case fitting([Record])
  }

  private var format: any FormatWriter<Record>

  public init(_ listing: Listing<Record>, format: OutputFormat, style: TextStyle = TextStyle()) {
    self.init(listing, format: format, style: style, widths: .fixed)
  }

  init(_ listing: Listing<Record>, format: OutputFormat, style: TextStyle, widths: Widths) {
    self.format =
      switch format {
      case .table: TableFormat(listing, reach: .table, style: style, widths: widths)
      case .wide: TableFormat(listing, reach: .wide, style: style, widths: widths)
      case .json: JSONFormat(listing)
      case .ndjson: NDJSONFormat(listing)
      case .csv: CSVFormat(listing)
      case .markdown: MarkdownFormat(listing)
      }
  }

  /// What stands before the first record: titles, an opening bracket, or nothing.
  public mutating func begin() -> String {
    var text = ""
    format.begin(&text)
    return text
  }

  public mutating func append(_ record: Record, to text: inout String) { format.append(record, to: &text) }

  /// What stands after the last record. `coverage` has no place in CSV, which would no longer be one table; print `CoverageText` elsewhere.
  public mutating func end(coverage: Coverage? = nil) -> String {
    var text = ""
    format.end(coverage, &text)
    return text
  }
}

/// What a format of listings does.
protocol FormatWriter<Record>: Sendable {
  associatedtype Record: Sendable
  mutating func begin(_ text: inout String)
  mutating func append(_ record: Record, to text: inout String)
  mutating func end(_ coverage: Coverage?, _ text: inout String)
}
