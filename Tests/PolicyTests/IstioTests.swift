import EgressModel
import Policy
import Testing

@Suite struct IstioTests {
  static func mesh(_ mode: String, name: String = "istio", rest: String = "") -> String {
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \(name), namespace: istio-system}\ndata:\n  mesh: |\n    outboundTrafficPolicy: {mode: \(mode)}\n    \(rest)\n  other: x\n"
  }

  static func entry(_ spec: String, name: String = "e", namespace: String = "shop", version: String = "v1") -> String {
    "apiVersion: networking.istio.io/\(version)\nkind: ServiceEntry\nmetadata: {name: \(name), namespace: \(namespace)}\nspec: {\(spec)}\n"
  }

  static func sidecar(_ spec: String, name: String = "default", namespace: String = "shop") -> String {
    "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: \(name), namespace: \(namespace)}\nspec: {\(spec)}\n"
  }

  /// Pods of namespace shop beside those that all tests know: two with a sidecar, told by its label or its port.
  static let pods = """
    apiVersion: v1
    kind: Pod
    metadata: {name: front, namespace: shop, labels: {app: front, security.istio.io/tlsMode: istio}}
    spec: {containers: [{name: main}]}
    status: {phase: Running, podIP: 10.244.1.30}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: back, namespace: shop, labels: {app: back, istio.io/rev: canary}}
    spec: {containers: [{name: istio-proxy, ports: [{name: http-envoy-prom, containerPort: 15090}]}]}
    status: {phase: Running, podIP: 10.244.1.31}
    """

  static let tls = "hosts: [a.com, '*.b.com'], ports: [{number: 443, name: tls, protocol: TLS}]"

  @Test(arguments: [
    (entry("ports: []"), "spec.hosts", "missing"), (entry("hosts: []"), "spec.hosts", "empty"), (entry("hosts: ['a.*.com']"), "spec.hosts[0]", "no host"),
    (entry("hosts: ['*'], resolution: DNS"), "spec.hosts[0]", "only with resolution NONE"), (entry("hosts: ['*.a.com'], resolution: DNS"), "spec.hosts[0]", "cannot be resolved"),
    (entry("hosts: [a.com], resolution: dns"), "spec.resolution", "none of NONE"), (entry("hosts: [a.com], addresses: [10.0.0.0/8], resolution: DNS"), "spec.addresses[0]", "only with resolution NONE"),
    (entry("hosts: [a.com], addresses: [a]"), "spec.addresses[0]", "no address"), (entry("hosts: [a.com], endpoints: [{address: 10.0.0.1}]"), "spec.endpoints", "resolution NONE"),
    (entry("hosts: [a.com], ports: [{number: 443}]"), "spec.ports[0].name", "missing"), (entry("hosts: [a.com], ports: [{number: 0, name: x}]"), "spec.ports[0].number", "not between"),
    (entry("hosts: [a.com], ports: [{number: 1, name: x, protocol: ICMP}]"), "spec.ports[0].protocol", "none of HTTP"),
    (entry("hosts: [a.com], ports: [{number: 1, name: x}, {number: 1, name: z}]"), "spec.ports", "twice"), (entry("hosts: [a.com], host: b"), "spec.host", "unknown field"),
    (sidecar("egress: [{}]"), "spec.egress[0].hosts", "missing"), (sidecar("egress: [{hosts: [a.com]}]"), "spec.egress[0].hosts[0]", "no namespace/dnsName"),
    (sidecar("egress: [{hosts: ['A/*']}]"), "spec.egress[0].hosts[0]", "no namespace"), (sidecar("outboundTrafficPolicy: {mode: NONE}"), "spec.outboundTrafficPolicy.mode", "none of REGISTRY_ONLY"),
    (sidecar("workloadSelector: {matchLabels: {}}"), "spec.workloadSelector.matchLabels", "unknown field"),
    (mesh("REGISTRYONLY"), "data.mesh.outboundTrafficPolicy.mode", "none of REGISTRY_ONLY"), (mesh("ALLOW_ANY", rest: "outboundtrafficpolicy: {}"), "data.mesh.outboundtrafficpolicy", "unknown field"),
    (mesh("ALLOW_ANY", rest: "a: ["), "data.mesh", "line"),
  ])
  func `what Istio refuses is refused, with the field named`(_ text: String, _ path: String, _ problem: String) {
    var policies = PolicySet()
    let errors = policies.add(text, file: "f.yaml")
    #expect(errors.map(\.path) == [path])
    #expect(errors.first?.problem.contains(problem) == true, "\(errors)")
    #expect(policies.isEmpty)
  }

  static let verdicts: [([String], String, UInt16?, Transport, [NameEvidence], Verdict.Decision, String?)] = [
    ([mesh("ALLOW_ANY"), entry(tls)], "203.0.113.9", 443, .tcp, [], .unprotected, nil), ([entry(tls)], "203.0.113.9", 443, .tcp, [], .unprotected, nil),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .udp, [], .unprotected, nil), ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", nil, .icmp, [], .unprotected, nil),
    // By the name that was said; any depth below a wildcard.
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("A.com", .confirmed)], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("x.y.b.com", .confirmed)], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("b.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: name b.com does not match *.b.com or another name"),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("c.com", .confirmed), name("a.com", .shared, .dns)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; no ServiceEntry that the pod sees is about c.com"),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("a.com", .resolved, .dns)], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("a.com", .hint, .ptr)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; no ServiceEntry that the pod sees is about 203.0.113.9"),
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 80, .tcp, [name("a.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: port 80 is not 443"),
    // Two names said must both be let through.
    ([mesh("REGISTRY_ONLY"), entry(tls)], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed), name("c.com", .confirmed, .httpHost)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; no ServiceEntry that the pod sees is about c.com"),
    // TCP: by address, without addresses by port alone.
    ([mesh("REGISTRY_ONLY"), entry("hosts: [db.com], addresses: [203.0.113.0/24, 198.51.100.1], ports: [{number: 5432, name: t, protocol: TCP}]")], "203.0.113.9", 5432, .tcp, [], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry("hosts: [db.com], addresses: [203.0.113.0/24, 198.51.100.1], ports: [{number: 5432, name: t, protocol: TCP}]")], "198.51.100.2", 5432, .tcp, [], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: 198.51.100.2 is not in 203.0.113.0/24, 198.51.100.1/32"),
    ([mesh("REGISTRY_ONLY"), entry("hosts: [db.com], ports: [{number: 5432, name: t, protocol: TCP}]")], "198.51.100.2", 5432, .tcp, [], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry("hosts: [db.com], ports: [{number: 5432, name: t, protocol: UDP}]")], "198.51.100.2", 5432, .tcp, [], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; no ServiceEntry that the pod sees is about 198.51.100.2"),
    // Where a sidecar connects to: endpoints and target ports.
    ([mesh("REGISTRY_ONLY"), entry("hosts: [db.com], addresses: [240.0.0.1], resolution: STATIC, ports: [{number: 80, name: h, protocol: HTTP}], endpoints: [{address: 203.0.113.9, ports: {h: 8080}}]")],
      "203.0.113.9", 8080, .tcp, [], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry("hosts: [a.com], addresses: [240.0.0.1], resolution: DNS, ports: [{number: 443, targetPort: 8443, name: t, protocol: TLS}]")], "203.0.113.9", 8443, .tcp,
      [name("a.com", .confirmed)], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry("hosts: [a.com], addresses: [240.0.0.1], ports: [{number: 443, name: t, protocol: TLS}]")], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: 203.0.113.9 is not in 240.0.0.1/32"),
    // Who sees an entry.
    ([mesh("REGISTRY_ONLY"), entry(tls + ", exportTo: ['.']", namespace: "db")], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/db/e#0: it is not exported to namespace shop"),
    ([mesh("REGISTRY_ONLY"), entry(tls + ", exportTo: [shop]", namespace: "db")], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .allowed, nil),
    ([mesh("REGISTRY_ONLY", rest: "defaultServiceExportTo: ['.']"), entry(tls, namespace: "db")], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/db/e#0: it is not exported to namespace shop"),
    ([mesh("REGISTRY_ONLY"), entry(tls), sidecar("egress: [{hosts: ['./*.b.com']}]")], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: Sidecar/shop/default does not show shop/a.com"),
    ([mesh("REGISTRY_ONLY"), entry(tls), sidecar("egress: [{hosts: ['./*.b.com']}]")], "203.0.113.9", 443, .tcp, [name("x.b.com", .confirmed)], .allowed, nil),
    ([mesh("REGISTRY_ONLY"), entry(tls), sidecar("egress: [{port: {number: 80, protocol: HTTP, name: h}, hosts: ['*/*']}]")], "203.0.113.9", 443, .tcp, [name("x.b.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: Sidecar/shop/default does not show shop/*.b.com"),
    ([mesh("REGISTRY_ONLY"), entry(tls), sidecar("egress: [{hosts: ['~/*']}]", namespace: "istio-system")], "203.0.113.9", 443, .tcp, [name("x.b.com", .confirmed)], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; ServiceEntry/shop/e#0: Sidecar/istio-system/default does not show shop/*.b.com"),
    // The mode: the Sidecar that selects, then that of the namespace, then that of the root, then the mesh.
    ([mesh("ALLOW_ANY"), sidecar("outboundTrafficPolicy: {mode: REGISTRY_ONLY}")], "203.0.113.9", 443, .tcp, [], .denied,
      "Sidecar/shop/default lets out only what is in the registry; no ServiceEntry that the pod sees is about 203.0.113.9"),
    ([mesh("REGISTRY_ONLY"), sidecar("outboundTrafficPolicy: {mode: ALLOW_ANY}")], "203.0.113.9", 443, .tcp, [], .unprotected, nil),
    ([mesh("ALLOW_ANY"), sidecar("outboundTrafficPolicy: {mode: REGISTRY_ONLY}"), sidecar("workloadSelector: {labels: {app: front}}, outboundTrafficPolicy: {mode: ALLOW_ANY}", name: "front")],
      "203.0.113.9", 443, .tcp, [], .unprotected, nil),
    ([mesh("ALLOW_ANY"), sidecar("outboundTrafficPolicy: {}"), sidecar("workloadSelector: {labels: {app: back}}, outboundTrafficPolicy: {mode: ALLOW_ANY}", name: "back")],
      "203.0.113.9", 443, .tcp, [], .denied, "Sidecar/shop/default lets out only what is in the registry; no ServiceEntry that the pod sees is about 203.0.113.9"),
    ([mesh("REGISTRY_ONLY"), entry(tls), sidecar("egress: [{hosts: ['./*']}]", name: "a"), sidecar("egress: [{hosts: ['~/*']}]", name: "b")], "203.0.113.9", 443, .tcp, [name("a.com", .confirmed)], .undecidable,
      "Sidecar/shop/a and Sidecar/shop/b are both for the pod, and it is not defined which applies"),
    // Services of the cluster are in the registry, and so are the pods behind them.
    ([mesh("REGISTRY_ONLY")], "10.96.0.20", 80, .tcp, [], .allowed, nil), ([mesh("REGISTRY_ONLY")], "10.244.1.11", 9090, .tcp, [], .allowed, nil),
    ([mesh("REGISTRY_ONLY")], "10.244.1.20", 5432, .tcp, [], .denied, "ConfigMap/istio-system/istio lets out only what is in the registry; no ServiceEntry that the pod sees is about 10.244.1.20"),
    ([mesh("REGISTRY_ONLY"), sidecar("egress: [{hosts: ['db/*']}]")], "10.96.0.20", 80, .tcp, [], .denied,
      "ConfigMap/istio-system/istio lets out only what is in the registry; no ServiceEntry that the pod sees is about 10.96.0.20"),
    ([mesh("REGISTRY_ONLY"), sidecar("egress: [{hosts: ['./cart.shop.svc.cluster.local']}]")], "10.96.0.20", 80, .tcp, [], .allowed, nil),
    ([mesh("REGISTRY_ONLY")], "192.168.50.1", 6443, .tcp, [], .undecidable, "192.168.50.1 may be behind service shop/shop, whose endpoints are not known"),
  ]

  @Test(arguments: verdicts.indices)
  func `a pod with a sidecar reaches what is in the registry and it sees`(_ index: Int) throws {
    let (manifests, address, port, transport, names, decision, reason) = Self.verdicts[index]
    var there = try destination(address, port, transport)
    there.names = names
    for manifests in [manifests, manifests.reversed()] {
      var policies = PolicySet()
      for (number, manifest) in manifests.enumerated() { #expect(policies.add(manifest, file: "\(number).yaml") == []) }
      let judge = Judge(policies: policies, inventory: inventory(shopInventory, Self.pods))
      let verdict = judge.judge(pod("shop", "front"), there)
      #expect(verdict.decision == decision, "\(Self.verdicts[index])")
      #expect(verdict.reason == reason)
      // Without a sidecar nothing is captured.
      #expect(judge.judge(pod("shop", "web-1"), there).decision == .unprotected)
    }
  }

  @Test func `each revision of the mesh has its own configuration`() throws {
    let judge = Judge(policies: policySet(Self.mesh("ALLOW_ANY"), Self.mesh("REGISTRY_ONLY", name: "istio-canary")), inventory: inventory(shopInventory, Self.pods))
    #expect(judge.judge(pod("shop", "front"), try destination("203.0.113.9", 443)).decision == .unprotected)
    let verdict = judge.judge(pod("shop", "back"), try destination("203.0.113.9", 443))
    #expect(verdict.decision == .denied)
    #expect(verdict.selectedBy == ["ConfigMap/istio-system/istio-canary"])
  }

  @Test func `it stands beside NetworkPolicy, and both must let a connection out`() throws {
    let judge = Judge(
      policies: policySet(Self.mesh("REGISTRY_ONLY"), Self.entry(Self.tls), networkPolicy("[{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}]")), inventory: inventory(shopInventory, Self.pods))
    let said = name("a.com", .confirmed)
    #expect(judge.judge(pod("shop", "front"), try destination("203.0.113.9", 443, .tcp, said)).by.map(\.description) == ["NetworkPolicy/shop/p#0", "ServiceEntry/shop/e#0"])
    #expect(judge.judge(pod("shop", "front"), try destination("198.51.100.1", 443, .tcp, said)).decision == .denied)
    #expect(judge.judge(pod("shop", "front"), try destination("203.0.113.9", 443)).decision == .denied)
    #expect(judge.judge(pod("shop", "web-1"), try destination("203.0.113.9", 443)).decision == .allowed)
  }

  @Test func `a ConfigMap about something else is no policy and no error`() {
    var policies = PolicySet()
    #expect(policies.add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mesh: ': ['}\n", file: "f.yaml") == [])
    #expect(policies.add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-ca-root-cert}\ndata: {root-cert.pem: x}\n", file: "f.yaml") == [])
    #expect(policies.isEmpty && policies.notUnderstood.isEmpty)
  }

  @Test func `entries are rules only where the registry is all that is let out`() {
    let entry = Self.entry("hosts: ['*.a.com'], ports: [{number: 443, name: t, protocol: TLS}, {number: 25, name: m, protocol: TCP}]", version: "v1beta1")
    #expect(policySet(entry, Self.mesh("ALLOW_ANY")).rules.isEmpty)
    let rules = policySet(entry, Self.mesh("REGISTRY_ONLY")).rules
    #expect(rules.map(\.summary) == ["to *.a.com ports 443/tls", "to any destination ports 25/tcp"])
    #expect(rules.map(\.width) == [nil, "any destination"])
    #expect(rules[0].wildcardDomains.map(\.text) == ["a.com"])
  }
}
