import EgressModel
import FoundationEssentials
import Host
import Synchronization

/// What this host's own network looks like, as far as it decides who is local.
struct HostNetwork: Equatable, Sendable {
  /// The host's own addresses, loopback included.
  var addresses: Set<IPAddress>
  /// Networks behind the host: those of interfaces without a default route (bridges, veths), and single addresses that are routed to such an interface
  /// itself, as those of pods with a link of their own are.
  var behind: Set<IPPrefix>

  /// Who counts as local.
  var local: [IPPrefix] { addresses.map { IPPrefix($0) } + behind }

  static func current() throws(HostError) -> HostNetwork {
    let all = try LocalAddress.all()
    let routes = Route.all()
    let uplinks = Set(routes.filter(\.isDefault).map(\.interface))
    let networks = all.filter { !uplinks.contains($0.interface) && !$0.address.isLinkLocal }.map(\.prefix)
    let routed = routes.filter { $0.destination.isHost && !$0.hasGateway && !uplinks.contains($0.interface) }.map(\.destination)
    return HostNetwork(addresses: Set(all.map(\.address)), behind: Set(networks + routed.filter { !$0.address.isLinkLocal && !$0.address.isMulticast }))
  }

  /// The interfaces with a default route.
  static var uplinks: Set<String> { Set(Route.all().filter(\.isDefault).map(\.interface)) }

  /// The addresses that decide what is judged; a pod's link brings others.
  var lastingAddresses: Set<IPAddress> { addresses.filter { !$0.isLinkLocal } }

  /// The name of this node: what Kubernetes calls it, else the host's.
  static var nodeName: String {
    ProcessInfo.processInfo.environment["NODE_NAME"].flatMap { $0.isEmpty ? nil : $0 } ?? hostname()
  }
}

/// This host's network as it is now, for everybody who asks who is local.
final class CurrentHost: Sendable {
  private let network: Mutex<HostNetwork>

  init() throws(HostError) { network = Mutex(try .current()) }

  var now: HostNetwork { network.withLock { $0 } }

  func isOwn(_ address: IPAddress) -> Bool { network.withLock { $0.addresses.contains(address) } }

  /// Looks again. Gives what it was before, where it changed.
  func refresh() throws(HostError) -> HostNetwork? {
    let new = try HostNetwork.current()
    return network.withLock { network in
      guard network != new else { return nil }
      defer { network = new }
      return network
    }
  }
}
