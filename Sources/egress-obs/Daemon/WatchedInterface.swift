import Capture
import EgressModel

/// An interface that the daemon captures on.
struct WatchedInterface: Sendable {
  var name: String
  var configuration: CaptureConfiguration

  /// What the ring begins with, in octets; without the kernel's filter all that it may have.
  var initialBuffer: Int32 { configuration.filter?.cutsBulk == true ? 12 << 20 : configuration.bufferSize }

  /// The source of all links, those that come later included. Packets that several of them show count once.
  static let everyLink = "any"

  /// The named interfaces; without any name every link, and of loopback only DNS, for stub resolvers.
  static func chosen(_ names: [String], bufferSize: Int32, cutsBulk: Bool) throws -> [WatchedInterface] {
    let all = NetworkInterface.all()
    // Two sources of one link would show every packet twice, and by the link's number nobody could tell.
    let distinct = names.isEmpty || names.contains(everyLink) ? [everyLink] : Array(Set(names)).sorted()
    return try distinct.map { name in
      guard name == everyLink || all.contains(where: { $0.name == name }) else {
        throw Trouble("\(CaptureError.noSuchInterface(name: name, available: all.map(\.name)))")
      }
      let filter: KernelFilter? = name == everyLink ? .everyLink(truncatingBulk: cutsBulk) : cutsBulk ? .truncatingBulk : nil
      return WatchedInterface(name: name, configuration: CaptureConfiguration(bufferSize: bufferSize, filter: filter))
    }
  }

  /// What a person is told is watched: `every interface (uplink eth0, 4 others; of lo only DNS)`.
  static func summary(of interfaces: [WatchedInterface]) -> String {
    guard interfaces.contains(where: { $0.name == everyLink }) else { return interfaces.map(\.name).joined(separator: ", ") }
    let up = Set(NetworkInterface.all().filter { $0.isUp && !$0.isLoopback }.map(\.name))
    let uplinks = HostNetwork.uplinks.intersection(up).sorted()
    let others = up.count - uplinks.count
    let parts = (uplinks.isEmpty ? ["no uplink now"] : uplinks.map { "uplink \($0)" }) + (others > 0 ? ["\(others) other\(others == 1 ? "" : "s")"] : [])
    return "every interface (\(parts.joined(separator: ", ")); of lo only DNS)"
  }
}
