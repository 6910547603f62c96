/// What a made capture holds: the truth that a program reading it can be held to.
struct TrafficCounts: Encodable {
  private(set) var packets = 0
  /// Of whole frames, Ethernet header included.
  private(set) var bytes = 0
  /// By what was made: `tls`, `quic`, `http`, `tcp`, `dns`.
  private(set) var flows: [String: Int] = [:]
  /// Flows in which the client said the name: SNI or Host.
  private(set) var flowsNamedOnTheWire = 0
  /// Flows that the wire or a look-up before them names.
  private(set) var flowsNameable = 0
  /// Different site names looked up or said.
  private(set) var names = 0
  private var seen: Set<String> = []

  mutating func addFrame(_ count: Int) {
    packets += 1
    bytes += count
  }

  mutating func add(_ application: TrafficModel.Application, name: String, saidOnTheWire: Bool, lookedUp: Bool) {
    flows[application.rawValue, default: 0] += 1
    flowsNamedOnTheWire += saidOnTheWire ? 1 : 0
    flowsNameable += saidOnTheWire || lookedUp ? 1 : 0
    if saidOnTheWire || lookedUp, seen.insert(name).inserted { names += 1 }
  }

  mutating func add(tcpFlows: Int) { flows[TrafficModel.Application.tcp.rawValue, default: 0] += tcpFlows }

  /// These flows, with the frames counted elsewhere.
  func with(_ frames: TrafficCounts) -> TrafficCounts {
    var both = self
    both.packets = frames.packets
    both.bytes = frames.bytes
    return both
  }

  mutating func addLookUp() { flows["dns", default: 0] += 1 }

  private enum CodingKeys: String, CodingKey { case packets, bytes, flows, flowsNamedOnTheWire, flowsNameable, names }
}
