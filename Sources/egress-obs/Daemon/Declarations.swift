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
  private let host: HostNetwork
  private let pods: KnownPods
  private let read: @Sendable () throws -> Declared
  private let annotator: @Sendable (Declared) throws -> Annotator

  private var files: Declared
  private var cluster: ClusterSnapshot?
  /// The policies of files and cluster, until either changes.
  private var joined: PolicySet?

  init(
    files: Declared, recorder: Recorder, meter: SharedMeter, host: HostNetwork, pods: KnownPods, read: @escaping @Sendable () throws -> Declared,
    annotator: @escaping @Sendable (Declared) throws -> Annotator
  ) {
    self.files = files
    self.recorder = recorder
    self.meter = meter
    self.host = host
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
    await recorder.replace(annotator: new)
    meter.withMeter { meter in
      meter.clients = declared.inventory.clients(besides: host.addresses)
      meter.local = new.local ?? []
    }
    pods.note(new.pods)
    return errors
  }
}

extension Declared {
  /// What files say stays; of a pod that both know, the cluster knows better.
  fileprivate mutating func join(_ cluster: ClusterSnapshot, policies: PolicySet) {
    let known = Set(cluster.inventory.pods.map { "\($0.namespace)/\($0.name)" })
    let others = inventory.pods.filter { !known.contains("\($0.namespace)/\($0.name)") }
    var timeline = cluster.timeline
    for pod in others { timeline.note(pod, since: Timestamp(nanoseconds: .min), at: Timestamp(nanoseconds: .min)) }
    self.timeline = timeline
    inventory.pods = others + cluster.inventory.pods
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
  private let host: Set<IPAddress>

  /// How long a flow waits for the API to tell of its pod, in nanoseconds.
  static let patience: Int64 = 10_000_000_000

  init(of host: HostNetwork) { self.host = Set(host.addresses) }

  func note(_ pods: PodTimeline) { timeline.withLock { $0 = pods } }

  /// Whether the flow may be a pod's of which the API has not told yet.
  ///
  /// - Parameter owner: what the socket tables said of a flow of this host.
  func isAwaited(_ record: FlowRecord, owner: Workload?, at now: Timestamp) -> Bool {
    guard now.since(record.start) < Self.patience, !record.source.ip.isLoopback else { return false }
    let pods = timeline.withLock { $0 }
    if host.contains(record.source.ip) { return owner?.kind == .container && owner?.uid.map { $0.utf8.count < 40 && pods.pod(uid: $0) == nil } ?? false }
    // Who talks to this host or a pod of it is a stranger.
    return pods.pod(at: record.source.ip, record.start) == nil && !host.contains(record.destination.ip)
      && pods.pod(at: record.destination.ip, record.start) == nil
  }
}
