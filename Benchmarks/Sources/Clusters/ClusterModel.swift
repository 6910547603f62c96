import EgressModel

/// A cluster with policies of one dialect and what its workloads talked to, the same for the same figures.
///
/// Of 100 policies in a namespace 85 are for one of its ten apps, ten for all its pods, and five for every pod of the cluster, where the dialect
/// has such. Of the endpoints three in four are what a policy for the app is about, one in eight what a wider one is about, the rest chance.
struct ClusterModel {
  static let namespaces = 100
  static let appsPerNamespace = 10

  let dialect: PolicyModel.Dialect
  let policies: [PolicyModel]
  let inventory: Inventory
  let endpoints: [(workload: Workload, destination: Destination)]

  /// `pods` and `endpoints` are for each app a whole number, at least one.
  init(_ dialect: PolicyModel.Dialect, policies: Int, pods: Int, endpoints: Int, seed: UInt64 = 1) {
    var random = SplitMix64(seed: seed)
    let apps = Self.namespaces * Self.appsPerNamespace
    let replicas = max(1, pods / apps)
    self.dialect = dialect
    var inventory = Inventory()
    for namespace in 0..<Self.namespaces {
      inventory.namespaces["ns\(namespace)"] = NamespaceObject(name: "ns\(namespace)", labels: ["team": "team\(namespace % 7)"])
    }
    for number in 0..<50 {
      inventory.nodes.append(
        Node(name: "node\(number)", addresses: [IPAddress(v4: 0xc0a8_0001 + UInt32(number))], podCIDRs: [IPPrefix(IPAddress(v4: 0x0a00_0000), length: 12)].compactMap { $0 }))
    }
    for app in 0..<apps {
      let namespace = "ns\(app / Self.appsPerNamespace)"
      let name = "app\(app % Self.appsPerNamespace)"
      for replica in 0..<replicas {
        let address = IPAddress(v4: 0x0a00_0000 + UInt32(app * replicas + replica + 1))
        inventory.pods.append(
          Pod(
            namespace: namespace, name: "\(name)-\(replica)", labels: ["app": name, "tier": "tier\(app % 3)", "security.istio.io/tlsMode": "istio"], addresses: [address],
            ports: [Pod.Port(name: "http", number: 8080, transport: .tcp)], node: "node\(app % 50)", owner: .init(kind: "Deployment", name: name)))
      }
      inventory.services.append(
        Service(
          namespace: namespace, name: name, clusterIPs: [IPAddress(v4: 0x0a60_0000 + UInt32(app + 1))], selector: ["app": name],
          ports: [.init(number: 80, transport: .tcp, target: .number(8080))]))
    }
    self.inventory = inventory
    let models = Self.policies(dialect, policies, using: &random)
    self.policies = models
    self.endpoints = Self.endpoints(dialect, models, inventory.pods, replicas: replicas, perApp: max(1, endpoints / apps), using: &random)
  }

  /// What must be declared for the policies to have an effect.
  var preamble: String? {
    dialect == .istio
      ? "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'}}" : nil
  }

  private static func policies(_ dialect: PolicyModel.Dialect, _ count: Int, using random: inout SplitMix64) -> [PolicyModel] {
    func peer(_ kind: Int, _ random: inout SplitMix64) -> PolicyModel.Peer {
      switch kind {
      case 0: .name(name(using: &random))
      case 1: .block(block(using: &random))
      default: .app(namespace: random.below(namespaces), app: random.below(appsPerNamespace))
      }
    }
    var kinds = [0, 0, 1, 2]
    if !dialect.knowsNames { kinds.removeAll { $0 == 0 } }
    if !dialect.knowsPods { kinds.removeAll { $0 == 2 } }
    if [.fqdnNetworkPolicy, .istio].contains(dialect) { kinds = [0] }
    var models: [PolicyModel] = []
    for number in 0..<count {
      let namespace = number % namespaces
      let place = number / namespaces % 100
      let scope: PolicyModel.Scope =
        if place < 85 { .app(namespace: namespace, app: place % appsPerNamespace) } else if place < 95 || !dialect.knowsCluster { .namespace(namespace) } else { .cluster }
      let rules = (0..<2 + random.below(3)).map { _ in
        let kind = random.pick(kinds)
        let denies = dialect.denies && random.below(20) == 0 && !(kind == 0 && [.cilium, .clusterNetworkPolicy].contains(dialect))
        return PolicyModel.Rule(denies: denies, peers: (0..<1 + random.below(3)).map { _ in peer(kind, &random) }, ports: random.pick([[443], [443, 8443], [5432], [80], [6379], [9092, 9093]]))
      }
      models.append(PolicyModel(number: number, scope: scope, rules: rules))
    }
    guard dialect.joinsNamespace else { return models }
    return (0..<min(count, namespaces)).map { namespace in
      PolicyModel(number: namespace, scope: .namespace(namespace), rules: models.filter { $0.number % namespaces == namespace }.flatMap(\.rules))
    }
  }

  private static func endpoints(
    _ dialect: PolicyModel.Dialect, _ policies: [PolicyModel], _ pods: [Pod], replicas: Int, perApp: Int, using random: inout SplitMix64
  ) -> [(Workload, Destination)] {
    var (ofApp, wide): ([Int: [PolicyModel]], [PolicyModel]) = ([:], [])
    for policy in policies {
      switch policy.scope {
      case .app(let namespace, let app): ofApp[namespace * appsPerNamespace + app, default: []].append(policy)
      case .namespace(let namespace) where dialect.joinsNamespace: for app in 0..<appsPerNamespace { ofApp[namespace * appsPerNamespace + app] = [policy] }
      default: wide.append(policy)
      }
    }
    var endpoints: [(Workload, Destination)] = []
    for app in 0..<namespaces * appsPerNamespace {
      var known: Set<Destination> = []
      while known.count < perApp {
        let model = random.chance(0.75) ? ofApp[app].map { random.pick($0) } : random.chance(0.5) && !wide.isEmpty ? random.pick(wide) : nil
        let rule = model.map { random.pick($0.rules) }
        let peer = rule.map { random.pick($0.peers) } ?? .name(name(using: &random))
        let there = destination(peer, rule.map { random.pick($0.ports) } ?? 443, pods, replicas, using: &random)
        guard known.insert(there).inserted else { continue }
        // A unit file is for one unit.
        let workload = dialect == .systemd ? Workload(kind: .systemd, name: "app\(model?.number ?? app).service") : pods[app * replicas + random.below(replicas)].workload
        endpoints.append((workload, there))
      }
    }
    return endpoints
  }

  private static func destination(_ peer: PolicyModel.Peer, _ port: Int, _ pods: [Pod], _ replicas: Int, using random: inout SplitMix64) -> Destination {
    var address = IPAddress(v4: 0xc612_0000 + UInt32(random.below(1 << 17)))
    var names: [NameEvidence] = []
    switch peer {
    case .app(let namespace, let app): address = pods[(namespace * appsPerNamespace + app) * replicas + random.below(replicas)].addresses.first ?? address
    case .block(let block):
      if let prefix = IPPrefix(block), let first = prefix.address.v4 { address = IPAddress(v4: first + UInt32(random.below(1 << (32 - prefix.length)))) }
    case .name(let pattern):
      let name = pattern.split(separator: ".").map { $0.allSatisfy { $0 == "*" } ? "host\(random.below(1000))" : String($0) }.joined(separator: ".")
      names = [NameEvidence(name: DomainName(presentation: name), source: .tlsSNI, confidence: .confirmed)]
    }
    return Destination(address: address, port: UInt16(port), transport: .tcp, names: names)
  }

  /// One in eight with a wildcard; a third under few domains, as in real life.
  private static func name(using random: inout SplitMix64) -> String {
    let domain = random.below(3) == 0 ? "cloud\(random.below(5)).example" : "vendor\(random.below(5_000)).example"
    return random.below(8) == 0 ? "*.\(domain)" : "\(random.pick(["api", "www", "auth", "data", "hooks"]))\(random.below(20)).\(domain)"
  }

  private static func block(using random: inout SplitMix64) -> String {
    let length = random.pick([16, 20, 22, 24, 24, 26, 28, 32])
    return IPPrefix(IPAddress(v4: 0xc612_0000 + UInt32(random.below(1 << 17))), length: length).map { "\($0)" } ?? "198.18.0.0/15"
  }
}
