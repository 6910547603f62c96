import EgressModel
import Testing

@testable import Policy

/// Policies of one dialect made at random, of few names, blocks and labels so that many of them meet.
struct RandomPolicies {
  enum Dialect: String, CaseIterable {
    case networkPolicy, clusterNetworkPolicy, fqdnNetworkPolicy, egressFirewall, egressPolicy, istio, cilium, calico

    /// How many objects make a test: a namespace has but one EgressFirewall.
    var count: Int { self == .egressFirewall ? 3 : 12 }
  }

  static let inventoryText = (0..<3).map { "{apiVersion: v1, kind: Namespace, metadata: {name: ns\($0), labels: {team: \($0 == 0 ? "x" : "w")}}}" }.joined(separator: "\n---\n")
    + (0..<9).map { pod in
      """

      ---
      {apiVersion: v1, kind: Pod, metadata: {name: pod\(pod), namespace: ns\(pod % 3), labels: {app: \(["a", "b", "c"][pod / 3]), tier: \(pod % 2 == 0 ? "x" : "w"), security.istio.io/tlsMode: istio}},
       spec: {nodeName: node-1, hostNetwork: \(pod == 8), containers: [{ports: [{name: http, containerPort: 80}]}]}, status: {phase: Running, podIP: \(pod == 8 ? "192.168.50.1" : "10.0.0.\(pod + 1)")}}
      """
    }.joined()
    + """

    ---
    {apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {zone: a}}, status: {addresses: [{type: InternalIP, address: 192.168.50.1}]}}
    ---
    {apiVersion: v1, kind: Service, metadata: {name: a, namespace: ns0}, spec: {clusterIP: 10.96.0.20, selector: {app: a}, ports: [{port: 80, targetPort: http}]}}
    ---
    {apiVersion: v1, kind: Service, metadata: {name: out, namespace: ns1}, spec: {clusterIP: 10.96.0.21, ports: [{port: 443}]}}
    """

  static let inventory = PolicyTests.inventory(inventoryText)
  static let workloads = (0..<9).map { pod("ns\($0 % 3)", "pod\($0)") }

  static func file(_ number: Int) -> String { "p\(number).yaml" }

  /// Each in a file of its own.
  static func set(_ texts: [String]) -> PolicySet {
    var policies = PolicySet(engine: texts.contains { $0.contains("projectcalico.org") } ? .calicoEnterprise : .auto)
    for (number, text) in texts.enumerated() { #expect(policies.add(text, file: file(number)) == [], "\(text)") }
    return policies
  }

  let dialect: Dialect
  var random: SeededGenerator

  init(_ dialect: Dialect, _ random: SeededGenerator) { (self.dialect, self.random) = (dialect, random) }

  mutating func flip(_ odds: Int = 2) -> Bool { Int.random(in: 0..<odds, using: &random) == 0 }
  mutating func pick<T>(_ choices: [T]) -> T { choices[Int.random(in: choices.indices, using: &random)] }
  mutating func some(_ most: Int, least: Int = 1, _ make: (inout Self) -> String) -> String {
    "[" + (0..<Int.random(in: least...most, using: &random)).map { _ in make(&self) }.joined(separator: ", ") + "]"
  }

  mutating func block4() -> String { pick(["10.0.0.0/8", "10.0.0.0/29", "10.0.0.4/30", "203.0.113.0/24", "203.0.113.7/32", "203.0.113.0/28", "0.0.0.0/0"]) }
  mutating func block() -> String { flip(8) ? "'2001:db8::/32'" : block4() }
  mutating func name(_ wildcards: [String] = ["'*.example.com'", "'*.deep.example.com'"]) -> String {
    flip(3) ? pick(wildcards) : pick(["api.example.com", "www.example.com", "api.example.org", "x.deep.example.com", "example.com", "telling.net"])
  }
  mutating func selector() -> String {
    pick(["{}", "{matchLabels: {app: a}}", "{matchLabels: {app: b, tier: x}}", "{matchLabels: {tier: w}}", "{matchExpressions: [{key: app, operator: NotIn, values: [c]}]}"])
  }
  mutating func namespaceSelector() -> String { pick(["{}", "{matchLabels: {team: x}}", "{matchExpressions: [{key: team, operator: In, values: [w]}]}"]) }
  mutating func port() -> String { pick(["80", "443", "8000"]) }

  /// A manifest; the same number gives an object of the same name.
  mutating func text(_ number: Int) -> String {
    let metadata = "metadata: {name: p\(number), namespace: ns\(number % 3)}"
    let cluster = "metadata: {name: p\(number)}"
    switch dialect {
    case .networkPolicy:
      let rules = some(4, least: 0) { $0.networkPolicyRule() }
      return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, \(metadata), spec: {podSelector: \(selector()), policyTypes: [Egress], egress: \(rules)}}"
    case .clusterNetworkPolicy:
      let rules = some(4, least: 0) { $0.clusterRule() }
      // Few priorities, so that many are equal.
      return "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, \(cluster), spec: {tier: \(pick(["Admin", "Baseline"])), priority: \(Int.random(in: 0...3, using: &random)), "
        + "subject: {pods: {podSelector: \(selector()), namespaceSelector: \(namespaceSelector())}}, egress: \(rules)}}"
    case .fqdnNetworkPolicy:
      let rules = some(3) { this in
        "{matches: \(this.some(3) { $0.flip(3) ? "{pattern: '\($0.pick(["*.example.com", "a*.example.com", "*"]))'}" : "{name: \($0.name(["api.example.com"]))}" })"
          + (this.flip() ? "}" : ", ports: [{protocol: TCP, port: \(this.port())}]}")
      }
      return "{apiVersion: networking.gke.io/v1alpha1, kind: FQDNNetworkPolicy, \(metadata), spec: {podSelector: \(selector()), egress: \(rules)}}"
    case .egressFirewall:
      let rules = some(8) { this in
        let to = this.flip() ? "cidrSelector: \(this.block())" : this.flip(4) ? "nodeSelector: {matchLabels: {zone: \(this.pick(["a", "b"]))}}" : "dnsName: \(this.name())"
        return "{type: \(this.pick(["Allow", "Deny"])), to: {\(to)}" + (this.flip() ? "}" : ", ports: [{protocol: TCP, port: \(this.port())}]}")
      }
      return "{apiVersion: k8s.ovn.org/v1, kind: EgressFirewall, metadata: {name: default, namespace: ns\(number)}, spec: {egress: \(rules)}}"
    case .egressPolicy:
      let rules = some(4, least: 0) { this in
        var parts: [String] = []
        if this.flip() { parts.append("names: \(this.some(2) { $0.name(["'*.example.com'", "'**.example.com'", "'**'"]) })") }
        if this.flip() { parts.append(this.flip() ? "cidrs: [203.0.113.0/24], except: [203.0.113.7/32]" : "cidrs: \(this.some(2) { $0.block() })") }
        if this.flip() { parts.append("ports: [\(this.port())]") }
        return "{\(parts.joined(separator: ", "))}"
      }
      return "{apiVersion: egress-obs.dev/v1, kind: EgressPolicy, \(flip() ? metadata : cluster), spec: {select: {pods: {podSelector: \(selector())}}, allow: \(rules)}}"
    case .istio:
      guard number > 0 else { return "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'}}" }
      return "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, \(metadata), spec: {hosts: [\(name())], ports: [{number: \(port()), name: p, protocol: TLS}], resolution: NONE, exportTo: ['\(pick([".", "*"]))']}}"
    case .cilium: return cilium(number, metadata, cluster)
    case .calico: return calico(number, metadata, cluster)
    }
  }

  private mutating func networkPolicyRule() -> String {
    let to = some(3, least: 0) { this in
      if this.flip() { return "{ipBlock: {cidr: \(this.pick(["10.0.0.0/29", "203.0.113.0/24", "10.0.0.0/8"]))\(this.flip() ? ", except: [\("10.0.0.2/32")]" : "")}}".replacingExcept }
      return this.flip() ? "{podSelector: \(this.selector())}" : "{podSelector: \(this.selector()), namespaceSelector: \(this.namespaceSelector())}"
    }
    let ports = some(2, least: 0) { this in "{protocol: \(this.pick(["TCP", "UDP"])), port: \(this.pick(["80", "443", "http"]))}" }
    return "{to: \(to), ports: \(ports)}"
  }

  private mutating func clusterRule() -> String {
    let action = pick(["Accept", "Accept", "Deny", "Pass"])
    let to = some(3) { this in
      switch Int.random(in: 0...3, using: &this.random) {
      case 0: "{networks: \(this.some(2) { $0.block() })}"
      case 1 where action == "Accept": "{domainNames: \(this.some(2) { $0.name() })}"
      case 2: "{pods: {podSelector: \(this.selector()), namespaceSelector: \(this.namespaceSelector())}}"
      default: "{nodes: {matchLabels: {zone: \(this.pick(["a", "b"]))}}}"
      }
    }
    return "{action: \(action), to: \(to)" + (flip() ? "}" : ", protocols: [{tcp: {destinationPort: {number: \(port())}}}]}")
  }

  private mutating func cilium(_ number: Int, _ metadata: String, _ cluster: String) -> String {
    if number == 0 { return "{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: group, labels: {g: x}}, spec: {externalCIDRs: [203.0.113.0/29, 10.0.0.0/8]}}" }
    func rule(_ this: inout Self, denies: Bool) -> String {
      var parts: [String] = []
      var hasNames = false
      switch Int.random(in: 0...5, using: &this.random) {
      case 0: parts.append("toCIDR: \(this.some(2) { $0.block() })")
      case 1: parts.append("toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.7/32]}, {cidrGroupRef: group}]")
      case 2: parts.append("toEntities: [\(this.pick(["world", "all", "cluster", "host", "remote-node", "kube-apiserver"]))]")
      case 3: parts.append("toEndpoints: \(this.some(2) { $0.selector() })")
      case 4 where !denies:
        hasNames = true
        parts.append("toFQDNs: \(this.some(2) { $0.flip() ? "{matchName: \($0.name(["api.example.com"]))}" : "{matchPattern: '\($0.pick(["*.example.com", "api*.example.*", "**.example.com", "*", "*example.com"]))'}" })")
      default: break
      }
      if hasNames || this.flip() {
        parts.append("toPorts: [{ports: [{port: \"\(this.port())\", protocol: \(this.pick(["TCP", "ANY"]))}]\(this.flip(4) && !denies ? ", serverNames: [api.example.com]" : "")}]".tcpWithServerNames)
      }
      return "{\(parts.joined(separator: ", "))}"
    }
    let allow = some(3) { rule(&$0, denies: false) }
    let deny = flip(3) ? ", egressDeny: \(some(2) { rule(&$0, denies: true) })" : ""
    let spec = "spec: {endpointSelector: \(selector()), egress: \(allow)\(deny)}"
    return flip() ? "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, \(metadata), \(spec)}" : "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, \(cluster), \(spec)}"
  }

  private mutating func calico(_ number: Int, _ metadata: String, _ cluster: String) -> String {
    if number == 0 { return "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: early}, spec: {order: 10, defaultAction: \(pick(["Pass", "Deny"]))}}" }
    if number == 1 { return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: set, labels: {app: a}}, spec: {nets: [203.0.113.0/28], allowedEgressDomains: ['*.example.org']}}" }
    func expression(_ this: inout Self) -> String { this.pick(["all()", "app == 'a'", "has(tier) && app in {'a', 'b'}", "app != 'a'", "!has(app)"]) }
    let rules = some(4, least: 0) { this in
      let action = this.pick(["Allow", "Allow", "Deny", "Pass", "Log"])
      var to: [String] = []
      if this.flip(3) { to.append("nets: \(this.some(2) { $0.block4() })") }
      if this.flip(4) { to.append("notNets: \(this.some(2) { $0.block4() })") }
      if to.isEmpty, action == "Allow", this.flip(3) { to.append("domains: \(this.some(2) { $0.name(["'*.example.com'", "'a*.example.org'"]) })") } else {
        if this.flip(3) { to.append("selector: \"\(expression(&this))\"") }
        if this.flip(5) { to.append("notSelector: \"\(expression(&this))\"") }
      }
      if this.flip(3) { to.append("ports: [\(this.port()), '8000:8100']") }
      if this.flip(6) { to.append("notPorts: [443]") }
      return "{action: \(action), protocol: TCP, destination: {\(to.joined(separator: ", "))}}"
    }
    let spec = "spec: {tier: TIER, order: \(Int.random(in: 0...2000, using: &random)), selector: \"\(expression(&self))\", types: [Egress], egress: \(rules)}"
    let isEarly = flip(3)
    let named = (flip() ? metadata : cluster, tier: isEarly ? "early" : "default")
    let kind = named.0 == metadata ? "NetworkPolicy" : "GlobalNetworkPolicy"
    let prefixed = isEarly ? named.0.replacing("name: p", with: "name: early.p") : named.0
    return "{apiVersion: projectcalico.org/v3, kind: \(flip(6) ? "Staged" : "")\(kind), \(prefixed), \(spec.replacing("TIER", with: named.tier))}"
  }

  /// Where a flow of the cluster may go, and under which names.
  mutating func destination() -> Destination {
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.7", "10.0.0.99", "192.168.50.1", "203.0.113.7", "203.0.113.9", "203.0.113.99", "198.51.100.1", "2001:db8::1", "10.96.0.20", "10.96.0.21"]
    let transport = pick([Transport.tcp, .tcp, .tcp, .udp, .icmp])
    let names = (0..<pick([0, 1, 1, 2])).map { _ in
      NameEvidence(
        name: DomainName(presentation: pick(["api.example.com", "www.example.com", "api.example.org", "x.deep.example.com", "y.x.deep.example.com", "example.com", "other.telling.org", "nobody.test"])),
        source: pick([.tlsSNI, .dns]), confidence: pick([.confirmed, .confirmed, .resolved, .shared, .hint]))
    }
    return Destination(
      address: IPAddress(pick(addresses)) ?? IPAddress(v4: 0), port: transport == .icmp ? nil : pick([80, 443, 8000, 53]), transport: transport, names: names)
  }
}

extension String {
  /// An exception must lie within its block.
  fileprivate var replacingExcept: String { contains("203.0.113.0/24") ? replacing("10.0.0.2/32", with: "203.0.113.7/32") : self }
  /// Server names are for TCP only.
  fileprivate var tcpWithServerNames: String { contains("serverNames") ? replacing("ANY", with: "TCP") : self }
}
