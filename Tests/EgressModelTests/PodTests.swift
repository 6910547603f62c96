import Testing

@testable import EgressModel

@Suite struct PodTests {
  @Test func `pods are equal only where all that is known of them is`() {
    func pod(
      namespace: String = "shop", name: String = "web", uid: String? = "u", staticHash: String? = nil, labels: [String: String] = ["app": "web"],
      addresses: [IPAddress] = [IPAddress("10.244.1.5")!], hostNetwork: Bool = false, ports: [Pod.Port] = [], node: String? = "node-1",
      serviceAccount: String? = "default", phase: String = "Running", owner: Workload.Owner? = nil
    ) -> Pod {
      Pod(
        namespace: namespace, name: name, uid: uid, staticHash: staticHash, labels: labels, addresses: addresses, hostNetwork: hostNetwork, ports: ports,
        node: node, serviceAccount: serviceAccount, phase: phase, owner: owner)
    }
    #expect(pod() == pod())
    let others = [
      pod(namespace: "other"), pod(name: "web-2"), pod(uid: "v"), pod(staticHash: "h"), pod(labels: [:]), pod(addresses: []), pod(hostNetwork: true),
      pod(ports: [Pod.Port(name: "http", number: 8080, transport: .tcp)]), pod(node: nil), pod(serviceAccount: "web"), pod(phase: "Failed"),
      pod(owner: Workload.Owner(kind: "Deployment", name: "web")),
    ]
    for other in others { #expect(other != pod()) }
    // The copy with other labels, ports and owner is the same pod else.
    let copy = Pod(pod(), labels: ["app": "web"], ports: [], owner: nil)
    #expect(copy == pod() && Pod(pod(), labels: [:], ports: [], owner: nil) != pod())
  }
}
