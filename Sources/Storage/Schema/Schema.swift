/// The schema of the database and what marks a file as ours.
///
/// Tables are private. These views are the public face, for people who bring their own SQL; columns are added, never changed.
/// Times are given twice: as RFC 3339 text with milliseconds, and exactly, in nanoseconds since 1970, in the column that ends in `_ns`.
/// Addresses are canonical text, transports and enumerations the words of the flow record, absent facts NULL, lists of names and
/// addresses separated by spaces, and columns that hold JSON say so.
///
/// - `v_flows`: `run`, `flow` (unique in its run), `start`, `end`, `start_ns`, `end_ns`, `transport`, `source_ip`, `source_port`,
///   `destination_ip`, `destination_port`, `scope`, `packets_out`, `bytes_out`, `packets_in`, `bytes_in`, `state`, `end_reason`
///   (IPFIX element 136, NULL while live), `application`, `name`, `name_source`, `name_confidence` (the most trusted name),
///   `names` (JSON), `tls` (JSON), `proxy` (JSON), `encapsulation` (JSON), `vendor`, `vendor_category`, `workload_group`,
///   `workload` (JSON), `decision`, `verdict` (JSON), `findings`, `endpoint`, `backend_ip`, `backend_port`.
/// - `v_endpoints`: `endpoint`, `workload_group`, `workload_kind`, `namespace`, `workload_name`, `node`, `workload` (JSON), `name`,
///   `name_source`, `name_confidence`, `chain`, `address`, `port`, `transport`, `scope`, `application`, `vendor`, `vendor_category`,
///   `vendor_domain`, `vendor_many_tenant`, `ech`, `first_seen`, `last_seen`, `first_seen_ns`, `last_seen_ns`, `flows`, `answered`,
///   `packets_out`, `bytes_out`, `packets_in`, `bytes_in`, `decision`, `verdict` (JSON).
/// - `v_names`: `client`, `server`, `name`, `type`, `chain`, `addresses`, `ttl`, `rcode`, `first_seen`, `last_seen`, `first_seen_ns`,
///   `last_seen_ns`, `count`.
/// - `v_findings`: `finding`, `kind`, `severity`, `title`, `workload_group`, `workload` (JSON), `destination` (JSON), `vendor`, `rule`,
///   `reason`, `enforcement`, `first_seen`, `last_seen`, `first_seen_ns`, `last_seen_ns`, `flows`, `bytes_out`, `bytes_in`, `count`.
enum Schema {
  /// `EGRO`, in `PRAGMA application_id`.
  static let applicationID: Int32 = 0x4547_524f

  static let migrations: [Migration] = [Migration(sql: tables1 + views1), Migration(sql: backends2)]
}
