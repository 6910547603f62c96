import Drift
import EgressModel
import Flows
import Policy

/// Puts on a metered flow what the meter cannot know: who talks, where the destination is, whose it is, and what the policies say.
///
/// Everything is bound when the flow is recorded and never looked up again at read time.
struct Annotator: Sendable {
  private(set) var declared: Declared
  private var judge: Judge?
  private var scopes: ScopeClassifier
  let pods: PodTimeline
  let vendors: VendorCatalogue
  /// What is to be said of flows under these policies.
  let detector: FindingDetector
  private var vendorCache: [DomainName: Vendor?] = [:]
  /// Workloads of which only the address is known.
  private var addressCache: [IPAddress: Workload] = [:]
  /// Initiators outside these blocks are somebody else talking to us, which is no egress. Nil: every initiator counts as local.
  var local: [IPPrefix]?

  /// Names and addresses repeat; above this many distinct ones a cache starts over.
  static let cacheLimit = 65_536

  init(declared: Declared, vendors: VendorCatalogue, local: [IPPrefix]?, nodeAddresses: [IPAddress] = []) {
    self.declared = declared
    self.vendors = vendors
    self.local = local
    judge = declared.hasPolicies ? Judge(policies: declared.policies, inventory: declared.inventory) : nil
    scopes = ScopeClassifier(inventory: declared.inventory, nodeAddresses: nodeAddresses)
    pods = declared.timeline ?? PodTimeline(declared.inventory.pods)
    detector = FindingDetector(rules: declared.policies.rules, catalogue: vendors)
  }

  /// Whether the flow is egress of something local.
  func isEgress(_ record: FlowRecord) -> Bool {
    guard let local else { return true }
    return pods.pod(at: record.source.ip, record.start) != nil || local.contains { $0.contains(record.source.ip) }
  }

  /// - Parameter owner: what the socket tables said when the flow began; nil where they cannot know (another host's flow, a pod's).
  mutating func annotate(_ record: inout FlowRecord, owner: Workload?) {
    record.workload = workload(at: record.source.ip, record.start, owner: owner)
    record.scope = scopes.scope(of: record.destination.ip)
    if record.scope == .external, let name = record.destinationNames.first(where: { $0.confidence != .hint })?.name {
      record.vendor = vendor(for: name)
    }
    if let judge, let workload = record.workload {
      record.verdict = judge.judge(workload, record.judged)
    }
  }

  /// A flow keeps the workload it began with.
  private mutating func workload(at address: IPAddress, _ time: Timestamp, owner: Workload?) -> Workload {
    // The socket's control group knows a pod only by uid; the inventory knows the rest.
    if let owner { return owner.uid.flatMap { pods.pod(uid: $0) }?.workload ?? owner }
    if let pod = pods.pod(at: address, time) { return pod.workload }
    if let known = addressCache[address] { return known }
    let workload = Workload(address: address)
    if addressCache.count >= Self.cacheLimit { addressCache.removeAll(keepingCapacity: true) }
    addressCache[address] = workload
    return workload
  }

  private mutating func vendor(for name: DomainName) -> Vendor? {
    if let known = vendorCache[name] { return known }
    let vendor = vendors.vendor(for: name)
    if vendorCache.count >= Self.cacheLimit { vendorCache.removeAll(keepingCapacity: true) }
    vendorCache[name] = vendor
    return vendor
  }
}

extension Inventory {
  /// Addresses that stand for others.
  var serviceAddresses: Set<IPAddress> { Set(services.flatMap(\.clusterIPs)) }

  /// Which addresses are one client's: those of each pod, and those of this host.
  func clients(besides host: [IPAddress] = []) -> [IPAddress: IPAddress] {
    var clients: [IPAddress: IPAddress] = [:]
    clients.unite(host)
    for pod in pods where pod.ownsAddresses && !pod.hostNetwork { clients.unite(pod.addresses) }
    return clients
  }
}
