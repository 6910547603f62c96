import EgressModel

/// A flow as Cilium sees it: what the destination is.
struct CiliumFlow {
  enum Identity: Hashable {
    case pod(Int)
    /// `isLocal` nil: whether it is the workload's own is not known.
    case node(Int?, isLocal: Bool?)
    case world
    /// A Service of which it is not known where it leads.
    case service(Service?, reason: String)
  }

  var identity: Identity
  var place: Place
  var destination: Destination

  /// `node`: the name of the workload's own.
  init(_ place: Place, _ destination: Destination, from node: String?, _ cluster: Cluster) {
    self.place = place
    self.destination = destination
    if let pod = place.pod {
      identity = .pod(pod)
    } else if let index = cluster.node(at: place.address) {
      identity = .node(index, isLocal: node.map { $0 == cluster.nodes[index].name })
    } else if let host = cluster.hostNetworkPod(at: place.address) {
      // The inventory has no such node, and yet a pod on one.
      let other = cluster.pods[host].node
      identity = .node(nil, isLocal: node.flatMap { node in other.map { $0 == node } })
    } else {
      identity = .world
    }
  }

  init(_ service: Service?, _ reason: String, _ destination: Destination) {
    identity = .service(service, reason: reason)
    self.destination = destination
    let port = service?.ports.first { $0.number == destination.port && $0.transport == destination.transport }
    place = Place(address: destination.address, pod: nil, port: nil)
    if case .number(let number)? = port?.target { place.port = number }
  }

  /// The names that the client asked for in a ClientHello.
  var serverNames: [DomainName] {
    destination.names.filter { $0.source == .tlsSNI || $0.source == .quicSNI }.map(\.name)
  }
}
