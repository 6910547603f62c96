import EgressModel
import Policy
import Testing

@testable import Reporting

@Suite struct ExplanationReportTests {
  private static let inventory = """
    apiVersion: v1
    kind: Pod
    metadata: {name: web-1, namespace: shop, labels: {app: web}}
    spec: {nodeName: node-1, containers: [{name: main}]}
    status: {phase: Running, podIP: 10.244.1.10}
    """

  /// `blocks` in as many rules.
  private static func policy(_ blocks: [String], name: String = "p") -> String {
    """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: \(name), namespace: shop}
    spec:
      podSelector: {}
      policyTypes: [Egress]
      egress:
    \(blocks.map { "  - to: [{ipBlock: {cidr: \($0)}}]\n    ports: [{port: 443}]\n" }.joined())
    """
  }

  private static func flow(_ manifests: [String], _ destination: Destination, isAddressKnown: Bool = true) throws -> ExplainedFlow {
    var policies = PolicySet()
    for (index, manifest) in manifests.enumerated() { try #require(policies.add(manifest, file: "p\(index).yaml") == []) }
    var reader = InventoryReader()
    try #require(reader.add(inventory, file: "inventory.yaml") == [])
    let workload = Workload(kind: .pod, namespace: "shop", name: "web-1", owner: .init(kind: "Deployment", name: "web"))
    return ExplainedFlow(
      workload: workload, destination: destination, isAddressKnown: isAddressKnown,
      explanation: Judge(policies: policies, inventory: reader.inventory).explain(workload, destination),
      rules: Dictionary(policies.rules.map { ($0.reference, $0) }) { first, _ in first })
  }

  private static func there(_ address: String, _ names: NameEvidence...) throws -> Destination {
    Destination(address: try #require(IPAddress(address)), port: 443, transport: .tcp, names: names)
  }

  private static func text(_ flow: ExplainedFlow, _ format: OutputFormat = .table) -> String { ExplanationReport(flows: [flow], coverage: nil).render(as: format) }

  @Test func `an explanation reads from the look-up to what would have to change`() throws {
    let said = NameEvidence(name: DomainName(presentation: "api.segment.io"), source: .tlsSNI, confidence: .confirmed)
    let text = Self.text(try Self.flow([Self.policy(["198.51.100.0/25"]), Self.policy([], name: "q")], try Self.there("198.51.100.200", said)))
    #expect(
      text == """
        shop/web → api.segment.io:443

        workload    shop/Deployment/web, judged as pod shop/web-1
        looked up   not known without a database (--db)
        names       api.segment.io (sni, confirmed)
        goes to     198.51.100.200:443/tcp, outside the cluster

        by the name it said, api.segment.io: denied
          netpol/shop/p (p0.yaml)
            #0 to 198.51.100.0/25 ports 443/tcp
               fails: 198.51.100.200 is not in 198.51.100.0/25 (the nearest)
          netpol/shop/q
            selects it, and has no rule to ask

        verdict     denied: no rule allows it
        to allow it netpol/shop/p#0 (p0.yaml:8) came nearest: 198.51.100.200 is not in 198.51.100.0/25

        """)
  }

  @Test func `of many rules that fail the first are shown and the nearest, and all when all are wanted`() throws {
    let flow = try Self.flow([Self.policy((0..<10).map { "192.0.2.\($0)/32" })], try Self.there("198.51.100.200"))
    let (short, long) = (Self.text(flow), Self.text(flow, .wide))
    #expect(short.contains("… and 3 more that fail (-o wide shows them)"))
    #expect(short.split(separator: "\n").count { $0.contains("fails: ") } == 7)
    #expect(long.split(separator: "\n").count { $0.contains("fails: ") } == 10)
    #expect(!long.contains("more that fail"))
  }

  @Test func `without an address nothing is said to be denied, and a rule about the name still allows`() throws {
    let unknown = DomainName(presentation: "api.example.com")
    let there = try Self.there("0.0.0.0", NameEvidence(name: unknown, source: .tlsSNI, confidence: .confirmed))
    let denied = try Self.flow([Self.policy(["198.51.100.0/25"])], there, isAddressKnown: false)
    #expect(denied.explanation.verdict.decision == .undecidable)
    #expect(Self.text(denied).contains("verdict     undecidable: no address of api.example.com is known"))
    #expect(denied.json["destination"]?["ip"] == nil)
    let own = "{apiVersion: egress-obs.dev/v1, kind: EgressPolicy, metadata: {name: e, namespace: shop}, spec: {select: {pods: {}}, allow: [{names: [api.example.com]}]}}"
    #expect(try Self.flow([own], there, isAddressKnown: false).explanation.verdict.decision == .allowed)
  }

  @Test func `what a name said is escaped on its way to a terminal`() throws {
    let name = try #require(DomainName(octets: Array("a\u{1b}[31m.example".utf8)))
    let text = Self.text(try Self.flow([Self.policy(["198.51.100.0/25"])], try Self.there("198.51.100.200", NameEvidence(name: name, source: .tlsSNI, confidence: .confirmed))))
    #expect(!text.contains("\u{1b}") && text.contains("a\\027"))
  }
}
