public import EgressModel

/// Bounds and time limits of a `FlowMeter`. Durations are in nanoseconds.
public struct FlowMeterConfiguration: Sendable {
  public static let second: Int64 = 1_000_000_000

  /// Flows kept at once; beyond it the one that matters least makes room, counted.
  public var capacity = 262_144
  /// TCP before anything was answered. Linux waits at most 64 s between two SYNs.
  public var attemptTimeout = 65 * second
  /// TCP after an answer. Longer than Linux's first keep-alive probe (7,200 s), so that a quiet connection keeps its name.
  public var establishedTimeout = 7_260 * second
  /// TCP after both FINs or a reset: long enough for stragglers to stay in their flow.
  public var closedTimeout = 5 * second
  public var udpTimeout = 60 * second
  /// A DNS exchange over UDP that was answered.
  public var dnsTimeout = 10 * second
  public var icmpTimeout = 30 * second
  public var otherTimeout = 60 * second
  /// How often a long-lived flow gets an interim record; nil for none, as a replay wants it.
  public var activeTimeout: Int64?
  /// How soon a flow that nothing more is read from gets its first interim record, so that a watcher need not wait for the active timeout.
  public var firstRecordTimeout = 2 * second
  /// Whether `FlowBatch.started` is filled.
  public var reportsStarts = true
  /// Who counts as local, for the direction of flows whose SYN was not seen. Empty when unknown.
  public var local: [IPPrefix] = []
  /// Who is one client behind several addresses: each address with the one that stands for it, so that what a pod looked up over IPv4 names its
  /// flows over IPv6, and what a stub resolver on loopback looked up names those of its host.
  public var clients: [IPAddress: IPAddress] = [:]
  /// (client, address) pairs remembered with their names.
  public var nameCapacity = 65_536
  /// Octets of all these names together, with what it takes to keep them.
  public var nameByteLimit = 32 << 20
  /// Names remembered for one client and one address.
  public var namesPerAddress = 8
  /// How long past its time to live a name still counts as resolved: clients look up first and connect a little later.
  public var nameGrace = 30 * second
  /// DNS queries waiting for their answer.
  public var queryCapacity = 16_384
  /// How long a query waits.
  public var queryTimeout = 30 * second
  /// For so long after the first frame an answer without its query is believed, because the query may have gone before.
  public var headStart = 5 * second
  /// Between whom tunnels are opened; nil for everybody. Whoever can send a tunnel's packets can put any addresses and names inside, so of traffic that
  /// is not trusted the flow is the tunnel's own.
  public var tunnelEnds: [IPPrefix]?
  /// Octets of one stream that are held while a hello or a request is incomplete.
  public var streamByteLimit = 65_536 + 2_048
  /// Octets of all streams and hellos together, with what it takes to keep them. Arrays that grow may take up to twice as much.
  public var reassemblyByteLimit = 16 << 20
  /// How long a stream may stay incomplete.
  public var reassemblyTimeout = 30 * second
  /// Makes the hash tables unpredictable to whoever sends the traffic; random in a daemon, fixed in a test.
  public var seed: UInt64

  public init(seed: UInt64) { self.seed = seed }
}

extension [IPAddress: IPAddress] {
  /// Makes these addresses one client; any loopback address among them stands for all of loopback.
  public mutating func unite(_ addresses: [IPAddress]) {
    guard let representative = addresses.contains(where: \.isLoopback) ? NameTable.loopbackClient : addresses.first else { return }
    for address in addresses where !address.isLoopback { self[address] = representative }
  }
}
