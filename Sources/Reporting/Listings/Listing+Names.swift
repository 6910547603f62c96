public import EgressModel

extension Listing where Record == NameRecord {
  /// `flows --names`, `replay --emit names`: `egress-obs.name.v1`.
  public static var names: Listing {
    Listing(
      "names",
      columns: [
        Column("time", width: 20) { Cell(time: $0.time) },
        Column("client", width: 16) { .text($0.client.description) },
        Column("server", .details, width: 16) { .text($0.server.description) },
        Column("name", width: 36) { .text($0.name.text) },
        Column("type", width: 5) { .text($0.type) },
        Column("rcode") { .text($0.rcode) },
        Column("ttl", isNumeric: true) { Cell(count: $0.ttl) },
        Column("chain", .details, width: 24) { Cell(text: $0.chain.map(\.text).listWording) },
        Column("addresses", width: 16) { Cell(text: $0.addresses.map(\.description).listWording) },
      ],
      json: \.json)
  }
}
