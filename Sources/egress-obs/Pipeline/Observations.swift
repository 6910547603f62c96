import Drift
import EgressModel
import Host
import Policy
import Storage

/// What a database holds of a window: the endpoints to report on, and how far they can be trusted.
struct Observations {
  var endpoints: [Endpoint]
  var coverage: Coverage
  /// When a workload group was first seen to use a name (or an unnamed address), port and transport.
  /// Nil for everything that was ever watched: then nothing was used before.
  private var firstSeen: [Subject: Timestamp]?
  /// Endpoints that changed in the window but whose counters are of their whole life, because single flows are no longer kept that far back.
  var countsWholeLife = false

  /// A beginning or end of nil is the first or last moment that anybody watched; the end is now where nobody did since the beginning.
  init(_ reader: StoreReader, from: Timestamp?, until: Timestamp?) throws(StorageError) {
    let isWhole = from == nil && until == nil
    let (all, window, folded) = try reader.snapshot { (reader) throws(StorageError) in
      let window = try reader.coverage(from: from, until: until, now: WallClock.now)
      return (try reader.endpoints(), window, isWhole ? nil : try Self.endpoints(of: reader, in: window))
    }
    if from != nil {
      firstSeen = Dictionary(
        all.lazy.map { (Subject(workload: $0.workload, destination: $0.destination), $0.firstSeen) }, uniquingKeysWith: min)
    }
    endpoints = folded ?? (isWhole ? all : all.filter { $0.lastSeen >= window.from && $0.firstSeen <= window.until })
    countsWholeLife = folded == nil && !isWhole
    coverage = window
  }

  /// Whether the endpoint's workload group did not use it before the window.
  func isNew(_ endpoint: Endpoint, _ subject: Subject) -> Bool {
    firstSeen?[subject].map { $0 >= coverage.from } ?? true
  }

  /// The endpoints of the window with the counters of its flows alone; nil when flows of the window are already deleted.
  private static func endpoints(of reader: StoreReader, in window: Coverage) throws(StorageError) -> [Endpoint]? {
    var oldest: Timestamp?
    try reader.flows { flow in
      oldest = flow.end
      return false
    }
    guard let oldest, oldest <= window.from else { return nil }
    var endpoints: [EndpointKey: Endpoint] = [:]
    var order: [EndpointKey] = []
    try reader.flows(from: window.from, until: window.until) { flow in
      let one = Endpoint(observing: flow)
      let key = EndpointKey(one)
      if endpoints[key] == nil { order.append(key) }
      endpoints[key, default: one.empty].add(one)
      return true
    }
    return order.compactMap { endpoints[$0] }
  }
}

extension [Endpoint] {
  /// Judged anew, where policies were declared; else with the verdicts that were kept.
  func judged(by declared: Declared) -> [Endpoint] {
    guard declared.hasPolicies else { return self }
    let judge = Judge(policies: declared.policies, inventory: declared.inventory)
    return map { endpoint in
      var endpoint = endpoint
      endpoint.verdict = judge.judge(endpoint.workload, endpoint.destination)
      return endpoint
    }
  }
}

/// What makes two flows one endpoint.
private struct EndpointKey: Hashable {
  var group: String
  var name: DomainName?
  var address: IPAddress
  var port: UInt16?
  var transport: Transport

  init(_ endpoint: Endpoint) {
    group = endpoint.workload.group
    name = endpoint.name?.name
    address = endpoint.address
    port = endpoint.port
    transport = endpoint.transport
  }
}

extension Endpoint {
  /// The same endpoint before anything was counted.
  fileprivate var empty: Endpoint {
    var endpoint = self
    (endpoint.flows, endpoint.answered) = (0, 0)
    (endpoint.out, endpoint.in) = (FlowCounters(), FlowCounters())
    return endpoint
  }

  /// Adds one flow of this endpoint.
  fileprivate mutating func add(_ flow: Endpoint) {
    firstSeen = min(firstSeen, flow.firstSeen)
    if flow.lastSeen >= lastSeen {
      lastSeen = flow.lastSeen
      workload = flow.workload
      verdict = flow.verdict
    }
    application = application ?? flow.application
    flows &+= flow.flows
    answered &+= flow.answered
    out = FlowCounters(packets: out.packets &+ flow.out.packets, bytes: out.bytes &+ flow.out.bytes)
    `in` = FlowCounters(packets: `in`.packets &+ flow.in.packets, bytes: `in`.bytes &+ flow.in.bytes)
  }
}
