import EgressModel
import Policy
import Testing

/// The two namespaces, five pods, node and services that most tests talk about.
let shopInventory = """
  {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: alpha}}}
  ---
  {apiVersion: v1, kind: Namespace, metadata: {name: db}}
  ---
  apiVersion: v1
  kind: Pod
  metadata: {name: web-1, namespace: shop, uid: u-web, labels: {app: web, tier: front}}
  spec: {nodeName: node-1, containers: [{name: main, ports: [{name: http, containerPort: 8080}]}]}
  status: {phase: Running, podIPs: [{ip: 10.244.1.10}, {ip: "fd00::10"}]}
  ---
  apiVersion: v1
  kind: Pod
  metadata: {name: cart-1, namespace: shop, labels: {app: cart}}
  spec: {nodeName: node-1, containers: [{name: main, ports: [{name: http, containerPort: 9090}, {name: dns, containerPort: 53, protocol: UDP}]}]}
  status: {phase: Running, podIP: 10.244.1.11}
  ---
  apiVersion: v1
  kind: Pod
  metadata: {name: pg-0, namespace: db, labels: {app: pg}}
  spec: {nodeName: node-1, containers: [{name: main, ports: [{name: pg, containerPort: 5432}]}]}
  status: {phase: Running, podIPs: [{ip: 10.244.1.20}]}
  ---
  apiVersion: v1
  kind: Pod
  metadata: {name: done, namespace: db, labels: {app: web}}
  spec: {nodeName: node-1, containers: [{name: main}]}
  status: {phase: Succeeded, podIPs: [{ip: 10.244.1.20}]}
  ---
  apiVersion: v1
  kind: Pod
  metadata: {name: agent, namespace: shop, labels: {app: web}}
  spec: {nodeName: node-1, hostNetwork: true, containers: [{name: main}]}
  status: {phase: Running, podIPs: [{ip: 192.168.50.1}]}
  ---
  apiVersion: v1
  kind: Node
  metadata: {name: node-1}
  spec: {podCIDR: 10.244.1.0/24}
  status: {addresses: [{type: InternalIP, address: 192.168.50.1}, {type: Hostname, address: node-1}]}
  ---
  apiVersion: v1
  kind: Service
  metadata: {name: cart, namespace: shop}
  spec: {clusterIP: 10.96.0.20, selector: {app: cart}, ports: [{port: 80, targetPort: http}, {name: dns, protocol: UDP, port: 53}]}
  ---
  apiVersion: v1
  kind: Service
  metadata: {name: shop, namespace: shop}
  spec: {clusterIPs: [10.96.0.21], selector: {}, ports: [{port: 443, targetPort: 6443}]}
  """

func inventory(_ manifests: String...) -> Inventory {
  var reader = InventoryReader()
  for manifest in manifests { #expect(reader.add(manifest, file: "inventory.yaml") == []) }
  return reader.inventory
}

func policySet(_ manifests: String...) -> PolicySet {
  var policies = PolicySet()
  for (index, manifest) in manifests.enumerated() {
    #expect(policies.add(manifest, file: "p\(index).yaml") == [])
  }
  return policies
}

/// A NetworkPolicy `shop/p` with this egress section, in flow style.
func networkPolicy(_ egress: String, name: String = "p", namespace: String = "shop", select: String = "{}", types: String = "[Egress]") -> String {
  """
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: \(name), namespace: \(namespace)}
  spec:
    podSelector: \(select)
    policyTypes: \(types)
    egress: \(egress)
  """
}

func pod(_ namespace: String, _ name: String) -> Workload { Workload(kind: .pod, namespace: namespace, name: name) }

func destination(_ address: String, _ port: UInt16?, _ transport: Transport = .tcp, _ names: NameEvidence...) throws -> Destination {
  Destination(address: try #require(IPAddress(address)), port: port, transport: transport, names: names)
}

func name(_ text: String, _ confidence: Confidence, _ source: NameSource = .tlsSNI) -> NameEvidence {
  NameEvidence(name: DomainName(presentation: text), source: source, confidence: confidence)
}

/// SplitMix64, so that a failing run can be repeated from its printed seed.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
