extension Schema {
  /// By which an endpoint is found.
  static let endpointsKey = "endpoints_key ON endpoints(grp, name, port, transport, address)"

  static let nameColumns = """
    name TEXT NOT NULL, client TEXT NOT NULL, type TEXT NOT NULL, rcode TEXT NOT NULL, addresses TEXT NOT NULL, chain TEXT NOT NULL,
    server TEXT NOT NULL, ttl INTEGER, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, count INTEGER NOT NULL
    """
  /// What makes two answers one row.
  static let namesKey = "name, client, type, rcode, addresses, chain"

  // Few indexes, since each costs every insert. `facts` interns what many rows share (workloads, vendors, verdicts), as JSON.
  // A port of -1 stands for a transport without ports, and a name of '' for none, so that both can be part of a unique key.
  static let tables1 = """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE runs(
      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, node TEXT, version TEXT NOT NULL, interfaces TEXT NOT NULL,
      started INTEGER, heartbeat INTEGER, ended INTEGER,
      packets INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0,
      evicted INTEGER NOT NULL DEFAULT 0, undecoded INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE minutes(
      run INTEGER NOT NULL, minute INTEGER NOT NULL, packets INTEGER NOT NULL, dropped INTEGER NOT NULL,
      evicted INTEGER NOT NULL, undecoded INTEGER NOT NULL, PRIMARY KEY(run, minute)) WITHOUT ROWID;
    CREATE TABLE gaps(
      run INTEGER NOT NULL, since INTEGER NOT NULL, reason TEXT NOT NULL, until INTEGER NOT NULL,
      PRIMARY KEY(run, since, reason)) WITHOUT ROWID;

    CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE facts(id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);

    CREATE TABLE endpoints(
      id INTEGER PRIMARY KEY, grp INTEGER NOT NULL, name TEXT NOT NULL, port INTEGER NOT NULL, transport INTEGER NOT NULL,
      address TEXT NOT NULL, workload INTEGER NOT NULL, trust INTEGER NOT NULL, chain TEXT,
      scope TEXT NOT NULL, application TEXT, vendor INTEGER, ech TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
      flows INTEGER NOT NULL, answered INTEGER NOT NULL, packets_out INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
      packets_in INTEGER NOT NULL, bytes_in INTEGER NOT NULL, verdict INTEGER);
    CREATE UNIQUE INDEX \(endpointsKey);

    CREATE TABLE flows(
      id INTEGER PRIMARY KEY, run INTEGER NOT NULL, flow INTEGER NOT NULL, endpoint INTEGER NOT NULL, start INTEGER NOT NULL,
      end INTEGER NOT NULL, transport INTEGER NOT NULL, source TEXT NOT NULL, source_port INTEGER, address TEXT NOT NULL, port INTEGER,
      packets_out INTEGER NOT NULL, bytes_out INTEGER NOT NULL, packets_in INTEGER NOT NULL, bytes_in INTEGER NOT NULL,
      reported TEXT, state TEXT NOT NULL, end_reason INTEGER, application TEXT, names TEXT, tls TEXT, proxy TEXT,
      encapsulation TEXT, scope TEXT NOT NULL, workload INTEGER, vendor INTEGER, verdict INTEGER, findings TEXT);
    CREATE INDEX flows_end ON flows(end);
    CREATE INDEX flows_endpoint ON flows(endpoint);
    -- Only a flow that still lives is ever looked for by its id.
    CREATE INDEX flows_live ON flows(run, flow) WHERE (end_reason IS NULL OR end_reason = 2);

    CREATE TABLE names(\(nameColumns), PRIMARY KEY(\(namesKey))) WITHOUT ROWID;

    CREATE TABLE findings(
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, run INTEGER NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL,
      title TEXT NOT NULL, workload INTEGER, destination TEXT, vendor INTEGER, first_seen INTEGER, last_seen INTEGER,
      recorded INTEGER NOT NULL, flows INTEGER NOT NULL, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL, policy TEXT, rule INTEGER,
      reason TEXT, enforcement TEXT, samples TEXT, count INTEGER NOT NULL);

    CREATE TABLE alerts(
      seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hook TEXT NOT NULL, finding INTEGER, topic TEXT NOT NULL, payload TEXT NOT NULL,
      state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_attempt INTEGER NOT NULL, last_error TEXT, created INTEGER NOT NULL,
      delivered INTEGER, suppressed INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX alerts_topic ON alerts(hook, topic);
    CREATE INDEX alerts_pending ON alerts(hook, seq) WHERE state = 'pending';

    CREATE TABLE pointers(address TEXT PRIMARY KEY, name TEXT, expires INTEGER NOT NULL) WITHOUT ROWID;

    """

  static let views1 = """
    CREATE VIEW v_flows AS SELECT
      f.run, f.flow, \(time("f.start")) AS start, \(time("f.end")) AS "end", f.start AS start_ns, f.end AS end_ns,
      \(transport("f.transport")) AS transport, f.source AS source_ip, f.source_port, f.address AS destination_ip,
      f.port AS destination_port, f.scope, f.packets_out, f.bytes_out, f.packets_in, f.bytes_in, f.state, f.end_reason, f.application,
      json_extract(f.names, '$[0].name') AS name, json_extract(f.names, '$[0].source') AS name_source,
      json_extract(f.names, '$[0].confidence') AS name_confidence, f.names, f.tls, f.proxy, f.encapsulation,
      json_extract(v.json, '$.name') AS vendor, json_extract(v.json, '$.category') AS vendor_category, g.name AS workload_group,
      w.json AS workload, json_extract(d.json, '$.decision') AS decision, d.json AS verdict, f.findings, f.endpoint
      FROM flows f LEFT JOIN endpoints e ON e.id = f.endpoint LEFT JOIN groups g ON g.id = e.grp
      LEFT JOIN facts w ON w.id = f.workload LEFT JOIN facts v ON v.id = f.vendor LEFT JOIN facts d ON d.id = f.verdict;

    CREATE VIEW v_endpoints AS SELECT
      e.id AS endpoint, g.name AS workload_group, json_extract(w.json, '$.kind') AS workload_kind,
      json_extract(w.json, '$.namespace') AS namespace, json_extract(w.json, '$.name') AS workload_name,
      json_extract(w.json, '$.node') AS node, w.json AS workload, nullif(e.name, '') AS name,
      CASE WHEN e.name <> '' THEN \(choice("e.trust / 4", sources)) END AS name_source,
      CASE WHEN e.name <> '' THEN \(choice("e.trust % 4", confidences)) END AS name_confidence,
      e.chain, e.address, nullif(e.port, -1) AS port, \(transport("e.transport")) AS transport, e.scope, e.application,
      json_extract(v.json, '$.name') AS vendor, json_extract(v.json, '$.category') AS vendor_category,
      json_extract(v.json, '$.domain') AS vendor_domain, json_extract(v.json, '$.many_tenant') AS vendor_many_tenant, e.ech,
      \(time("e.first_seen")) AS first_seen, \(time("e.last_seen")) AS last_seen, e.first_seen AS first_seen_ns,
      e.last_seen AS last_seen_ns, e.flows, e.answered, e.packets_out, e.bytes_out, e.packets_in, e.bytes_in,
      json_extract(d.json, '$.decision') AS decision, d.json AS verdict
      FROM endpoints e LEFT JOIN groups g ON g.id = e.grp LEFT JOIN facts w ON w.id = e.workload
      LEFT JOIN facts v ON v.id = e.vendor LEFT JOIN facts d ON d.id = e.verdict;

    CREATE VIEW v_names AS SELECT
      client, server, name, type, nullif(chain, '') AS chain, nullif(addresses, '') AS addresses, ttl, rcode,
      \(time("n.first_seen")) AS first_seen, \(time("n.last_seen")) AS last_seen, n.first_seen AS first_seen_ns,
      n.last_seen AS last_seen_ns, count
      FROM names n;

    CREATE VIEW v_findings AS SELECT
      f.id AS finding, f.kind, f.severity, f.title, json_extract(w.json, '$.group') AS workload_group, w.json AS workload, f.destination,
      json_extract(v.json, '$.name') AS vendor, f.policy || '#' || f.rule AS rule, f.reason, f.enforcement,
      \(time("f.first_seen")) AS first_seen, \(time("f.last_seen")) AS last_seen, f.first_seen AS first_seen_ns,
      f.last_seen AS last_seen_ns, f.flows, f.bytes_out, f.bytes_in, f.count
      FROM findings f LEFT JOIN facts w ON w.id = f.workload LEFT JOIN facts v ON v.id = f.vendor;
    """

  // What a migration says is frozen with it, so these lists are written out and do not follow the enumerations.
  private static let sources = ["tls_sni", "quic_sni", "http_host", "http_connect", "socks", "dns", "certificate", "ptr"]
  private static let confidences = ["confirmed", "resolved", "shared", "hint"]

  static func time(_ column: String) -> String {
    "strftime('%Y-%m-%dT%H:%M:%fZ', \(column) / 1e9, 'unixepoch')"
  }

  static func transport(_ column: String) -> String {
    "CASE \(column) WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmpv6' WHEN 132 THEN 'sctp' ELSE CAST(\(column) AS TEXT) END"
  }

  private static func choice(_ expression: String, _ words: [String]) -> String {
    "CASE \(expression) " + words.enumerated().map { "WHEN \($0) THEN '\($1)'" }.joined(separator: " ") + " END"
  }
}
