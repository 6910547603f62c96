public import EgressModel

/// What happened since the last batch.
public struct FlowBatch: Sendable {
  /// Flows that began, so that the socket can be looked up while it exists.
  public var started: [FlowStart] = []
  /// Flows that ended, and interim records of long-lived ones.
  ///
  /// Made by the thread that wants them, and not by the one that meters; whoever gives the batch away for them has nothing copied.
  public consuming func records() -> [FlowRecord] {
    var records: [FlowRecord] = []
    records.reserveCapacity(metered.count)
    for index in metered.indices { records.append(FlowRecord(taking: &metered[index])) }
    return records
  }
  var metered: ContiguousArray<MeteredFlow> = []
  /// Name queries that were answered.
  public var names: [NameRecord] = []

  public init() {}

  public var isEmpty: Bool { started.isEmpty && metered.isEmpty && names.isEmpty }
}

/// A flow at its first packet. A later proof of direction may swap source and destination in its record.
public struct FlowStart: Hashable, Sendable {
  /// As in `FlowRecord.id`.
  public var id: UInt64
  public var transport: Transport
  public var source: SocketAddress
  public var destination: SocketAddress
  public var time: Timestamp

  public init(id: UInt64, transport: Transport, source: SocketAddress, destination: SocketAddress, time: Timestamp) {
    self.id = id
    self.transport = transport
    self.source = source
    self.destination = destination
    self.time = time
  }
}
