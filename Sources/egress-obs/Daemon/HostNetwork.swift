import Capture
import EgressModel
import FoundationEssentials
import Host

/// What this host's own network looks like, as far as it decides who is local.
struct HostNetwork: Sendable {
  /// The host's own addresses, loopback included.
  var addresses: [IPAddress]
  /// Who counts as local: the host itself and the networks behind it, which are those of interfaces without a default route (bridges, veths).
  var local: [IPPrefix]

  static func current() throws(HostError) -> HostNetwork {
    let all = try LocalAddress.all()
    let uplinks = defaultRouteInterfaces()
    let behind = all.filter { !uplinks.contains($0.interface) && !$0.address.isLinkLocal }.map(\.prefix)
    return HostNetwork(addresses: all.map(\.address), local: all.map { IPPrefix($0.address) } + behind)
  }

  /// Interfaces with a default route, from /proc/net/route (IPv4) and /proc/net/ipv6_route.
  static func defaultRouteInterfaces() -> Set<String> {
    func lines(_ path: String) -> [[Substring]] {
      let text = (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
      return text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
    }
    let v4 = lines("/proc/net/route").filter { $0.count > 7 && $0[1] == "00000000" && $0[7] == "00000000" }.map { String($0[0]) }
    let v6 = lines("/proc/net/ipv6_route").filter { $0.count > 9 && $0[1] == "00" && $0[0].allSatisfy { $0 == "0" } && $0[9] != "lo" }
    return Set(v4 + v6.map { String($0[9]) })
  }

  /// The name of this node: what Kubernetes calls it, else the host's.
  static var nodeName: String {
    ProcessInfo.processInfo.environment["NODE_NAME"].flatMap { $0.isEmpty ? nil : $0 } ?? hostname()
  }
}

/// An interface that the daemon captures on.
struct WatchedInterface: Sendable {
  var name: String
  var configuration: CaptureConfiguration

  /// The named interfaces, or every one that is up, has an address and is not seen through another; of loopback only DNS, for
  /// stub resolvers.
  static func chosen(_ names: [String], _ configuration: CaptureConfiguration) throws -> [WatchedInterface] {
    let all = NetworkInterface.all()
    if !names.isEmpty {
      return try names.map { name in
        guard name == "any" || all.contains(where: { $0.name == name }) else {
          throw Trouble("\(CaptureError.noSuchInterface(name: name, available: all.map(\.name)))")
        }
        return WatchedInterface(name: name, configuration: configuration)
      }
    }
    var dnsOnly = configuration
    dnsOnly.filter = .ports([53])
    let candidates = all.filter { $0.isUp && !$0.addresses.isEmpty }
    let names = Set(candidates.map(\.name))
    // A veth with a link-local address and the bridge it is a port of would count every packet twice.
    let chosen = candidates.filter { carrier(of: $0.name).map { !names.contains($0) } ?? true }.map {
      WatchedInterface(name: $0.name, configuration: $0.isLoopback ? dnsOnly : configuration)
    }
    guard chosen.contains(where: { $0.configuration != dnsOnly }) else {
      throw Trouble(
        "no interface is up and has an address (there is: \(all.map(\.name).joined(separator: ", "))); bring one up or name one with --interface")
    }
    return chosen
  }

  /// The interface on which this one's packets are seen as well: the bridge or bond of a port, and what carries a VLAN.
  static func carrier(of name: String) -> String? {
    let directory = "/sys/class/net/\(name)"
    if let master = try? FileManager.default.destinationOfSymbolicLink(atPath: directory + "/master") {
      return master.split(separator: "/").last.map(String.init)
    }
    let event = (try? Data(contentsOf: URL(filePath: directory + "/uevent"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    guard event.split(separator: "\n").contains("DEVTYPE=vlan") else { return nil }
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return entries.first { $0.hasPrefix("lower_") }.map { String($0.dropFirst("lower_".count)) }
  }
}
