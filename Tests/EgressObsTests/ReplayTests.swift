import Foundation
import Testing

/// The shipped sample through every command. What must come out is written in Examples/README.md, from how the capture was made.
@Suite struct ReplayTests {
  private let scratch: TemporaryDirectory
  private let recorded: Database

  init() throws {
    scratch = try TemporaryDirectory()
    recorded = Database(path: scratch / "shop.db")
  }

  /// The sample's flows but those to the cluster's DNS: owner, destination, name, source of the name, verdict, rule.
  static let story = """
    shop/web 203.0.113.80:443 assets.shop.example.com tls_sni allowed NetworkPolicy/shop/web-egress#0
    shop/web 203.0.113.80:443 assets.shop.example.com tls_sni allowed NetworkPolicy/shop/web-egress#0
    shop/web 203.0.113.80:443 tags.tracker.example.net tls_sni allowed NetworkPolicy/shop/web-egress#0
    shop/web 203.0.113.80:443 tags.tracker.example.net dns allowed NetworkPolicy/shop/web-egress#0
    shop/web 2001:db8:80::80:443 assets.shop.example.com tls_sni denied -
    shop/web 10.244.1.14:8080 cart.shop.svc.cluster.local http_host allowed NetworkPolicy/shop/web-egress#1
    shop/checkout 198.51.100.10:443 api.stripe.com tls_sni allowed NetworkPolicy/shop/checkout-egress#0
    shop/checkout 10.244.1.21:9090 worker.payments.svc.cluster.local http_host allowed NetworkPolicy/shop/checkout-egress#1
    shop/checkout 198.51.100.200:443 api.segment.io tls_sni denied -
    shop/cart 10.244.1.15:6379 cart-db-0.cart-db.shop.svc.cluster.local dns allowed NetworkPolicy/shop/cart-egress#0
    shop/cart 192.0.2.30:443 hooks.slack.com dns denied -
    shop/cart 192.0.2.99:5432 - - denied -
    payments/worker 198.51.100.11:443 api.stripe.com tls_sni allowed EgressPolicy/payments/worker#0
    payments/worker 203.0.113.150:443 o450.ingest.sentry.io tls_sni denied -
    payments/worker 203.0.113.222:443 - - denied -
    payments/settlement 198.51.100.140:443 settlement-exports.s3.eu-west-1.amazonaws.com tls_sni allowed EgressPolicy/payments/settlement#0
    payments/settlement 192.0.2.22:22 sftp.bank.example.org dns allowed EgressPolicy/payments/settlement#1
    monitoring/datadog-agent 203.0.113.40:443 agent-http-intake.logs.datadoghq.com tls_sni allowed NetworkPolicy/monitoring/agent-egress#0
    monitoring/datadog-agent 192.0.2.123:123 0.datadog.pool.ntp.org dns allowed NetworkPolicy/monitoring/agent-egress#0
    monitoring/datadog-agent 169.254.169.254:80 - - allowed NetworkPolicy/monitoring/agent-egress#0
    build/runner 2001:db8:60::60:443 registry-1.docker.io tls_sni unprotected -
    build/runner 203.0.113.81:80 deb.debian.org http_host unprotected -
    build/runner 192.0.2.53:853 dns.quad9.net tls_sni unprotected -
    """

  private func replay(_ arguments: String...) throws -> [[String: Any]] {
    let outcome = try Program.egressObs(["replay", Sample.capture, "-o", "ndjson"] + arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try objects(outcome.output)
  }

  private func record() throws {
    let outcome = try Program.egressObs(["replay", Sample.capture, "--db", recorded.path, "--emit", "nothing"] + Sample.declared)
    try #require(outcome.status == 0 && outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
  }

  /// How the story tells of a flow; an address said as a name is no name.
  private func line(_ flow: [String: Any]) -> String {
    let rule = (flow.at("verdict", "by") as? [[String: Any]])?.first.map { "\($0.text("policy") ?? "")#\($0.number("rule") ?? -1)" }
    let isNamed = ((flow["names"] as? [[String: Any]])?.first?.text("confidence") ?? "hint") != "hint"
    return [
      "\(flow.text("workload", "namespace") ?? "")/\(flow.text("workload", "owner", "name") ?? "")",
      "\(flow.text("destination", "ip") ?? ""):\(flow.number("destination", "port") ?? 0)", isNamed ? flow.text("name") : nil,
      isNamed ? flow.text("name_source") : nil, flow.text("verdict", "decision"), rule,
    ].map { $0 ?? "-" }.joined(separator: " ")
  }

  @Test func `every flow of the sample has the name, the verdict and the rule that it was made with`() throws {
    let flows = try replay("--inventory", Sample.inventory, "--policies", Sample.policies)
    let told = flows.filter { $0.number("destination", "port") != 53 }.map(line).sorted()
    #expect(told == Self.story.split(separator: "\n").map(String.init).sorted())

    let lookups = flows.filter { $0.number("destination", "port") == 53 }
    #expect(lookups.allSatisfy { $0.text("application") == "dns" && $0.text("state") == "answered" && $0.text("scope") == "cluster" })
    #expect(Set(lookups.filter { $0.text("workload", "namespace") == "shop" }.map(line)).allSatisfy { $0.hasSuffix("NetworkPolicy/shop/allow-dns#0") })
    // The capture holds 476 frames, and each belongs to one flow.
    #expect(flows.reduce(0) { $0 + ($1.number("packets", "out") ?? 0) + ($1.number("packets", "in") ?? 0) } == 476)
  }

  @Test func `names come with their evidence, states with what happened, vendors with whose the name is`() throws {
    let flows = try replay("--inventory", Sample.inventory, "--policies", Sample.policies)
    func flow(_ address: String, _ workload: String) throws -> [String: Any] {
      try #require(flows.first { $0.text("destination", "ip") == address && $0.text("workload", "owner", "name") == workload })
    }
    func evidence(_ flow: [String: Any]) -> [String] {
      (flow["names"] as? [[String: Any]] ?? []).map {
        "\($0.text("name") ?? "") \($0.text("source") ?? "") \($0.text("confidence") ?? "") \(($0["chain"] as? [String] ?? []).joined(separator: " "))"
      }
    }
    #expect(
      evidence(try flow("203.0.113.40", "datadog-agent")) == [
        "agent-http-intake.logs.datadoghq.com tls_sni confirmed ",
        "agent-http-intake.logs.datadoghq.com dns resolved l4-logs-http.agent.datadoghq.com logs-intake.edge.example.net",
      ])
    let ambiguous = try #require(flows.first { $0.text("destination", "ip") == "203.0.113.80" && $0.text("name_source") == "dns" })
    #expect(
      Set(evidence(ambiguous)) == [
        "tags.tracker.example.net dns shared d8k2trackertags.cloudfront.net", "assets.shop.example.com dns shared d3q1shopassets.cloudfront.net",
      ])
    #expect(try flow("192.0.2.30", "cart").text("state") == "unanswered")
    #expect(try flow("192.0.2.99", "cart").text("state") == "refused")
    #expect(try flow("192.0.2.22", "settlement").text("application") == "ssh")
    #expect(try flow("198.51.100.10", "checkout").at("tls", "alpn") as? [String] == ["h2", "http/1.1"])
    #expect(try flow("169.254.169.254", "datadog-agent").text("scope") == "local")
    let vendors = Set(flows.compactMap { $0.text("vendor", "name") })
    #expect(vendors == ["Stripe", "Segment", "Slack", "Sentry", "Amazon S3", "Datadog", "NTP Pool", "Docker Hub", "Debian", "Quad9"])
    // The address was a finished pod's before it was the cart's.
    #expect(try flow("192.0.2.30", "cart").text("workload", "name")?.hasPrefix("cart-") == true)
  }

  /// From the table of Examples/README.md; a denial with how it ended.
  static let findings = [
    "new": [
      "shop/web assets.shop.example.com", "shop/checkout api.segment.io", "shop/cart hooks.slack.com", "shop/cart 192.0.2.99",
      "payments/worker o450.ingest.sentry.io", "payments/worker 203.0.113.222",
      "payments/settlement settlement-exports.s3.eu-west-1.amazonaws.com", "monitoring/datadog-agent agent-http-intake.logs.datadoghq.com",
      "monitoring/datadog-agent 0.datadog.pool.ntp.org", "build/runner registry-1.docker.io", "build/runner deb.debian.org",
      "build/runner dns.quad9.net",
    ],
    "denied": [
      "shop/web assets.shop.example.com reached", "shop/checkout api.segment.io reached", "shop/cart hooks.slack.com blocked",
      "shop/cart 192.0.2.99 blocked", "payments/worker o450.ingest.sentry.io reached", "payments/worker 203.0.113.222 reached",
    ],
    "unprotected": ["build/runner registry-1.docker.io", "build/runner deb.debian.org", "build/runner dns.quad9.net"],
    "wide": [
      "payments/settlement settlement-exports.s3.eu-west-1.amazonaws.com", "monitoring/datadog-agent agent-http-intake.logs.datadoghq.com",
      "monitoring/datadog-agent 0.datadog.pool.ntp.org",
    ],
    "stale": ["NetworkPolicy/shop/checkout-egress#2", "EgressPolicy/payments/worker#1"],
    "unnamed": ["payments/worker 203.0.113.222", "shop/cart 192.0.2.99"],
    "encrypted-dns": ["build/runner dns.quad9.net"],
  ]

  @Test func `a report finds what the sample was made to show, and nothing else`() throws {
    try record()
    let lines = try recorded.report("--inventory", Sample.inventory, "--policies", Sample.policies)
    var found: [String: [String]] = [:]
    for finding in lines.dropLast() {
      let who = "\(finding.text("workload", "namespace") ?? "")/\(finding.text("workload", "owner", "name") ?? "")"
      let whom = finding.text("destination", "name") ?? finding.text("destination", "ip")
      let rule = "\(finding.text("rule", "policy") ?? "")#\(finding.number("rule", "rule") ?? -1)"
      let words = whom.map { [who, $0] + [finding.text("enforcement")].compactMap(\.self) } ?? [rule]
      found[finding.text("finding") ?? "", default: []].append(words.joined(separator: " "))
    }
    for (kind, expected) in Self.findings { #expect(found[kind]?.sorted() == expected.sorted(), "\(kind)") }
    #expect(found.count == Self.findings.count)

    let coverage = try #require(lines.last)
    #expect(coverage.text("schema") == "egress-obs.coverage.v1")
    #expect(coverage.number("packets") == 476)
    #expect(coverage.number("external", "unnamed_flows") == 2)
    #expect((coverage["gaps"] as? [Any])?.isEmpty == true)
  }

  @Test func `looked-up names are listed with their chains`() throws {
    let names = try replay("--emit", "names")
    let datadog = try #require(names.first { $0.text("name") == "agent-http-intake.logs.datadoghq.com" && $0.text("type") == "A" })
    #expect(datadog["chain"] as? [String] == ["l4-logs-http.agent.datadoghq.com", "logs-intake.edge.example.net"])
    #expect(datadog["addresses"] as? [String] == ["203.0.113.40"])
    #expect(datadog.number("ttl") == 60)
    #expect(datadog.text("client") == "10.244.1.31" && datadog.text("server") == "10.96.0.10")
    // Checkout's search list: three suffixes, two families, two names that do not end in cluster.local.
    #expect(names.count { $0.text("rcode") == "NXDOMAIN" } == 12)
  }

  @Test func `with --local only flows of local initiators are egress`() throws {
    let all = try replay()
    let one = try replay("--local", "10.244.1.21", "--local", "10.244.1.22/32")
    #expect(!one.isEmpty && one.count == all.count { ["10.244.1.21", "10.244.1.22"].contains($0.text("source", "ip")) })
    #expect(try replay("--local", "192.168.0.0/16").isEmpty)
    // Without an inventory a workload is known by its address.
    #expect(one.allSatisfy { $0.text("workload", "kind") == "address" && $0["verdict"] == nil })
  }

  @Test(arguments: [
    (["--port", "853"], 1), (["-n", "build", "--not", "--port", "53"], 3), (["--not", "-n", "build", "--name", "*.debian.org"], 0),
    (["--workload", "deployment/web", "--not", "--transport", "udp"], 6), (["--verdict", "denied"], 6), (["--vendor", "Stripe"], 2),
    (["--name", "*.stripe.com", "--not", "--workload", "checkout"], 1), (["--finding", "unnamed"], 2),
    (["--verdict", "denied", "--not", "--finding", "unnamed", "--not", "--name", "*.slack.com"], 3),
    (["--since", "2026-03-02T09:01:02Z", "--not", "--port", "53"], 2), (["--until", "2026-03-02T09:00:01Z", "--port", "443"], 1),
    (["--last", "2"], 2), (["--transport", "udp", "--port", "123"], 1),
  ])
  func `filters choose, and --not turns one around`(filters: [String], count: Int) throws {
    try record()
    let outcome = try Program.egressObs(["flows", "--db", recorded.path, "-o", "ndjson"] + filters)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try objects(outcome.output).count == count)
  }

  @Test func `the exit code says whether a finding of --fail-on is there`() throws {
    try record()
    for command in [["report", "--db", recorded.path], ["replay", Sample.capture, "--emit", "nothing"]] {
      let command = command + Sample.declared
      #expect(try Program.egressObs(command).status == 0)
      #expect(try Program.egressObs(command + ["--fail-on", "bypass"]).status == 0)
      #expect(try Program.egressObs(command + ["--fail-on", "bypass,denied"]).status == 1)
      #expect(try Program.egressObs(command + ["--fail-on", "denied", "-n", "monitoring"]).status == 0)
    }
  }

  @Test func `a capture that ends early is trouble, and what could be read is reported`() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Sample.capture))
    let cut = scratch / "cut.pcap"
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: cut))
    let outcome = try Program.egressObs("replay", cut, "-o", "ndjson", "--db", recorded.path)
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("egress-obs: \(cut) ends early"))
    let flows = try objects(outcome.output)
    #expect(flows.contains { $0.text("name") == "api.stripe.com" } && flows.count > 10)
    #expect(try recorded.flows().count == flows.count)

    let both = try Program.egressObs("replay", cut, Sample.capture, "-o", "ndjson")
    #expect(both.status == 2)
    #expect(try objects(both.output).contains { $0.text("name") == "dns.quad9.net" })
  }

  @Test func `a capture is read from standard input`() throws {
    let outcome = try Program.egressObs(["replay", "-", "-o", "ndjson"] + Sample.declared, inputFile: Sample.capture)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try objects(outcome.output).filter { $0.number("destination", "port") != 53 }.map(line).count == 23)
    let cut = try Program.egressObs(["replay", "-"], input: "not a capture")
    #expect(cut.status == 2 && cut.errors.hasPrefix("egress-obs: "), "\(cut)")
  }

  @Test func `policies and inventory are read from standard input`() throws {
    let policy = try String(contentsOfFile: Sample.policies + "/shop.yaml", encoding: .utf8)
    let outcome = try Program.egressObs(
      ["replay", Sample.capture, "--inventory", Sample.inventory, "--policies", "-", "-o", "ndjson", "-n", "shop", "--verdict", "denied"], input: policy)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try objects(outcome.output).count == 4)
  }

  @Test func `the given flows are judged as expected, and a difference is listed`() throws {
    let flows = Sample.root + "/Examples/flows.ndjson"
    let command = ["check", "--flows", flows] + Sample.declared
    let expected = Sample.root + "/Examples/expected.ndjson"
    let good = try Program.egressObs(command + ["--expect", expected])
    #expect(good.status == 0, "\(good.errors)")
    let wrong = try String(contentsOfFile: expected, encoding: .utf8)
      .replacing(#"{"id": "web-assets", "decision": "allowed"}"#, with: #"{"id": "web-assets", "decision": "denied"}"#)
    let bad = try Program.egressObs(command + ["--expect", try scratch.file("wrong.ndjson", wrong)])
    #expect(bad.status == 1)
    #expect(bad.errors == "egress-obs: web-assets: expected denied, is allowed\n")
    let verdicts = try objects(try Program.egressObs(command + ["-o", "ndjson"]).output)
    let ids = try objects(String(contentsOfFile: flows, encoding: .utf8)).map { $0.text("id") }
    #expect(verdicts.map { $0.text("id") } == ids)
  }
}
