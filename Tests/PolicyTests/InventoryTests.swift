import EgressModel
import Policy
import Testing

@Suite struct InventoryTests {
  @Test func `what kubectl prints is read, and what is not needed is passed over`() throws {
    let read = inventory(
      shopInventory,
      """
      apiVersion: v1
      kind: List
      metadata: {resourceVersion: ""}
      items:
      - apiVersion: v1
        kind: Pod
        metadata:
          name: sidecar-1
          namespace: shop
          uid: 0b1c
          creationTimestamp: "2026-01-01T00:00:00Z"
          annotations: {a: "{\\"json\\":[1]}"}
          managedFields: [{manager: kubelet, fieldsV1: {"f:metadata": {"f:labels": {".": {}}}}}]
        spec:
          serviceAccountName: runner
          nodeName: node-2
          tolerations: [{key: a, operator: Exists, tolerationSeconds: 300}]
          initContainers:
          - {name: once, ports: [{containerPort: 1}]}
          - {name: proxy, restartPolicy: Always, ports: [{containerPort: 15001, name: proxy, protocol: TCP}]}
          containers:
          - {name: main, ports: [{containerPort: 8080}, {containerPort: 53, name: dns, protocol: UDP, hostPort: 53}], resources: {limits: {cpu: 1}}}
        status: {phase: Running, hostIP: 192.168.50.2, podIP: 10.244.2.5, podIPs: [{ip: 10.244.2.5}, {ip: "2001:db8::5"}], conditions: [{status: "True"}]}
      - {apiVersion: v1, kind: Pod, metadata: {name: waiting}, spec: {containers: []}, status: {phase: Pending}}
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {x: y}}
      """)
    let pod = try #require(read.pods.first { $0.name == "sidecar-1" })
    #expect(pod.uid == "0b1c")
    #expect(pod.serviceAccount == "runner")
    #expect(pod.node == "node-2")
    #expect(pod.addresses.map(\.description) == ["10.244.2.5", "2001:db8::5"])
    #expect(pod.ports.map(\.number) == [8080, 53, 15001])
    #expect(pod.ports.map(\.name) == [nil, "dns", "proxy"])
    #expect(pod.ports.map(\.transport) == [.tcp, .udp, .tcp])
    let waiting = try #require(read.pods.first { $0.name == "waiting" })
    #expect(waiting.namespace == "default" && waiting.addresses.isEmpty && waiting.phase == "Pending")
    #expect(read.pods.first { $0.name == "agent" }?.hostNetwork == true)
    #expect(read.pods.first { $0.name == "done" }?.ownsAddresses == false)
    #expect(read.namespaces["shop"]?.labels == ["team": "alpha", "kubernetes.io/metadata.name": "shop"])
    #expect(read.nodes.first?.addresses.map(\.description) == ["192.168.50.1"])
    #expect(read.nodes.first?.podCIDRs.map(\.description) == ["10.244.1.0/24"])
    let cart = try #require(read.services.first { $0.name == "cart" })
    #expect(cart.clusterIPs.map(\.description) == ["10.96.0.20"])
    #expect(cart.ports == [.init(number: 80, transport: .tcp, target: .named("http")), .init(number: 53, transport: .udp, target: .number(53))])
  }

  @Test(arguments: [
    // With the owner at hand.
    ("ReplicaSet", "web-abc", "abc", "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-abc, ownerReferences: [{kind: Deployment, name: shop-web, controller: true}]}}",
      "Deployment/shop-web"),
    ("ReplicaSet", "web-abc", "abc", "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-abc}}", "ReplicaSet/web-abc"),
    ("Job", "nightly-29123456", "", "{apiVersion: batch/v1, kind: Job, metadata: {name: nightly-29123456}}", "Job/nightly-29123456"),
    ("Job", "run", "", "{apiVersion: batch/v1, kind: Job, metadata: {name: run, ownerReferences: [{kind: CronJob, name: nightly, controller: true}]}}", "CronJob/nightly"),
    // By their names.
    ("ReplicaSet", "web-abc", "abc", "", "Deployment/web"), ("ReplicaSet", "web-abc", "xyz", "", "ReplicaSet/web-abc"), ("ReplicaSet", "-abc", "abc", "", "ReplicaSet/-abc"),
    ("Job", "nightly-29123456", "", "", "CronJob/nightly"), ("Job", "nightly-1700000000", "", "", "CronJob/nightly"), ("Job", "nightly-12", "", "", "Job/nightly-12"),
    ("Job", "-29123456", "", "", "Job/-29123456"), ("StatefulSet", "pg", "", "", "StatefulSet/pg"),
  ])
  func `a pod's owner is what outlives a roll-out`(_ kind: String, _ name: String, _ hash: String, _ owner: String, _ resolved: String) throws {
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {pod-template-hash: '\(hash)'}, ownerReferences: [{kind: Node, name: n}, {kind: \(kind), name: '\(name)', controller: true}]}}"
    for order in [pod + "\n---\n" + owner, owner + "\n---\n" + pod] {
      let owner = try #require(inventory(order).pods.first?.owner)
      #expect("\(owner.kind)/\(owner.name)" == resolved)
    }
  }

  @Test(arguments: [
    ("metadata: {name: p}\nstatus: {podIP: 10.0.0}", "status.podIP"), ("metadata: {name: p}\nstatus: {podIPs: [{ip: x}]}", "status.podIPs[0].ip"), ("metadata: {}", "metadata.name"),
    ("spec: {}", "metadata"), ("metadata: {name: p, labels: {a: yes}}", "metadata.labels.a"), ("metadata: {name: p}\nspec: {hostNetwork: \"true\"}", "spec.hostNetwork"),
    ("metadata: {name: p}\nspec: {containers: [{ports: [{containerPort: 70000}]}]}", "spec.containers[0].ports[0].containerPort"), ("metadata: {name: p}\nspec: 5", "spec"),
  ])
  func `what is needed and cannot be read is an error, and the object is left out`(_ body: String, _ path: String) {
    var reader = InventoryReader()
    let errors = reader.add("apiVersion: v1\nkind: Pod\n\(body)\n", file: "f.yaml")
    #expect(errors.map(\.path) == [path])
    #expect(reader.inventory.pods.isEmpty)
  }

  @Test func `policies in an inventory are passed over, and the last of two like objects counts`() {
    let read = inventory(
      networkPolicy("[{nonsense: 1}]"), "{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Running, podIP: 10.0.0.1}}",
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, status: {phase: Running, podIP: 10.0.0.2}}")
    #expect(read.pods.map { $0.addresses.map(\.description) } == [["10.0.0.2"]])
  }
}
