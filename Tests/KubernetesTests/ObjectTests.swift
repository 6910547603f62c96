import EgressModel
import Testing

@testable import Kubernetes

@Suite struct ObjectTests {
  private func content(_ text: String, _ resource: Resource) throws -> ClusterObject.Content { try ClusterObject(Array(text.utf8), of: resource).content }

  @Test func `of a pod is read what attribution and selectors need`() throws {
    guard case .pod(let pod, let since) = try content(Fixture.pod("web-1", uid: "u", version: 5), .pods) else { throw Wrong() }
    #expect(pod.namespace == "shop" && pod.name == "web-1" && pod.uid == "u" && pod.node == "node-1" && pod.phase == "Running")
    #expect(pod.labels == ["app": "web"] && pod.addresses.map(\.description) == ["10.244.1.7", "fd00:1::5"])
    // A sidecar's port counts, that of another init container does not.
    #expect(pod.ports.map(\.number) == [8080, 53, 15001] && pod.ports.map(\.transport) == [.tcp, .udp, .tcp] && pod.ports[0].name == "http")
    #expect(since == Fixture.moment("2026-03-02T09:00:00Z"))
  }

  @Test(arguments: [
    ("ReplicaSet", "web-6f7c9d8b5", #"{"pod-template-hash":"6f7c9d8b5"}"#, "Deployment", "web"), ("ReplicaSet", "web-6f7c9d8b5", "{}", "ReplicaSet", "web-6f7c9d8b5"),
    ("StatefulSet", "db", "{}", "StatefulSet", "db"), ("DaemonSet", "agent", "{}", "DaemonSet", "agent"), ("Job", "backup-29384756", "{}", "CronJob", "backup"),
    ("Job", "migrate", "{}", "Job", "migrate"), ("Job", "-29384756", "{}", "Job", "-29384756"),
  ])
  func `the owner is what outlives a roll-out`(kind: String, name: String, labels: String, ownerKind: String, ownerName: String) throws {
    guard case .pod(let pod, _) = try content(Fixture.pod("p", owner: (kind, name), labels: labels), .pods) else { throw Wrong() }
    #expect(pod.owner == Workload.Owner(kind: ownerKind, name: ownerName))
  }

  @Test func `a static pod is also known by the hash that its control group has`() throws {
    let mirror = #"{"metadata":{"name":"etcd-n1","namespace":"kube-system","uid":"u","annotations":{"kubernetes.io/config.source":"file","kubernetes.io/config.hash":"b1946ac92492d2347c6235b4d2611184"}},"spec":{"hostNetwork":true},"status":{"phase":"Running"}}"#
    guard case .pod(let pod, _) = try content(mirror, .pods) else { throw Wrong() }
    #expect(pod.uid == "u" && pod.staticHash == "b1946ac92492d2347c6235b4d2611184")
    guard case .pod(let other, _) = try content(#"{"metadata":{"name":"a","annotations":null}}"#, .pods) else { throw Wrong() }
    #expect(other.staticHash == nil)
  }

  @Test func `nodes, services and namespaces`() throws {
    guard
      case .node(let node) = try content(
        #"{"metadata":{"name":"n1","labels":{"zone":"a"}},"spec":{"podCIDR":"10.1.0.0/24","podCIDRs":["10.1.0.0/24","fd00:1::/64"]},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"},{"type":"Hostname","address":"n1"}]}}"#, .nodes)
    else { throw Wrong() }
    #expect(node == Node(name: "n1", labels: ["zone": "a"], addresses: [IPAddress("192.0.2.1")!], podCIDRs: [IPPrefix("10.1.0.0/24")!, IPPrefix("fd00:1::/64")!]))
    guard
      case .service(let service) = try content(
        #"{"metadata":{"name":"dns","namespace":"kube-system"},"spec":{"clusterIP":"10.96.0.10","clusterIPs":["10.96.0.10"],"selector":{"k8s-app":"kube-dns"},"ports":[{"port":53,"protocol":"UDP","targetPort":"dns"},{"port":80,"targetPort":8080},{"port":9}]}}"#,
        .services)
    else { throw Wrong() }
    #expect(service.clusterIPs == [IPAddress("10.96.0.10")!] && service.selector == ["k8s-app": "kube-dns"])
    #expect(
      service.ports == [
        .init(number: 53, transport: .udp, target: .named("dns")), .init(number: 80, transport: .tcp, target: .number(8080)),
        .init(number: 9, transport: .tcp, target: .number(9)),
      ])
    guard case .service(let headless) = try content(#"{"metadata":{"name":"h","namespace":"x"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}"#, .services) else {
      throw Wrong()
    }
    #expect(headless.clusterIPs.isEmpty)
    guard case .namespace(let namespace) = try content(#"{"metadata":{"name":"shop","labels":{"team":"a"}}}"#, .namespaces) else { throw Wrong() }
    #expect(namespace.labels == ["team": "a", "kubernetes.io/metadata.name": "shop"])
  }

  @Test func `a policy becomes a manifest without status and bookkeeping`() throws {
    let resource = Resource(group: "networking.k8s.io", version: "v1", plural: "networkpolicies", kind: "NetworkPolicy")
    guard case .policy(let manifest) = try content(Fixture.policy("web"), resource) else { throw Wrong() }
    #expect(manifest.file == "api:NetworkPolicy/shop/web")
    #expect(
      manifest.text
        == #"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","spec":{"podSelector":{},"policyTypes":["Egress"],"egress":[{"to":[{"ipBlock":{"cidr":"203.0.113.0/24"}}]}]},"metadata":{"name":"web","namespace":"shop","labels":{"team":"a"}}}"#)
    let calico = Resource(group: "crd.projectcalico.org", version: "v1", plural: "globalnetworkpolicies", kind: "GlobalNetworkPolicy")
    guard case .policy(let global) = try content(#"{"apiVersion":"crd.projectcalico.org/v1","kind":"GlobalNetworkPolicy","metadata":{"name":"a\"b"},"spec":{}}"#, calico) else {
      throw Wrong()
    }
    #expect(global.text == #"{"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkPolicy","spec":{},"metadata":{"name":"a\"b"}}"#)
  }

  @Test func `discovery finds the kinds that hold policy, and Calico's only once`() throws {
    let both = Fixture.groups([("apps", "v1"), ("crd.projectcalico.org", "v1"), ("projectcalico.org", "v3"), ("cilium.io", "v2")])
    #expect(try Discovery.versions(inGroups: Array(both.utf8)).map(\.group) == ["projectcalico.org", "cilium.io"])
    let list = Fixture.resources([("ciliumnetworkpolicies", "CiliumNetworkPolicy"), ("ciliumendpoints", "CiliumEndpoint")])
    #expect(try Discovery.resources(inList: Array(list.utf8), group: "cilium.io", version: "v2").map(\.description) == ["ciliumnetworkpolicies.cilium.io"])
  }

  struct Wrong: Error {}
}
