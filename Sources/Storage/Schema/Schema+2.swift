extension Schema {
  /// What a Service's address was translated to: `backend_ip` and `backend_port` of `v_flows`.
  static let backends2 = """
    ALTER TABLE flows ADD COLUMN backend TEXT;
    ALTER TABLE flows ADD COLUMN backend_port INTEGER;

    DROP VIEW v_flows;
    CREATE VIEW v_flows AS SELECT
      f.run, f.flow, \(time("f.start")) AS start, \(time("f.end")) AS "end", f.start AS start_ns, f.end AS end_ns,
      \(transport("f.transport")) AS transport, f.source AS source_ip, f.source_port, f.address AS destination_ip,
      f.port AS destination_port, f.scope, f.packets_out, f.bytes_out, f.packets_in, f.bytes_in, f.state, f.end_reason, f.application,
      json_extract(f.names, '$[0].name') AS name, json_extract(f.names, '$[0].source') AS name_source,
      json_extract(f.names, '$[0].confidence') AS name_confidence, f.names, f.tls, f.proxy, f.encapsulation,
      json_extract(v.json, '$.name') AS vendor, json_extract(v.json, '$.category') AS vendor_category, g.name AS workload_group,
      w.json AS workload, json_extract(d.json, '$.decision') AS decision, d.json AS verdict, f.findings, f.endpoint,
      f.backend AS backend_ip, f.backend_port
      FROM flows f LEFT JOIN endpoints e ON e.id = f.endpoint LEFT JOIN groups g ON g.id = e.grp
      LEFT JOIN facts w ON w.id = f.workload LEFT JOIN facts v ON v.id = f.vendor LEFT JOIN facts d ON d.id = f.verdict;

    """
}
