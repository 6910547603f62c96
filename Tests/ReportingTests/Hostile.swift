import Drift
import EgressModel
import Policy
@testable import Reporting
import Testing

/// Records of every kind whose every text is out to break the format it is written in.
enum Hostile {
  static let texts = [
    "=cmd|' /C calc'!A0", "a\u{1b}[2Jb", "x\",\"y\r\nz", "</failure><script>alert(1)</script>", "]]>&amp;", "a|b`c``d", "\u{202e}gpj.exe", "@everyone",
    "{\"a\":1}\n{", "\u{0}\u{b}\u{fffe}", "\"\u{301},", "名前", "-", "",
  ]

  /// A different text at each call.
  struct Source {
    private var index = 0

    mutating func text() -> String {
      index += 1
      return texts[index % texts.count]
    }

    mutating func name(_ confidence: Confidence = .confirmed, _ source: NameSource = .tlsSNI) -> NameEvidence {
      let name = DomainName(octets: (text() + ".example").utf8) ?? DomainName(presentation: ".")
      return NameEvidence(name: name, source: source, confidence: confidence, chain: [DomainName(octets: "b b".utf8)].compactMap(\.self))
    }

    mutating func workload() -> Workload {
      Workload(kind: .pod, namespace: text(), name: text(), uid: text(), owner: .init(kind: text(), name: text()), node: text())
    }

    mutating func destination() -> Destination {
      Destination(address: IPAddress(v4: 0xcb00_7109), port: 443, transport: .tcp, names: [name()])
    }

    mutating func verdict(_ decision: Verdict.Decision) -> Verdict {
      Verdict(
        decision: decision, by: decision == .allowed ? [RuleReference(policy: text(), rule: 1)] : [], reason: text(),
        nearest: decision == .denied ? RuleReference(policy: "NetworkPolicy/\(text())", rule: 0) : nil)
    }
  }

  static var flows: [FlowRecord] {
    var source = Source()
    return FlowState.allCases.map { (state: FlowState) -> FlowRecord in
      var flow = FlowRecord(
        id: 1, start: Timestamp(nanoseconds: 1), end: Timestamp(seconds: 2), transport: .udp, source: SocketAddress(ip: IPAddress(v4: 1), port: 2),
        destination: SocketAddress(ip: IPAddress(v4: 0xcb00_7109)), out: FlowCounters(packets: .max, bytes: .max), in: FlowCounters(), state: state,
        application: Application(rawValue: source.text()), names: [source.name(), source.name(.hint, .ptr)],
        tls: TLSFacts(sni: source.name().name, alpn: [source.text()], version: source.text(), ja4: source.text(), ech: .outer),
        proxy: ProxyTarget(kind: .httpConnect, target: source.name().name, port: 1, innerName: source.name().name), encapsulation: [source.text()])
      flow.workload = source.workload()
      flow.vendor = Vendor(name: source.text(), category: source.text(), domain: source.name().name)
      flow.verdict = source.verdict(.denied)
      flow.findings = [.new, .denied]
      return flow
    }
  }

  static var names: [NameRecord] {
    var source = Source()
    return (0..<14).map { _ in
      NameRecord(
        time: Timestamp(seconds: 1), client: IPAddress(v4: 1), server: IPAddress(v4: 2), name: source.name().name, type: source.text(),
        chain: [source.name().name], addresses: [IPAddress(high: 1, low: 2)], ttl: 5, rcode: source.text())
    }
  }

  static var endpoints: [Endpoint] {
    var source = Source()
    return (0..<28).map { (index: Int) -> Endpoint in
      var endpoint = Endpoint(
        workload: source.workload(), address: IPAddress(v4: 0xcb00_7100 + UInt32(index)), port: 443, transport: .tcp, scope: .external,
        application: .tls, firstSeen: Timestamp(seconds: 1), lastSeen: Timestamp(seconds: 2), flows: 3, answered: UInt64(index % 2),
        out: FlowCounters(packets: 1, bytes: UInt64(index) * 1000))
      if index % 3 != 0 { endpoint.name = source.name() }
      if index % 2 == 0 { endpoint.vendor = Vendor(name: source.text(), category: source.text(), domain: source.name().name) }
      endpoint.verdict = source.verdict(Verdict.Decision.allCases[index % 4])
      return endpoint
    }
  }

  static var coverage: Coverage {
    Coverage(
      from: Timestamp(seconds: 0), until: Timestamp(seconds: 3600), nodes: texts, packets: 9, dropped: 1,
      gaps: texts.map { .init(from: Timestamp(seconds: 1), until: Timestamp(seconds: 2), reason: $0) }, encryptedDNSClients: texts)
  }

  static var report: DriftReport {
    DriftReport(endpoints: endpoints, judge: nil, policies: nil, coverage: coverage) { _, _ in true }
  }

  static var checks: CheckReport {
    var source = Source()
    let expectations: [Verdict.Decision?] = [nil, .allowed, .denied]
    let results = (0..<28).map { (index: Int) -> CheckResult in
      let verdict = source.verdict(Verdict.Decision.allCases[index % 4])
      return CheckResult(
        id: source.text(), workload: source.workload(), destination: source.destination(), verdict: verdict, expected: expectations[index % 3])
    }
    return CheckReport(results: results, policies: PolicySet())
  }

  static var alerts: [AlertSummary] {
    var source = Source()
    return (0..<14).map { _ in
      AlertSummary(
        id: source.text(), time: Timestamp(seconds: 1), finding: .new, severity: .critical, title: source.text(), hook: source.text(),
        state: source.text(), attempts: 3, nextAttempt: Timestamp(seconds: 9), lastError: source.text())
    }
  }

  static var diagnoses: [Diagnosis] {
    var source = Source()
    return Diagnosis.Status.allCases.map { Diagnosis(check: source.text(), status: $0, detail: source.text(), nextStep: source.text()) }
  }

  /// Every kind of record in one format, with how many records there are.
  static func renderings(_ format: OutputFormat, style: TextStyle = TextStyle()) -> [(kind: String, count: Int, text: String)] {
    let report = report
    let checks = checks
    return [
      ("flows", flows.count, Listing.flows.render(flows, as: format, style: style, coverage: coverage)),
      ("names", names.count, Listing.names.render(names, as: format, style: style, coverage: coverage)),
      ("vendors", report.vendors.count, report.renderVendors(as: format, style: style)),
      ("findings", report.findings.count, report.render(as: .listing(format), style: style)),
      ("checks", checks.results.count, checks.render(as: .listing(format), style: style)),
      ("alerts", alerts.count, Listing.alerts.render(alerts, as: format, style: style)),
      ("diagnoses", diagnoses.count, Listing.diagnoses.render(diagnoses, as: format, style: style)),
    ]
  }
}
