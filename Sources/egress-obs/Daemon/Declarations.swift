import EgressModel
import Flows
import Host
import Kubernetes
import Policy
import Synchronization

/// What is declared now: by files, which are read again at SIGHUP, and by the cluster, whose API tells of changes.
actor Declarations {
  private let recorder: Recorder
  private let meter: SharedMeter
  private let host: CurrentHost
  /// Blocks that are local because the command line says so.
  private let given: [IPPrefix]
  private let pods: KnownPods
  private let read: @Sendable () throws -> Declared
  private let annotator: @Sendable (Declared) throws -> Annotator

  private var files: Declared
  private var cluster: ClusterSnapshot?
  /// The policies of files and cluster, until either changes.
  private var joined: PolicySet?

  init(
    files: Declared, recorder: Recorder, meter: SharedMeter, host: CurrentHost, given: [IPPrefix], pods: KnownPods, read: @escaping @Sendable () throws -> Declared,
    annotator: @escaping @Sendable (Declared) throws -> Annotator
  ) {
    self.files = files
    self.recorder = recorder
    self.meter = meter
    self.host = host
    self.given = given
    self.pods = pods
    self.read = read
    self.annotator = annotator
  }

  /// Reads the files again; with errors in them the old ones stay. Gives how many policies there are now.
  func reload() async throws -> Int {
    var new = try read()
    // Flows that are not recorded yet began with the pods of before.
    var timeline = files.timeline ?? PodTimeline(files.inventory.pods)
    timeline.replace(by: new.inventory.pods, at: WallClock.now)
    new.timeline = timeline
    files = new
    joined = nil
    _ = try await apply()
    return joined?.count ?? files.policies.count
  }

  /// Takes the cluster as it is now. Gives what cannot be read of its policies, each time they change.
  func take(_ snapshot: ClusterSnapshot) async throws -> [ManifestError] {
    if cluster?.policyRevision != snapshot.policyRevision { joined = nil }
    cluster = snapshot
    return try await apply()
  }

  /// Takes addresses that came or went.
  func hostChanged(from before: HostNetwork) async throws {
    let network = host.now
    guard network.lastingAddresses == before.lastingAddresses else {
      _ = try await apply()
      return
    }
    // Links of pods come and go; that needs no new judge.
    let gone = Set(before.local).subtracting(network.local)
    let come = Set(network.local).subtracting(before.local)
    recorder.changeLocal { local in local = local.filter { !gone.contains($0) } + come }
    meter.withMeter { meter in
      for address in before.addresses.subtracting(network.addresses) { meter.clients[address] = nil }
      meter.clients.unite(Array(network.addresses))
      meter.local = meter.local.filter { !gone.contains($0) } + come
    }
  }

  private func apply() async throws -> [ManifestError] {
    var declared = files
    var errors: [ManifestError] = []
    if let cluster {
      if joined == nil {
        var policies = files.policies
        for manifest in cluster.policies { errors += policies.add(manifest.text, file: manifest.file) }
        joined = policies
      }
      declared.join(cluster, policies: joined ?? files.policies)
    }
    let new = try annotator(declared)
    recorder.replace(annotator: new)
    let (network, given) = (host.now, given)
    meter.withMeter { meter in
      meter.clients = declared.inventory.clients(besides: Array(network.addresses))
      meter.local = new.local ?? []
      meter.tunnelEnds = network.addresses.map { IPPrefix($0) } + given
      meter.services = declared.inventory.serviceAddresses
    }
    pods.note(new.pods)
    return errors
  }
}

extension Declared {
  /// What files say stays; of a pod that both know, the cluster knows better.
  fileprivate mutating func join(_ cluster: ClusterSnapshot, policies: PolicySet) {
    var others = inventory.pods
    if !others.isEmpty {
      let known = Set(cluster.inventory.pods.map { "\($0.namespace)/\($0.name)" })
      others.removeAll { known.contains("\($0.namespace)/\($0.name)") }
    }
    var timeline = cluster.timeline
    for pod in others { timeline.note(pod, since: Timestamp(nanoseconds: .min), at: Timestamp(nanoseconds: .min)) }
    self.timeline = timeline
    inventory.pods = others.isEmpty ? cluster.inventory.pods : others + cluster.inventory.pods
    inventory.namespaces.merge(cluster.inventory.namespaces) { _, new in new }
    inventory.nodes += cluster.inventory.nodes
    inventory.services += cluster.inventory.services
    self.policies = policies
    // A cluster that could be asked and has no policy protects nobody, which is a verdict.
    hasPolicies = hasPolicies || cluster.resources.contains { $0.isListed && $0.resource.kind == "NetworkPolicy" }
  }
}

/// Which pods the recorder knows now, for whoever may wait for better news.
final class KnownPods: Sendable {
  private let timeline = Mutex(PodTimeline())
  private let host: CurrentHost

  /// How long a flow waits for the API to tell of its pod, in nanoseconds.
  static let patience: Int64 = 10_000_000_000

  init(of host: CurrentHost) { self.host = host }

  func note(_ pods: PodTimeline) { timeline.withLock { $0 = pods } }

  /// Whether the flow may be a pod's of which the API has not told yet.
  ///
  /// - Parameter owner: what the socket tables said of a flow of this host.
  func isAwaited(_ record: FlowRecord, owner: Workload?, at now: Timestamp) -> Bool {
    // A flow of a time that is still to come began before somebody set the clock back.
    guard (-Self.patience..<Self.patience).contains(now.since(record.start)), !record.source.ip.isLoopback else { return false }
    let pods = timeline.withLock { $0 }
    if host.isOwn(record.source.ip) { return owner?.kind == .container && owner?.uid.map { $0.utf8.count < 40 && pods.pod(uid: $0) == nil } ?? false }
    // Who talks to this host or a pod of it is a stranger.
    return pods.pod(at: record.source.ip, record.start) == nil && !host.isOwn(record.destination.ip)
      && pods.pod(at: record.destination.ip, record.start) == nil
  }
}
