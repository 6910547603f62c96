import EgressModel
import Foundation
import Testing

@testable import Storage

@Suite struct ViewTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    let store = try Store(path: scratch.path())
    _ = try store.beginRun(live, at: epoch)
    var record = flow(1, at: epoch.after(1_500_000_000), name: NameEvidence(
      name: DomainName(presentation: "shop.example.com"), source: .dns, confidence: .shared, chain: [DomainName(presentation: "cdn.example.net")]))
    record.vendor = Vendor(name: "Example CDN", category: "cdn", domain: DomainName(presentation: "example.com"), isManyTenant: true)
    record.verdict = Verdict(decision: .denied, reason: "no rule")
    record.findings = [.new, .denied]
    let answer = NameRecord(
      time: epoch, client: IPAddress(v4: 0x0af4_010b), server: IPAddress(v4: 0x0a60_000a), name: DomainName(presentation: "shop.example.com"),
      type: "A", chain: [DomainName(presentation: "cdn.example.net")], addresses: [IPAddress(v4: 0xcb00_710a)], ttl: 5, rcode: "NOERROR")
    let finding = Finding(
      kind: .denied, severity: .warning, title: "title", workload: pod("web-1"), vendor: record.vendor, firstSeen: epoch, lastSeen: epoch,
      rule: RuleReference(policy: "NetworkPolicy/shop/web", rule: 2), enforcement: .reached)
    try store.transaction { [record] tx throws(StorageError) in
      _ = try tx.record(flows: [record])
      try tx.record(names: [answer])
      _ = try tx.record(findings: [finding], at: epoch)
    }
    try store.endRun(at: epoch)
  }

  private func sqlite(_ sql: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
    process.arguments = ["-batch", "-readonly", scratch.path(), sql]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.trimmingCharacters(in: .newlines)
  }

  /// The columns that `Schema` documents.
  private static let columns = [
    "v_flows": """
      run flow start end start_ns end_ns transport source_ip source_port destination_ip destination_port scope packets_out bytes_out \
      packets_in bytes_in state end_reason application name name_source name_confidence names tls proxy encapsulation vendor vendor_category \
      workload_group workload decision verdict findings endpoint backend_ip backend_port
      """,
    "v_endpoints": """
      endpoint workload_group workload_kind namespace workload_name node workload name name_source name_confidence chain address port \
      transport scope application vendor vendor_category vendor_domain vendor_many_tenant ech first_seen last_seen first_seen_ns \
      last_seen_ns flows answered packets_out bytes_out packets_in bytes_in decision verdict
      """,
    "v_names": "client server name type chain addresses ttl rcode first_seen last_seen first_seen_ns last_seen_ns count",
    "v_findings": """
      finding kind severity title workload_group workload destination vendor rule reason enforcement first_seen last_seen first_seen_ns \
      last_seen_ns flows bytes_out bytes_in count
      """,
  ]

  @Test(arguments: columns.keys.sorted()) func `a view has the columns that are documented`(view: String) throws {
    let database = try Database(path: scratch.path(), access: .readOnly)
    let names = try database.text("SELECT group_concat(name, ' ') FROM (SELECT name FROM pragma_table_info('\(view)') ORDER BY cid)")
    #expect(names == Self.columns[view])
  }

  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/sqlite3"), "the sqlite3 program is not installed"),
    arguments: [
      (
        "SELECT start, \"end\", transport, source_ip, destination_ip, destination_port, name, name_source, vendor, workload_group, decision, findings FROM v_flows",
        "2026-11-23T04:00:01.500Z|2026-11-23T04:00:02.500Z|tcp|10.244.1.11|203.0.113.10|443|shop.example.com|dns|Example CDN|shop/Deployment/web|denied|new denied"
      ),
      (
        "SELECT workload_group, namespace, workload_name, name, name_source, name_confidence, chain, address, port, vendor_many_tenant, flows, bytes_in, decision FROM v_endpoints",
        "shop/Deployment/web|shop|web-1|shop.example.com|dns|shared|cdn.example.net|203.0.113.10|443|1|1|48211|denied"
      ),
      (
        "SELECT client, server, name, type, chain, addresses, ttl, rcode, last_seen, count FROM v_names",
        "10.244.1.11|10.96.0.10|shop.example.com|A|cdn.example.net|203.0.113.10|5|NOERROR|2026-11-23T04:00:00.000Z|1"
      ),
      (
        "SELECT kind, severity, title, workload_group, vendor, rule, enforcement, count FROM v_findings",
        "denied|warning|title|shop/Deployment/web|Example CDN|NetworkPolicy/shop/web#2|reached|1"
      ),
    ])
  func `people bring their own SQL`(sql: String, expected: String) throws {
    #expect(try sqlite(sql) == expected)
  }

  @Test func `the words of the views are those of the model`() throws {
    let database = try Database(path: scratch.path(), access: .readWrite)
    for source in NameSource.allCases {
      for confidence in Confidence.allCases {
        let trust = NameEvidence(name: DomainName(presentation: "x"), source: source, confidence: confidence).trust
        try database.execute("UPDATE endpoints SET trust = \(trust)")
        #expect(try database.text("SELECT name_source || ' ' || name_confidence FROM v_endpoints") == "\(source.rawValue) \(confidence.rawValue)")
        #expect(try StoreReader(path: scratch.path()).endpoints().first?.name?.source == source)
        #expect(try StoreReader(path: scratch.path()).endpoints().first?.name?.confidence == confidence)
      }
    }
    for number in UInt8.min ... .max {
      try database.execute("UPDATE endpoints SET transport = \(number)")
      #expect(try database.text("SELECT transport FROM v_endpoints") == Transport(rawValue: number).description)
    }
  }
}
