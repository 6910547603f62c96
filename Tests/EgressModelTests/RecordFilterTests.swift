import EgressModel
import Testing

@Suite struct RecordFilterTests {
  static let record = FlowRecord(
    id: 1, start: Timestamp(seconds: 100), end: Timestamp(seconds: 200), transport: .tcp,
    source: SocketAddress(ip: IPAddress(v4: 0x0a00_0001), port: 50_000), destination: SocketAddress(ip: IPAddress(v4: 0xcb00_710a), port: 443),
    out: FlowCounters(), in: FlowCounters(), state: .closed,
    names: [NameEvidence(name: DomainName(presentation: "api.stripe.com"), source: .tlsSNI, confidence: .confirmed)],
    workload: Workload(kind: .pod, namespace: "shop", name: "web-1", owner: Workload.Owner(kind: "Deployment", name: "web")),
    vendor: Vendor(name: "Stripe", category: "payments", domain: DomainName(presentation: "stripe.com")),
    verdict: Verdict(decision: .allowed), findings: [.wide])

  @Test(arguments: [
    ([.namespace("shop")], [], true), ([.namespace("pay")], [], false), ([.namespace("pay"), .namespace("shop")], [], true),
    ([.port(443), .port(80), .transport(.tcp)], [], true), ([.port(443), .transport(.udp)], [], false), ([], [.port(443)], false),
    ([], [.port(80)], true), ([.workload(kind: "deployment", name: "web")], [], true), ([.workload(kind: "pod", name: "web-1")], [], true),
    ([.workload(kind: nil, name: "web")], [], true), ([.workload(kind: "StatefulSet", name: "web")], [], false),
    ([.name(Glob("203.0.113.*"))], [], true), ([.name(Glob("stripe.com"))], [], false),
    ([.vendor(Glob("str*"))], [], true), ([.verdict(.allowed), .finding(.wide)], [], true), ([.finding(.new)], [], false),
  ] as [([RecordFilter.Criterion], [RecordFilter.Criterion], Bool)])
  func `alternatives of one kind, all kinds together, none excluded`(
    including: [RecordFilter.Criterion], excluding: [RecordFilter.Criterion], expected: Bool
  ) {
    #expect(RecordFilter(including: including, excluding: excluding).matches(Self.record.filterSubject) == expected)
  }

  @Test(arguments: [(nil, nil, true), (200, nil, true), (201, nil, false), (nil, 101, true), (nil, 100, false)] as [(Int64?, Int64?, Bool)])
  func `a record is in a window that it touches`(since: Int64?, until: Int64?, expected: Bool) {
    let filter = RecordFilter(since: since.map { Timestamp(seconds: $0) }, until: until.map { Timestamp(seconds: $0) })
    #expect(filter.matches(Self.record.filterSubject) == expected)
  }

  @Test(arguments: [
    ("", "", true), ("*", "", true), ("", "a", false), ("a*c", "abbc", true), ("a*c", "abbd", false), ("*a*b*", "xxaxxbxx", true),
    ("?", "", false), ("a?c", "abc", true), ("*.com", "a.b.com", true), ("**", "x", true),
  ])
  func `a glob`(pattern: String, text: String, expected: Bool) {
    #expect(Glob(pattern).matches(text) == expected)
  }

  @Test func `a hostile glob over a long text ends`() {
    #expect(!Glob(String(repeating: "*a", count: 200) + "b").matches(String(repeating: "a", count: 5000)))
  }
}
