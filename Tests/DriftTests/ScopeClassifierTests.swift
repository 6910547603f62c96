import Drift
import EgressModel
import Testing

@Suite struct ScopeClassifierTests {
  private static let classifier: ScopeClassifier = {
    var inventory = Inventory()
    inventory.nodes = [
      Node(
        name: "node-1", addresses: ["192.168.1.10", "2001:db8:1::10"].compactMap { IPAddress($0) },
        podCIDRs: ["10.244.1.0/24", "fd00:10:244:1::/64"].compactMap { IPPrefix($0) }),
      Node(name: "node-2", podCIDRs: ["10.244.2.0/23"].compactMap { IPPrefix($0) }),
    ]
    inventory.services = [Service(namespace: "default", name: "kubernetes", clusterIPs: [IPAddress(v4: 0x0a60_0001)])]
    inventory.pods = [
      Pod(namespace: "shop", name: "web", addresses: ["172.20.0.5", "203.0.113.77"].compactMap { IPAddress($0) }),
      Pod(namespace: "shop", name: "done", addresses: ["172.20.0.6"].compactMap { IPAddress($0) }, phase: "Succeeded"),
      Pod(namespace: "kube-system", name: "proxy", addresses: ["192.168.1.11"].compactMap { IPAddress($0) }, hostNetwork: true),
    ]
    return ScopeClassifier(inventory: inventory, nodeAddresses: ["198.51.100.1", "127.0.0.1"].compactMap { IPAddress($0) })
  }()

  @Test(arguments: [
    ("127.0.0.1", Scope.local), ("::1", .local), ("169.254.169.254", .local), ("fe80::1", .local), ("224.0.0.251", .local), ("ff02::fb", .local),
    ("255.255.255.255", .local), ("0.0.0.0", .local), ("::", .local),
    ("192.168.1.10", .node), ("2001:db8:1::10", .node), ("192.168.1.11", .node), ("198.51.100.1", .node),
    ("172.20.0.5", .cluster), ("203.0.113.77", .cluster), ("10.96.0.1", .cluster), ("10.244.1.200", .cluster), ("10.244.3.9", .cluster),
    ("fd00:10:244:1::42", .cluster), ("::ffff:10.244.1.1", .cluster),
    ("172.20.0.6", .private), ("10.244.4.1", .private), ("10.0.0.1", .private), ("100.64.0.1", .private), ("192.168.1.12", .private),
    ("fd00:10:244:2::1", .private),
    ("203.0.113.10", .external), ("2001:db8:1::11", .external), ("172.32.0.1", .external), ("100.128.0.1", .external),
  ])
  func `an address has the scope of whom it belongs to`(address: String, scope: Scope) throws {
    #expect(Self.classifier.scope(of: try #require(IPAddress(address))) == scope)
  }

  @Test func `without an inventory only the address itself tells`() throws {
    let classifier = ScopeClassifier()
    #expect(classifier.scope(of: try #require(IPAddress("10.244.1.1"))) == .private)
    #expect(classifier.scope(of: try #require(IPAddress("203.0.113.10"))) == .external)
  }

  @Test func `an empty block holds every address of its family and no other`() throws {
    var inventory = Inventory()
    inventory.nodes = [Node(name: "n", podCIDRs: [try #require(IPPrefix("0.0.0.0/0"))])]
    let classifier = ScopeClassifier(inventory: inventory)
    #expect(classifier.scope(of: try #require(IPAddress("203.0.113.10"))) == .cluster)
    #expect(classifier.scope(of: try #require(IPAddress("2001:db8::1"))) == .external)
  }
}
