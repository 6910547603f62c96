import EgressModel
import Policy
import Testing

@Suite struct SuggestionTests {
  static let manifests = """
    {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
    ---
    {apiVersion: v1, kind: Node, metadata: {name: node-1}, spec: {podCIDR: 10.244.1.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.50.1}]}}
    ---
    {apiVersion: v1, kind: Node, metadata: {name: node-2}, spec: {podCIDR: 10.244.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.50.2}]}}
    ---
    \(pod("shop", "web-1", "web", "10.244.1.10"))
    ---
    \(pod("shop", "web-2", "web", "10.244.1.11"))
    ---
    \(pod("shop", "cart-1", "cart", "10.244.1.12"))
    ---
    \(pod("shop", "cart-2", "cart", "10.244.1.13"))
    ---
    \(pod("pay", "worker-1", "worker", "10.244.1.20"))
    ---
    \(pod("pay", "ledger-1", "ledger", "10.244.1.21"))
    ---
    \(pod("kube-system", "coredns-1", "kube-dns", "10.244.1.30"))
    ---
    \(service("shop", "cart", "cart", "10.96.0.20", "{port: 80, targetPort: 8080}"))
    ---
    \(service("pay", "worker", "worker", "10.96.0.21", "{port: 9000}"))
    ---
    \(service("kube-system", "kube-dns", "kube-dns", "10.96.0.10", "{name: a, port: 53, protocol: UDP}, {name: b, port: 53}"))
    ---
    {apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: {clusterIP: 10.96.0.1, ports: [{port: 443, targetPort: 6443}]}}
    """

  /// With what injection and roll-outs leave on a pod.
  static func pod(_ namespace: String, _ name: String, _ app: String, _ address: String, more: String = "") -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), namespace: \(namespace), labels: {app: \(app), pod-template-hash: x\(name), security.istio.io/tlsMode: istio}, ownerReferences: [{kind: Deployment, name: \(app), controller: true}]}
    spec: {nodeName: node-1, \(more)containers: [{name: main}]}
    status: {phase: Running, podIPs: [{ip: \(address)}]}
    """
  }

  static func service(_ namespace: String, _ name: String, _ app: String, _ address: String, _ ports: String) -> String {
    "{apiVersion: v1, kind: Service, metadata: {name: \(name), namespace: \(namespace)}, spec: {clusterIP: \(address), selector: {app: \(app)}, ports: [\(ports)]}}"
  }

  static let web = Workload(kind: .pod, namespace: "shop", name: "web-1", owner: .init(kind: "Deployment", name: "web"))
  static let subject = SuggestionSubject.pods(namespace: "shop", group: "shop/Deployment/web")

  static func endpoint(
    _ address: String, _ port: UInt16?, _ transport: Transport = .tcp, name: NameEvidence? = nil, application: Application? = nil,
    ech: TLSFacts.ECH = .none, from workload: Workload = web
  ) throws -> Endpoint {
    Endpoint(
      workload: workload, name: name, address: try #require(IPAddress(address)), port: port, transport: transport, scope: .external,
      application: application, ech: ech, firstSeen: Timestamp(seconds: 1_000), lastSeen: Timestamp(seconds: 2_000), flows: 2, answered: 2,
      out: FlowCounters(packets: 3, bytes: 300))
  }

  static func suggest(_ endpoints: [Endpoint], _ dialect: PolicyDialect, for subject: SuggestionSubject = subject, rotating: [DomainName: DomainName] = [:]) throws -> Suggestion {
    try Suggestion(for: subject, from: endpoints, in: dialect, inventory: inventory(manifests), rotating: rotating)
  }

  /// Without comments.
  static func rules(_ suggestion: Suggestion) -> String {
    suggestion.text.split(separator: "\n").filter { !$0.contains("#") }.joined(separator: "\n")
  }

  @Test func `a NetworkPolicy holds labels, observed blocks of what has a name, and single addresses of what nothing names`() throws {
    let suggestion = try Self.suggest(
      [
        Self.endpoint("198.51.100.10", 443, name: name("api.example.com", .confirmed)), Self.endpoint("203.0.113.9", 443),
        Self.endpoint("10.96.0.20", 80, name: name("cart", .resolved, .dns)), Self.endpoint("10.244.1.30", 53, .udp),
        Self.endpoint("2001:db8:1:2::3", 443, name: name("api.example.com", .confirmed)), Self.endpoint("192.0.2.9", 443, name: name("ptr.example.com", .hint, .ptr)),
      ], .networkPolicy)
    #expect(
      Self.rules(suggestion) == """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          name: web-observed-egress
          namespace: shop
        spec:
          podSelector: {matchLabels: {app: web}}
          policyTypes: [Egress]
          egress:
          - to:
            - podSelector: {matchLabels: {app: cart}}
            ports:
            - {protocol: TCP, port: 8080}
          - to:
            - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
              podSelector: {matchLabels: {app: kube-dns}}
            ports:
            - {protocol: UDP, port: 53}
          - to:
            - ipBlock: {cidr: 192.0.2.9/32}
            - ipBlock: {cidr: 198.51.100.0/24}
            - ipBlock: {cidr: 203.0.113.9/32}
            - ipBlock: {cidr: "2001:db8:1::/48"}
            ports:
            - {protocol: TCP, port: 443}
        """)
    #expect(suggestion.text.contains("# NetworkPolicy knows no names"))
    #expect(suggestion.text.contains("# api.example.com, by tls_sni; at 198.51.100.10; 2 flows, 300 bytes out, last 1970-01-01T00:33:20Z"))
    #expect(suggestion.leftOut.isEmpty)
  }

  @Test func `a CiliumNetworkPolicy names what has a name and asks for the look-ups that this takes`() throws {
    let suggestion = try Self.suggest(
      [
        Self.endpoint("198.51.100.10", 443, name: name("api.example.com", .confirmed)), Self.endpoint("10.96.0.10", 53, .udp),
        Self.endpoint("192.168.50.1", 9100), Self.endpoint("192.168.50.2", 9100), Self.endpoint("10.96.0.1", 443), Self.endpoint("192.0.2.1", nil, .icmp),
        Self.endpoint("203.0.113.7", 443, name: name("public.example.net", .confirmed), ech: .outer),
      ], .cilium)
    #expect(
      Self.rules(suggestion) == """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata:
          name: web-observed-egress
          namespace: shop
        spec:
          endpointSelector: {matchLabels: {app: web}}
          egress:
          - toEndpoints:
            - matchLabels: {app: kube-dns, "k8s:io.kubernetes.pod.namespace": kube-system}
            toPorts:
            - ports:
              - {port: "53", protocol: UDP}
              rules:
                dns:
                - matchPattern: "*"
          - toEntities:
            - kube-apiserver
          - toFQDNs:
            - matchName: api.example.com
            toPorts:
            - ports:
              - {port: "443", protocol: TCP}
          - toEntities:
            - host
            - remote-node
            toPorts:
            - ports:
              - {port: "9100", protocol: TCP}
          - toCIDR:
            - 192.0.2.1/32
            icmps:
            - fields:
              - {family: IPv4, type: 8}
          - toCIDR:
            - 203.0.113.7/32
            toPorts:
            - ports:
              - {port: "443", protocol: TCP}
        """)
  }

  @Test func `an EgressPolicy is for units of hosts, too, and rotating names stand as their parent`() throws {
    let unit = Workload(kind: .systemd, name: "app-x\\x2d1.service")
    let names = (1...6).map { "n\($0).cdn.example.com" }
    let endpoints = try names.map { try Self.endpoint("198.51.100.10", 443, name: name($0, .confirmed), from: unit) }
    let parent = DomainName(presentation: "cdn.example.com")
    let suggestion = try Self.suggest(
      endpoints, .egressPolicy, for: SuggestionSubject("systemd/app-x\\x2d1.service", among: endpoints),
      rotating: Dictionary(uniqueKeysWithValues: names.map { (DomainName(presentation: $0), parent) }))
    #expect(Self.rules(suggestion).hasSuffix("hosts: {units: [\"app-x\\\\x2d1.service\"]}\n  allow:\n  - names:\n    - \"*.cdn.example.com\"\n    ports: [443]\n    transports: [tcp]"))
    #expect(suggestion.text.contains("n1.cdn.example.com, n2.cdn.example.com, n3.cdn.example.com and 3 more, by tls_sni"))
  }

  @Test func `what a dialect cannot let through on its own is left out, and said`() throws {
    let endpoints = try [
      Self.endpoint("10.96.0.1", 443), Self.endpoint("10.244.2.9", 80), Self.endpoint("192.0.2.1", nil, .icmp), Self.endpoint("192.0.2.2", 443),
    ]
    let suggestion = try Self.suggest(endpoints, .networkPolicy)
    #expect(suggestion.leftOut.count == 3)
    for words in ["10.96.0.1:443/tcp: 10.96.0.1 is service default/kubernetes", "10.244.2.9 is a pod's address", "192.0.2.1/icmp: NetworkPolicy cannot let icmp through"] {
      #expect(suggestion.leftOut.contains { $0.contains(words) } && suggestion.text.contains(words))
    }
  }

  @Test func `nothing is suggested for whom no policy could select`() throws {
    let hostNetwork = Self.pod("shop", "agent-1", "agent", "192.168.50.1", more: "hostNetwork: true, ")
    let bare = "{apiVersion: v1, kind: Pod, metadata: {name: bare, namespace: shop}, spec: {nodeName: node-1}, status: {phase: Running, podIP: 10.244.1.40}}"
    func message(_ group: String, _ workload: Workload, _ dialect: PolicyDialect) throws -> String? {
      let endpoints = [try Self.endpoint("192.0.2.2", 443, from: workload)]
      do throws(PolicyError) {
        _ = try Suggestion(for: SuggestionSubject(group, among: endpoints), from: endpoints, in: dialect, inventory: inventory(Self.manifests, hostNetwork, bare))
        return nil
      } catch {
        return error.description
      }
    }
    let agent = Workload(kind: .pod, namespace: "shop", name: "agent-1", owner: .init(kind: "Deployment", name: "agent"))
    #expect(try message("shop/agent", agent, .networkPolicy)?.contains("selects no pod of shop/Deployment/agent") == true)
    #expect(try message("shop/agent", agent, .egressPolicy) == nil)
    #expect(try message("shop/bare", PolicyTests.pod("shop", "bare"), .cilium)?.contains("no label is known that selects shop/pod/bare") == true)
    #expect(try message("shop/gone", PolicyTests.pod("shop", "bare"), .cilium)?.contains("nothing was observed of shop/gone; there is shop/pod/bare") == true)
    #expect(try message("systemd/x.service", Workload(kind: .systemd, name: "x.service"), .networkPolicy)?.contains("--dialect egresspolicy") == true)
    #expect(try message("192.0.2.77", Workload(address: IPAddress(v4: 1)), .cilium) != nil)
  }

  @Test func `strangers' words stay in their comment`() throws {
    var endpoint = try Self.endpoint("192.0.2.2", 443, name: name("api.example.com", .confirmed))
    endpoint.vendor = Vendor(name: "A\n- {}\u{2028}B: # \u{0}", category: "x", domain: DomainName(presentation: "example.com"))
    let suggestion = try Suggestion(
      for: Self.subject, from: [endpoint], in: .cilium, inventory: inventory(Self.manifests), remarks: ["one\r\nspec: {}"])
    #expect(suggestion.text.contains("# A - {} B: #  , by tls_sni"))
    #expect(suggestion.text.contains("\n# one  spec: {}\n"))
  }
}
