public import EgressModel
internal import Synchronization

/// What is known of a cluster at one moment.
public struct ClusterSnapshot: Sendable {
  public var inventory = Inventory()
  public var timeline = PodTimeline()
  /// In a stable order.
  public var policies: [PolicyManifest] = []
  public var resources: [ResourceStatus] = []
  /// Counts what changed in the inventory, and in the policies.
  public var inventoryRevision: UInt64 = 0
  public var policyRevision: UInt64 = 0

  public init() {}

  /// Whether every kind was listed, or is refused.
  public var isSettled: Bool { !resources.isEmpty && resources.allSatisfy { $0.isListed || $0.error?.status != nil } }
}

/// How one kind of object is doing.
public struct ResourceStatus: Hashable, Sendable {
  public var resource: Resource
  /// Whether it was listed whole, once at least.
  public var isListed = false
  /// The last trouble; nil since the last success.
  public var error: APIError?
  public var objects = 0
  /// Items that were left out of the last list because they could not be read.
  public var unreadable = 0
}

/// Everything that was read from the API, as it is now.
final class ClusterState: Sendable {
  private let state = Mutex(ClusterObjects())
  /// Wakes whoever reads snapshots; several changes may be one.
  let changes: AsyncStream<Void>
  private let changed: AsyncStream<Void>.Continuation

  init() {
    (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  var snapshot: ClusterSnapshot { state.withLock { $0.taken() } }

  private func change(_ body: (inout sending ClusterObjects) -> sending Void) {
    state.withLock(body)
    changed.yield()
  }

  // MARK: - What watches say

  func begin(_ resource: Resource) { change { $0.begin(resource) } }

  /// The kind is no longer served.
  func end(_ resource: Resource, at now: Timestamp) { change { $0.end(resource, at: now) } }

  func beginList(of resource: Resource) { state.withLock { $0.beginList(of: resource) } }

  func list(_ object: ClusterObject, of resource: Resource, at now: Timestamp) {
    state.withLock { $0.list(object, of: resource, at: now) }
  }

  func endList(of resource: Resource, at now: Timestamp) { change { $0.endList(of: resource, at: now) } }

  func put(_ object: ClusterObject, of resource: Resource, at now: Timestamp) {
    change { state in
      state.put(object, of: resource, at: now)
      state.note(resource) { $0.error = nil }
    }
  }

  func remove(_ object: ClusterObject, of resource: Resource, at now: Timestamp) {
    change { state in
      state.remove(object.key, of: resource, at: now)
      state.note(resource) { $0.error = nil }
    }
  }

  func noteAlive(_ resource: Resource) { state.withLock { $0.note(resource) { $0.error = nil } } }

  func note(unreadable count: Int, of resource: Resource) { state.withLock { $0.note(resource) { $0.unreadable = count } } }

  func note(_ error: APIError, of resource: Resource) { change { $0.note(resource) { $0.error = error } } }
}
