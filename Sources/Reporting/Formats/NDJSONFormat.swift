import EgressModel

/// One object a line; the coverage is the last one, of schema `egress-obs.coverage.v1`.
struct NDJSONFormat<Record: Sendable>: FormatWriter {
  private let listing: Listing<Record>

  init(_ listing: Listing<Record>) { self.listing = listing }

  func begin(_ text: inout String) {}

  func append(_ record: Record, to text: inout String) {
    text += listing.json(record).text
    text += "\n"
  }

  func end(_ coverage: Coverage?, _ text: inout String) {
    if let coverage { text += coverage.json.text + "\n" }
  }
}
