/// What one workload talked to, over time: every flow with the same workload group, name, address, port and transport.
///
/// The unit of reports and judgement. The address is part of it so that a verdict can be computed again
/// under other policies; reports fold the addresses of one name into one line.
public struct Endpoint: Equatable, Sendable {
  /// The last workload seen of its group.
  public var workload: Workload
  /// The destination's most trusted name; nil when nothing named it.
  public var name: NameEvidence?
  public var address: IPAddress
  public var port: UInt16?
  public var transport: Transport
  public var scope: Scope
  public var application: Application?
  public var vendor: Vendor?
  public var ech: TLSFacts.ECH
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  /// Flows that began.
  public var flows: UInt64
  /// Flows of these that got an answer: anything but `attempted`, `unanswered` and `refused`.
  public var answered: UInt64
  public var out: FlowCounters
  public var `in`: FlowCounters
  /// The daemon's last verdict; nil when it ran without policies.
  public var verdict: Verdict?

  public init(
    workload: Workload, name: NameEvidence? = nil, address: IPAddress, port: UInt16?, transport: Transport, scope: Scope,
    application: Application? = nil, vendor: Vendor? = nil, ech: TLSFacts.ECH = .none, firstSeen: Timestamp, lastSeen: Timestamp,
    flows: UInt64 = 0, answered: UInt64 = 0, out: FlowCounters = FlowCounters(), in: FlowCounters = FlowCounters(), verdict: Verdict? = nil
  ) {
    self.workload = workload
    self.name = name
    self.address = address
    self.port = port
    self.transport = transport
    self.scope = scope
    self.application = application
    self.vendor = vendor
    self.ech = ech
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.flows = flows
    self.answered = answered
    self.out = out
    self.in = `in`
    self.verdict = verdict
  }

  public var destination: Destination {
    Destination(address: address, port: port, transport: transport, names: name.map { [$0] } ?? [])
  }
}

/// What a policy judges: where a flow goes, and under which names.
public struct Destination: Hashable, Sendable {
  public var address: IPAddress
  /// Nil for transports without ports.
  public var port: UInt16?
  public var transport: Transport
  /// Most trusted first; a `hint` satisfies no policy.
  public var names: [NameEvidence]

  public init(address: IPAddress, port: UInt16?, transport: Transport, names: [NameEvidence] = []) {
    self.address = address
    self.port = port
    self.transport = transport
    self.names = names
  }
}
