import Drift
import EgressModel
import Policy
import Testing

/// A small shop: two deployments, policies in both dialects, endpoints around them.
enum Shop {
  static let manifests = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: web, namespace: shop}
    spec:
      podSelector: {matchLabels: {app: web}}
      policyTypes: [Egress]
      egress:
      - to: [{ipBlock: {cidr: 203.0.113.0/24}}]
        ports: [{port: 443}]
      - to: [{ipBlock: {cidr: 0.0.0.0/0}}]
        ports: [{port: 8443}]
      - to: [{ipBlock: {cidr: 198.51.100.0/24}}]
        ports: [{port: 25}]
    ---
    apiVersion: egress-obs.dev/v1
    kind: EgressPolicy
    metadata: {name: pay, namespace: shop}
    spec:
      select: {pods: {podSelector: {matchLabels: {app: pay}}}}
      allow:
      - names: [api.stripe.example, "*.cdn.example"]
        ports: [443]
      - names: ["*.co.uk"]
        ports: [443]
    ---
    apiVersion: k8s.ovn.org/v1
    kind: EgressFirewall
    metadata: {name: default, namespace: other}
    spec: {egress: [{type: Deny, to: {cidrSelector: 0.0.0.0/0}}]}
    """

  static let catalogue = "stripe.example\tStripe\tpayments\ncdn.example\tShared CDN\tcdn\tmany-tenant\n"

  static let web = Workload(kind: .pod, namespace: "shop", name: "web-1", owner: .init(kind: "Deployment", name: "web"))
  static let pay = Workload(kind: .pod, namespace: "shop", name: "pay-1", owner: .init(kind: "Deployment", name: "pay"))
  static let free = Workload(kind: .pod, namespace: "shop", name: "free")

  static func policies() throws -> PolicySet {
    var policies = PolicySet()
    let errors = policies.add(manifests, file: "policies/shop.yaml")
    try #require(errors.isEmpty, "\(errors)")
    return policies
  }

  static func judge() throws -> Judge {
    var inventory = Inventory()
    inventory.namespaces = ["shop": NamespaceObject(name: "shop")]
    inventory.pods = [(web, "web"), (pay, "pay"), (free, "free")].map { workload, app in
      Pod(namespace: "shop", name: workload.name, labels: ["app": app], addresses: [], owner: workload.owner)
    }
    return Judge(policies: try policies(), inventory: inventory)
  }

  static func vendors() throws -> VendorCatalogue {
    try VendorCatalogue(sources: [.init(file: "vendors.tsv", text: catalogue)])
  }

  static func name(_ text: String, _ source: NameSource = .tlsSNI, _ confidence: Confidence = .confirmed) -> NameEvidence {
    NameEvidence(name: DomainName(presentation: text), source: source, confidence: confidence)
  }

  static func endpoint(
    _ workload: Workload, _ address: String, _ port: UInt16? = 443, name: NameEvidence? = nil, scope: Scope = .external,
    application: Application? = .tls, ech: TLSFacts.ECH = .none, flows: UInt64 = 1, answered: UInt64 = 1, bytes: UInt64 = 1000,
    transport: Transport = .tcp, at seconds: Int64 = 100
  ) throws -> Endpoint {
    var endpoint = Endpoint(
      workload: workload, name: name, address: try #require(IPAddress(address)), port: port, transport: transport, scope: scope,
      application: application, ech: ech, firstSeen: Timestamp(seconds: seconds), lastSeen: Timestamp(seconds: seconds + 50), flows: flows,
      answered: answered, out: FlowCounters(packets: 1, bytes: bytes), in: FlowCounters(packets: 1, bytes: 10))
    endpoint.vendor = try name.flatMap { try vendors().vendor(for: $0.name) }
    return endpoint
  }
}
