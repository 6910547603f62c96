import Drift
public import EgressModel

extension Listing where Record == FlowRecord {
  /// `flows`, `replay`, `watch`: `egress-obs.flow.v1`.
  public static var flows: Listing {
    Listing(
      "flows",
      columns: [
        Column("start", width: 20) { Cell(time: $0.start) },
        Column("end", .details, width: 20) { Cell(time: $0.end) },
        Column("workload", .people, width: 24) { .text($0.workload?.shortName ?? $0.source.ip.description) },
        Column("workload_kind", .csv) { Cell(text: $0.workload?.kind.rawValue) },
        Column("namespace", .csv) { Cell(text: $0.workload?.namespace) },
        Column("workload", .csv) { Cell(text: $0.workload?.name) },
        Column("owner", .csv) { Cell(text: $0.workload?.owner.map { "\($0.kind)/\($0.name)" }) },
        Column("node", .csv) { Cell(text: $0.workload?.node) },
        Column("source", .wide, width: 22) { .text($0.source.description) },
        Column("source_ip", .csv) { .text($0.source.ip.description) },
        Column("source_port", .csv) { Cell(count: $0.source.port) },
        Column("destination", .people, width: 36) { .text($0.judged.label) },
        Column("address", .wide, width: 22) { .text($0.destination.description) },
        Column("destination_ip", .csv) { .text($0.destination.ip.description) },
        Column("destination_port", .csv) { Cell(count: $0.destination.port) },
        Column("transport", .details) { .text($0.transport.description) },
        Column("scope", .details) { .text($0.scope.rawValue) },
        Column("application", .details) { Cell(text: $0.application?.rawValue) },
        Column("named_by", .people, width: 12) { Cell(text: $0.name?.wording) },
        Column("name", .csv) { Cell(text: $0.name?.name.text) },
        Column("name_source", .csv) { Cell(text: $0.name?.source.rawValue) },
        Column("confidence", .csv) { Cell(text: $0.name?.confidence.rawValue) },
        Column("chain", .csv) { Cell(text: ($0.name?.chain ?? []).map(\.text).listWording) },
        Column("alpn", .csv) { Cell(text: ($0.tls?.alpn ?? []).listWording) },
        Column("tls_version", .csv) { Cell(text: $0.tls?.version) },
        Column("ja4", .csv) { Cell(text: $0.tls?.ja4) },
        Column("ech", .csv) { Cell(text: $0.tls?.ech.rawValue) },
        Column("proxy", .csv) { Cell(text: $0.proxy?.kind.rawValue) },
        Column("proxy_target", .csv) { Cell(text: $0.proxy?.target.text) },
        Column("proxy_port", .csv) { Cell(count: $0.proxy?.port) },
        Column("encapsulation", .csv) { Cell(text: $0.encapsulation.listWording) },
        Column("backend", .csv) { Cell(text: $0.backend?.description) },
        Column("vendor", .details, width: 16) { Cell(text: $0.vendor?.name) },
        Column("category", .csv) { Cell(text: $0.vendor?.category) },
        Column("state", width: 11) { .text($0.state.rawValue) },
        Column("packets_out", .details, isNumeric: true) { .count($0.out.packets) },
        Column("packets_in", .details, isNumeric: true) { .count($0.in.packets) },
        Column("bytes_out", isNumeric: true) { .bytes($0.out.bytes) },
        Column("bytes_in", isNumeric: true) { .bytes($0.in.bytes) },
        Column("verdict", width: 11, colour: { $0.verdict?.decision.colour }) { Cell(text: $0.verdict?.decision.rawValue) },
        Column("rules", .wide, width: 24) { Cell(text: $0.verdict?.ruleWording) },
        Column("rules", .csv) { Cell(text: ($0.verdict?.by ?? []).map(\.description).listWording) },
        Column("reason", .csv) { Cell(text: $0.verdict?.reason) },
        Column("findings") { Cell(text: $0.findings.map(\.rawValue).listWording) },
      ],
      json: \.json)
  }
}
