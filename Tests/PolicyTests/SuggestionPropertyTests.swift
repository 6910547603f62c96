import EgressModel
import Policy
import Testing

/// Random observations of one workload, and a reading of the dialects that says what a least policy for them lets through.
struct RandomObservations {
  /// A place to go: outside, by a name or none; or a pod, by its address or its Service's.
  struct Target {
    var address: String
    var name: String?
    var port: UInt16?
    var transport: Transport
    var application: Application?
    /// The controller of the pod where it ends, and the port there.
    var app: String?
    var backendPort: UInt16?
    var service: String?
  }

  static func target(_ random: inout SeededGenerator) -> Target {
    func one<T>(_ list: [T]) -> T { list[Int.random(in: 0..<list.count, using: &random)] }
    if one([true, false, false]) {
      let pod = one([("cart", "10.244.1.12"), ("cart", "10.244.1.13"), ("worker", "10.244.1.20"), ("ledger", "10.244.1.21"), ("kube-dns", "10.244.1.30")])
      let viaService = one([
        Target(address: "10.96.0.20", name: nil, port: 80, transport: .tcp, app: "cart", backendPort: 8080, service: "shop/cart"),
        Target(address: "10.96.0.21", name: "worker.pay.svc.cluster.local", port: 9000, transport: .tcp, app: "worker", backendPort: 9000, service: "pay/worker"),
        Target(address: "10.96.0.10", name: nil, port: 53, transport: .udp, app: "kube-dns", backendPort: 53, service: "kube-system/kube-dns"),
      ])
      if one([true, false]) { return viaService }
      let port: UInt16 = one([53, 80, 8080, 9000])
      let transport = one([Transport.tcp, .tcp, .udp])
      let service: String? = transport == .tcp ? ["cart 8080": "shop/cart", "worker 9000": "pay/worker", "kube-dns 53": "kube-system/kube-dns"]["\(pod.0) \(port)"] : nil
      return Target(address: pod.1, name: nil, port: port, transport: transport, app: pod.0, backendPort: port, service: service)
    }
    let address = one(["198.51.100.10", "198.51.100.11", "198.51.101.10", "203.0.113.7", "203.0.113.200", "2001:db8:1:2::3", "2001:db8:1:3::4", "2001:db8:2::1"])
    let transport = one([Transport.tcp, .tcp, .tcp, .udp, .sctp, address.contains(":") ? .icmpv6 : .icmp])
    let name = one([nil, "api.example.com", "www.example.com", "example.com", "x.api.example.com", "db_1.example.org"])
    let application = transport == .tcp ? one([Application.tls, .http, nil]) : nil
    return Target(address: address, name: name, port: transport.hasPorts ? one([53, 80, 443, 8443]) : nil, transport: transport, application: application)
  }

  static func endpoint(_ target: Target, from workload: Workload, _ source: NameSource) throws -> Endpoint {
    try SuggestionTests.endpoint(
      target.address, target.port, target.transport, name: target.name.map { name($0, source == .dns ? .resolved : .confirmed, source) },
      application: target.application, from: workload)
  }

  /// Whether a least policy made of having seen `seen` lets `asked` through.
  static func allows(_ asked: Target, seen: Target, _ dialect: PolicyDialect) throws -> Bool {
    func sameBlock(_ length: (Int, Int)) throws -> Bool {
      let (one, other) = (try #require(IPAddress(asked.address)), try #require(IPAddress(seen.address)))
      return IPPrefix(other, length: other.isV4 ? length.0 : length.1)?.contains(one) == true
    }
    let around = seen.name == nil ? (32, 128) : (24, 48)
    let isICMP = seen.transport == .icmp || seen.transport == .icmpv6
    switch dialect {
    // Neither names nor ports.
    case .systemd: return try sameBlock(around)
    // Only between pods and the world.
    case .egressFirewall:
      guard asked.app == nil else { return true }
      guard seen.app == nil, !isICMP, asked.transport == seen.transport, asked.port == seen.port else { return false }
      return try seen.name.map { asked.name == $0 } ?? sameBlock((32, 128))
    case .istio:
      // What is not TCP passes by the sidecar.
      guard asked.transport == .tcp, seen.transport == .tcp else { return false }
      if asked.app != nil || seen.app != nil { return asked.service != nil && asked.service == seen.service }
      guard asked.port == seen.port else { return false }
      if let name = seen.name, seen.application != nil { return asked.name == name }
      return try sameBlock(around)
    case .egressPolicy:
      // Its icmp is that of both families.
      guard asked.port == seen.port, asked.transport == seen.transport || isICMP && asked.port == nil && !asked.transport.hasPorts else { return false }
      return try seen.name.map { asked.name == $0 } ?? sameBlock((32, 128))
    case .networkPolicy, .cilium, .calico, .calicoEnterprise, .clusterNetworkPolicy:
      if dialect == .networkPolicy || dialect == .clusterNetworkPolicy, isICMP { return false }
      guard asked.transport == seen.transport else { return false }
      if seen.app != nil || asked.app != nil { return seen.app == asked.app && seen.backendPort == asked.backendPort }
      guard asked.port == seen.port else { return false }
      if dialect == .networkPolicy || dialect == .calico { return try sameBlock(around) }
      return try seen.name.map { asked.name == $0 } ?? sameBlock((32, 128))
    }
  }
}

@Suite struct SuggestionPropertyTests {
  @Test(arguments: PolicyDialect.allCases)
  func `a suggestion lets through what was observed, and of a random sample nothing else`(dialect: PolicyDialect) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(state: seed)
    let inventory = inventory(SuggestionTests.manifests)
    var allowed = 0
    for _ in 0..<60 {
      let source: NameSource = Bool.random(using: &random) ? .tlsSNI : .dns
      let workload = dialect == .systemd ? Workload(kind: .systemd, name: "web.service") : SuggestionTests.web
      let subject: SuggestionSubject =
        switch dialect {
        case .systemd: .host(.systemd, name: "web.service")
        case .egressFirewall: .namespace("shop")
        default: SuggestionTests.subject
        }
      // One that every dialect has to do with.
      let first = RandomObservations.Target(address: "198.51.100.10", name: "api.example.com", port: 443, transport: .tcp, application: .tls)
      let seen = [first] + (0..<Int.random(in: 0...12, using: &random)).map { _ in RandomObservations.target(&random) }
      let endpoints = try seen.map { try RandomObservations.endpoint($0, from: workload, source) }
      let suggestion = try Suggestion(for: subject, from: endpoints, in: dialect, inventory: inventory)
      var policies = PolicySet(engine: dialect == .calicoEnterprise ? .calicoEnterprise : .auto)
      let file = dialect == .systemd ? "/etc/systemd/system/web.service.d/s.conf" : "s.yaml"
      try #require(policies.add(suggestion.text, file: file) == [], "seed \(seed)\n\(suggestion.text)")
      let judge = Judge(policies: policies, inventory: inventory)
      for asked in seen + (0..<60).map({ _ in RandomObservations.target(&random) }) {
        let expected = try seen.contains { try RandomObservations.allows(asked, seen: $0, dialect) }
        let endpoint = try RandomObservations.endpoint(asked, from: workload, source)
        let verdict = judge.judge(workload, endpoint.destination)
        #expect((verdict.decision == .allowed) == expected, "seed \(seed): \(asked) is \(verdict.decision) under\n\(suggestion.text)")
        if expected { allowed += 1 }
      }
      let again = try Suggestion(for: subject, from: endpoints.shuffled(using: &random), in: dialect, inventory: inventory)
      #expect(again.text == suggestion.text, "seed \(seed)")
    }
    #expect(allowed > 200)
  }

  @Test(arguments: [
    (Engine.generic, [PolicyDialect.networkPolicy, .clusterNetworkPolicy, .egressFirewall, .istio, .egressPolicy]),
    (.cilium, [.networkPolicy, .cilium, .istio, .egressPolicy]), (.calico, [.networkPolicy, .calico, .istio, .egressPolicy]),
    (.calicoEnterprise, [.calicoEnterprise, .clusterNetworkPolicy]),
  ])
  func `the order in which manifests are read changes no verdict`(engine: Engine, dialects: [PolicyDialect]) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(state: seed)
    let inventory = inventory(SuggestionTests.manifests)
    let workloads = [
      SuggestionTests.web, Workload(kind: .pod, namespace: "shop", name: "cart-1", owner: .init(kind: "Deployment", name: "cart")),
      Workload(kind: .pod, namespace: "pay", name: "worker-1", owner: .init(kind: "Deployment", name: "worker")),
    ]
    for _ in 0..<10 {
      var texts: Set<String> = []
      for workload in workloads {
        let first = RandomObservations.Target(address: "198.51.100.10", name: "api.example.com", port: 443, transport: .tcp, application: .tls)
        let seen = [first] + (0..<4).map { _ in RandomObservations.target(&random) }
        let endpoints = try seen.map { try RandomObservations.endpoint($0, from: workload, .tlsSNI) }
        for dialect in dialects {
          let namespace = workload.namespace ?? ""
          let subject: SuggestionSubject = dialect == .egressFirewall ? .namespace(namespace) : .pods(namespace: namespace, group: workload.group)
          // A namespace has one EgressFirewall.
          if dialect == .egressFirewall, workload.name == "cart-1" { continue }
          texts.insert(try Suggestion(for: subject, from: endpoints, in: dialect, inventory: inventory).text)
        }
      }
      func judge() -> Judge {
        var policies = PolicySet(engine: engine)
        for (index, text) in texts.sorted().shuffled(using: &random).enumerated() { #expect(policies.add(text, file: "\(index).yaml") == []) }
        return Judge(policies: policies, inventory: inventory)
      }
      let (one, other) = (judge(), judge())
      for _ in 0..<60 {
        let asked = try RandomObservations.endpoint(RandomObservations.target(&random), from: SuggestionTests.web, .tlsSNI)
        for workload in workloads {
          #expect(one.judge(workload, asked.destination) == other.judge(workload, asked.destination), "seed \(seed): \(workload.shortName) to \(asked.destination)")
        }
      }
    }
  }
}
