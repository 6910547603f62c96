/// What a policy of the benchmark says, in the words of no dialect.
struct PolicyModel {
  enum Scope {
    case app(namespace: Int, app: Int)
    case namespace(Int)
    case cluster
  }

  enum Peer {
    case name(String)
    case block(String)
    case app(namespace: Int, app: Int)
  }

  struct Rule {
    var denies: Bool
    /// Any of them; of one kind, because Cilium wants it so.
    var peers: [Peer]
    var ports: [Int]
  }

  var number: Int
  var scope: Scope
  var rules: [Rule]

  /// Its last rule once more, on another port: what a change of the policy looks like.
  var changed: PolicyModel {
    var changed = self
    changed.rules += rules.suffix(1).map { Rule(denies: $0.denies, peers: $0.peers, ports: [8444]) }
    return changed
  }
}

extension PolicyModel {
  enum Dialect: String, CaseIterable {
    case networkPolicy = "networkpolicy"
    case cilium, calico
    case clusterNetworkPolicy = "clusternetworkpolicy"
    case fqdnNetworkPolicy = "fqdnnetworkpolicy"
    case egressFirewall = "egressfirewall"
    case istio
    case egressPolicy = "egresspolicy"
    case systemd

    /// Whether it has policies for the whole cluster.
    var knowsCluster: Bool { [.cilium, .calico, .clusterNetworkPolicy, .egressPolicy].contains(self) }
    /// Whether all that is said of a namespace is one object.
    var joinsNamespace: Bool { self == .egressFirewall }
    var knowsNames: Bool { ![.networkPolicy, .calico, .systemd].contains(self) }
    /// Whether rules may name pods.
    var knowsPods: Bool { [.networkPolicy, .cilium, .calico, .clusterNetworkPolicy].contains(self) }
    var denies: Bool { [.cilium, .calico, .clusterNetworkPolicy, .egressFirewall].contains(self) }
  }

  /// The file that holds it: a unit file has its unit's name.
  func file(_ dialect: Dialect) -> String {
    dialect == .systemd ? "etc/systemd/system/app\(number).service" : "policies/\(number).yaml"
  }

  /// The manifest.
  func text(_ dialect: Dialect) -> String {
    switch dialect {
    case .networkPolicy:
      object("networking.k8s.io/v1", "NetworkPolicy", ["podSelector: \(pods)", "policyTypes: [Egress]", "egress:"] + rules.map(\.networkPolicy).indented)
    case .cilium:
      object(
        "cilium.io/v2", isOfCluster ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy",
        ["endpointSelector: \(pods)"] + Self.section("egress", rules.filter { !$0.denies }.map(\.cilium)) + Self.section("egressDeny", rules.filter(\.denies).map(\.cilium)))
    case .calico:
      object(
        "projectcalico.org/v3", isOfCluster ? "GlobalNetworkPolicy" : "NetworkPolicy",
        ["order: \(number % 500)", "selector: \(app.map { "app == 'app\($0)'" } ?? "all()")", "types: [Egress]", "egress:"] + rules.map(\.calico).indented)
    case .clusterNetworkPolicy:
      object(
        "policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy",
        [
          "tier: \(number % 2 == 0 ? "Admin" : "Baseline")", "priority: \(number / 2 % 1000)",
          "subject: {pods: {namespaceSelector: \(namespaceSelector), podSelector: \(pods)}}", "egress:",
        ] + rules.map(\.clusterNetworkPolicy).indented)
    case .fqdnNetworkPolicy:
      object("networking.gke.io/v1alpha1", "FQDNNetworkPolicy", ["podSelector: \(pods)", "egress:"] + rules.map(\.fqdnNetworkPolicy).indented)
    case .egressFirewall:
      object("k8s.ovn.org/v1", "EgressFirewall", ["egress:"] + rules.flatMap(\.egressFirewall).indented, name: "default")
    case .istio:
      object("networking.istio.io/v1", "ServiceEntry", serviceEntry)
    case .egressPolicy:
      object(
        "egress-obs.dev/v1", "EgressPolicy", ["select: {pods: {podSelector: \(pods)}}", "allow:"] + rules.map(\.egressPolicy).indented)
    case .systemd:
      "[Service]\nIPAddressDeny=any\n" + rules.map { "IPAddressAllow=\($0.blocks.joined(separator: " "))\n" }.joined()
    }
  }

  private var namespace: Int? {
    switch scope {
    case .app(let namespace, _), .namespace(let namespace): namespace
    case .cluster: nil
    }
  }

  private var app: Int? { if case .app(_, let app) = scope { app } else { nil } }
  private var isOfCluster: Bool { namespace == nil }
  private var pods: String { app.map { "{matchLabels: {app: app\($0)}}" } ?? "{}" }
  private var namespaceSelector: String { namespace.map { "{matchLabels: {kubernetes.io/metadata.name: ns\($0)}}" } ?? "{}" }

  private var serviceEntry: [String] {
    let (peers, ports) = (rules.flatMap(\.peers), Set(rules.flatMap(\.ports)).sorted())
    let names = peers.compactMap { if case .name(let name) = $0 { name } else { nil } }
    return ["hosts: [\(names.map { "\"\($0)\"" }.joined(separator: ", "))]", "ports:"]
      + ports.map { "- {number: \($0), name: p\($0), protocol: TLS}" } + ["resolution: \(names.contains { $0.contains("*") } ? "NONE" : "DNS")", "exportTo: ['.']"]
  }

  private func object(_ apiVersion: String, _ kind: String, _ spec: [String], name: String? = nil) -> String {
    let isNamespaced = apiVersion != "policy.networking.k8s.io/v1alpha2"
    var lines = ["apiVersion: \(apiVersion)", "kind: \(kind)", "metadata:", "  name: \(name ?? "policy-\(number)")"]
    if isNamespaced, let namespace { lines.append("  namespace: ns\(namespace)") }
    return (lines + ["spec:"] + spec.indented).joined(separator: "\n") + "\n"
  }

  private static func section(_ name: String, _ items: [String]) -> [String] { items.isEmpty ? [] : ["\(name):"] + items.indented }
}

extension PolicyModel.Rule {
  var blocks: [String] { peers.compactMap { if case .block(let block) = $0 { block } else { nil } } }

  private func list(_ items: [String]) -> String { "[\(items.joined(separator: ", "))]" }

  var networkPolicy: String {
    let to = peers.map { peer in
      switch peer {
      case .block(let block): "{ipBlock: {cidr: \(block)}}"
      case .app(let namespace, let app):
        "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ns\(namespace)}}, podSelector: {matchLabels: {app: app\(app)}}}"
      case .name: "{}"
      }
    }
    return "- {to: \(list(to)), ports: \(list(ports.map { "{protocol: TCP, port: \($0)}" }))}"
  }

  var cilium: String {
    var (blocks, names, endpoints): ([String], [String], [String]) = ([], [], [])
    for peer in peers {
      switch peer {
      case .block(let block): blocks.append("\(block)")
      case .name(let name): names.append("{\(name.contains("*") ? "matchPattern" : "matchName"): \"\(name)\"}")
      case .app(let namespace, let app):
        endpoints.append("{matchLabels: {k8s:io.kubernetes.pod.namespace: ns\(namespace), app: app\(app)}}")
      }
    }
    let to = !names.isEmpty ? "toFQDNs: \(list(names))" : !blocks.isEmpty ? "toCIDR: \(list(blocks))" : "toEndpoints: \(list(endpoints))"
    return "- {\(to), toPorts: [{ports: \(list(ports.map { "{port: \"\($0)\", protocol: TCP}" }))}]}"
  }

  var calico: String {
    let to =
      if case .app(let namespace, let app)? = peers.first {
        "namespaceSelector: \"projectcalico.org/name == 'ns\(namespace)'\", selector: \"app == 'app\(app)'\""
      } else { "nets: \(list(blocks))" }
    return "- {action: \(denies ? "Deny" : "Allow"), protocol: TCP, destination: {\(to), ports: \(list(ports.map { "\($0)" }))}}"
  }

  var clusterNetworkPolicy: String {
    let to = peers.map { peer in
      switch peer {
      case .block(let block): "{networks: [\(block)]}"
      case .name(let name): "{domainNames: [\"\(name)\"]}"
      case .app(let namespace, let app):
        "{pods: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ns\(namespace)}}, podSelector: {matchLabels: {app: app\(app)}}}}"
      }
    }
    return "- {action: \(denies ? "Deny" : "Accept"), to: \(list(to)), protocols: \(list(ports.map { "{tcp: {destinationPort: {number: \($0)}}}" }))}"
  }

  var fqdnNetworkPolicy: String {
    let matches = peers.compactMap { if case .name(let name) = $0 { "{\(name.contains("*") ? "pattern" : "name"): \"\(name)\"}" } else { nil } }
    return "- {matches: \(list(matches)), ports: \(list(ports.map { "{protocol: TCP, port: \($0)}" }))}"
  }

  /// One peer is one rule.
  var egressFirewall: [String] {
    peers.compactMap { peer in
      let to =
        switch peer {
        case .block(let block): "cidrSelector: \(block)"
        case .name(let name): "dnsName: \"\(name)\""
        case .app: nil as String?
        }
      return to.map { "- {type: \(denies ? "Deny" : "Allow"), to: {\($0)}, ports: \(list(ports.map { "{protocol: TCP, port: \($0)}" }))}" }
    }
  }

  var egressPolicy: String {
    let names = peers.compactMap { if case .name(let name) = $0 { "\"\(name)\"" } else { nil } }
    let to = [names.isEmpty ? nil : "names: \(list(names))", blocks.isEmpty ? nil : "cidrs: \(list(blocks))"].compactMap { $0 }
    return "- {\((to + ["ports: \(list(ports.map { "\($0)" }))"]).joined(separator: ", "))}"
  }
}

extension [String] {
  fileprivate var indented: [String] { map { "  " + $0 } }
}
