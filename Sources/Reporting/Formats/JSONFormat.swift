import EgressModel

/// `{"schema":"egress-obs.flows.v1","flows":[…],"coverage":{…}}`, one record a line.
struct JSONFormat<Record: Sendable>: FormatWriter {
  private let listing: Listing<Record>
  private var isFirst = true

  init(_ listing: Listing<Record>) { self.listing = listing }

  func begin(_ text: inout String) {
    text += "{\"schema\":\"egress-obs.\(listing.plural).v1\",\"\(listing.plural)\":["
  }

  mutating func append(_ record: Record, to text: inout String) {
    text += isFirst ? "\n" : ",\n"
    isFirst = false
    text += listing.json(record).text
  }

  func end(_ coverage: Coverage?, _ text: inout String) {
    text += isFirst ? "]" : "\n]"
    if let coverage { text += ",\n\"coverage\":" + coverage.json.text }
    text += "}\n"
  }
}
