import EgressModel

/// An inventory, indexed for judgement: who has an address, who is meant by a workload, what stands behind a service.
final class Cluster: Sendable {
  let pods: [Pod]
  /// Those of the inventory and those that only its pods name, by name.
  let namespaces: [NamespaceObject]
  /// For each pod, the index of its namespace.
  let namespaceOfPod: [Int]
  let nodes: [Node]
  private let nodesByAddress: [IPAddress: Int]
  private let nodesByName: [String: Int]
  private let podNetworks: PrefixSet
  let services: [Service]
  private let servicesByAddress: [IPAddress: Service]
  private let hostNetworkPods: [IPAddress: Int]
  private let podsByAddress: [IPAddress: Int]
  /// Where several claim one address: all of them.
  private let podsSharingAddress: [IPAddress: [Int]]
  private let podsByUID: [String: Int]
  private let podsByName: [PodName: Int]
  private let podsByGroup: [String: Int]
  private let podsByNamespace: [String: [Int]]

  private struct PodName: Hashable {
    var namespace: String
    var name: String
  }

  init(_ inventory: Inventory) {
    pods = inventory.pods
    var namespaces = inventory.namespaces
    var byAddress: [IPAddress: Int] = [:]
    var sharing: [IPAddress: [Int]] = [:]
    var hostNetwork: [IPAddress: Int] = [:]
    var byUID: [String: Int] = [:]
    var byName: [PodName: Int] = [:]
    var byGroup: [String: Int] = [:]
    var byNamespace: [String: [Int]] = [:]
    for (index, pod) in pods.enumerated() {
      // The API server gives every namespace its name as a label, whether or not it stands in the inventory.
      if namespaces[pod.namespace] == nil { namespaces[pod.namespace] = NamespaceObject(name: pod.namespace) }
      // A pod on the host network has the node's addresses, which no selector matches.
      for address in pod.ownsAddresses ? pod.addresses : [] {
        if pod.hostNetwork {
          hostNetwork[address] = index
        } else if let first = byAddress.updateValue(index, forKey: address) {
          sharing[address, default: [first]].append(index)
        }
      }
      if let uid = pod.uid { byUID[uid] = index }
      byName[PodName(namespace: pod.namespace, name: pod.name)] = index
      byNamespace[pod.namespace, default: []].append(index)
      // A running pod stands for its group rather than one that has ended.
      let group = pod.workload.group
      if pod.ownsAddresses || byGroup[group] == nil { byGroup[group] = index }
    }
    services = inventory.services
    var servicesByAddress: [IPAddress: Service] = [:]
    for service in services {
      for address in service.clusterIPs { servicesByAddress[address] = service }
    }
    self.namespaces = namespaces.values.sorted { $0.name < $1.name }
    let numbers = Dictionary(uniqueKeysWithValues: self.namespaces.enumerated().map { ($1.name, $0) })
    namespaceOfPod = pods.map { numbers[$0.namespace] ?? 0 }
    nodes = inventory.nodes
    nodesByAddress = Dictionary(inventory.nodes.enumerated().flatMap { index, node in node.addresses.map { ($0, index) } }) { first, _ in first }
    nodesByName = Dictionary(inventory.nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
    podNetworks = PrefixSet(inventory.nodes.flatMap(\.podCIDRs))
    self.servicesByAddress = servicesByAddress
    hostNetworkPods = hostNetwork
    podsByAddress = byAddress
    podsSharingAddress = sharing
    podsByUID = byUID
    podsByName = byName
    podsByGroup = byGroup
    podsByNamespace = byNamespace
  }

  /// The pod that owns an address of its own; nil when none or several do.
  func pod(at address: IPAddress) -> Int? {
    podsSharingAddress[address] == nil ? podsByAddress[address] : nil
  }

  /// The node that has an address, which the pods on its host network share.
  func node(at address: IPAddress) -> Int? { nodesByAddress[address] }

  func node(named name: String) -> Int? { nodesByName[name] }

  /// A pod that shares the address with its node.
  func hostNetworkPod(at address: IPAddress) -> Int? { hostNetworkPods[address] }

  /// Whether a node gives the address to pods, known to the inventory or not.
  func isPodNetwork(_ address: IPAddress) -> Bool { podNetworks.block(of: address) != nil }

  func service(at address: IPAddress) -> Service? { servicesByAddress[address] }

  /// The pod itself by uid or name; else another of its controller, which has the same labels but for those of one roll-out.
  func pod(for workload: Workload) -> Int? {
    if let uid = workload.uid, let pod = podsByUID[uid] { return pod }
    if let pod = podsByName[PodName(namespace: workload.namespace ?? "default", name: workload.name)] { return pod }
    return podsByGroup[workload.group]
  }

  /// Where a connection may really end: one place, but for services with several backends and addresses that several pods claim.
  func targets(of destination: Destination) -> Targets {
    if let service = service(at: destination.address) { return backends(of: service, destination) }
    let pods = podsSharingAddress[destination.address] ?? podsByAddress[destination.address].map { [$0] } ?? []
    guard !pods.isEmpty else { return .places([Place(address: destination.address, pod: nil, port: destination.port)]) }
    return .places(pods.map { Place(address: destination.address, pod: $0, port: destination.port) })
  }

  private func backends(of service: Service, _ destination: Destination) -> Targets {
    let name = "service \(service.namespace)/\(service.name)"
    guard let port = service.ports.first(where: { $0.number == destination.port && $0.transport == destination.transport }) else {
      return .unknown("\(destination.address) is \(name), which has no port \(destination.portText)")
    }
    guard !service.selector.isEmpty else {
      return .unknown("\(destination.address) is \(name), which selects no pods: its endpoints are not known")
    }
    let selector = LabelSelector(matchLabels: service.selector)
    var places: [Place] = []
    for index in podsByNamespace[service.namespace] ?? [] where pods[index].ownsAddresses && selector.matches(pods[index].labels) {
      let pod = pods[index]
      // The address of the same family: a service's IPv6 address leads to the backends' IPv6 addresses.
      guard let address = pod.addresses.first(where: { $0.isV4 == destination.address.isV4 }) else { continue }
      let number: UInt16? =
        switch port.target {
        case .number(let number): number
        case .named(let name): pod.ports.first { $0.name == name && $0.transport == port.transport }?.number
        }
      guard let number else { continue }
      places.append(Place(address: address, pod: pod.hostNetwork ? nil : index, port: number))
    }
    return places.isEmpty ? .unknown("\(destination.address) is \(name), which has no backend in the inventory") : .places(places)
  }
}

/// One place where a connection may end, after the translation of service addresses.
struct Place: Hashable, Sendable {
  var address: IPAddress
  /// Its index in the cluster; nil for everything that no selector matches: third parties, nodes, pods on the host network.
  var pod: Int?
  var port: UInt16?
}

enum Targets {
  /// Never empty.
  case places([Place])
  case unknown(String)
}

extension Destination {
  /// `443/tcp`, `icmp`.
  var portText: String { port.map { "\($0)/\(transport)" } ?? "\(transport)" }
}
