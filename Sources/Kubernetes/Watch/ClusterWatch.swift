public import EgressModel

/// Lists and watches what matters of a cluster: pods, namespaces, nodes, services, and the policies of every dialect whose kind is served.
public final class ClusterWatch: Sendable {
  public struct Scope: Sendable {
    /// The node whose pods are read; nil for the pods of all nodes.
    public var node: String?
    /// How often to look which kinds are served.
    public var discoveryInterval = Duration.seconds(60)

    public init(node: String?) { self.node = node }
  }

  private let client: APIClient
  private let scope: Scope
  private let clock: @Sendable () -> Timestamp
  private let state = ClusterState()

  /// - Parameter clock: gives the time that flows are told in.
  public init(_ client: APIClient, scope: Scope, clock: @escaping @Sendable () -> Timestamp) {
    self.client = client
    self.scope = scope
    self.clock = clock
  }

  public var snapshot: ClusterSnapshot { state.snapshot }

  /// One element after each change, or after several. For one reader.
  public var changes: AsyncStream<Void> { state.changes }

  /// Runs until it is cancelled. What fails is tried again for as long as it takes; `ResourceStatus.error` tells of it.
  public func run() async {
    for resource in Resource.inventory { state.begin(resource) }
    await withDiscardingTaskGroup { group in
      for resource in Resource.inventory { group.addTask { await self.watch(resource).run() } }
      group.addTask { await self.discover() }
    }
    // Whoever stops need not wait until TLS has said goodbye.
    Task { await client.shutdown() }
  }

  private func watch(_ resource: Resource) -> ResourceWatch {
    ResourceWatch(
      resource: resource, fieldSelector: resource == .pods ? scope.node.map { "spec.nodeName=\($0)" } : nil, client: client, state: state, clock: clock)
  }

  /// Starts a watch for each kind of policy that is served, and ends those of kinds that are not served any more.
  private func discover() async {
    var running: [Resource: Task<Void, Never>] = [:]
    var failures = 0
    while !Task.isCancelled {
      do {
        let served = try await Self.served(client)
        failures = 0
        for resource in served where running[resource] == nil {
          state.begin(resource)
          let watch = watch(resource)
          running[resource] = Task { await watch.run() }
        }
        for (resource, task) in running where !served.contains(resource) {
          task.cancel()
          await task.value
          running[resource] = nil
          state.end(resource, at: clock())
        }
      } catch {
        failures += 1
      }
      // Soon again when it failed, so that policies are there soon after the server is.
      let pause = failures == 0 ? scope.discoveryInterval : min(scope.discoveryInterval, .seconds(1 << min(failures, 6)))
      try? await Task.sleep(for: pause * Double.random(in: 0.75..<1.25))
    }
    for task in running.values { task.cancel() }
    for task in running.values { await task.value }
  }

  /// The kinds of policy that the server has now; of one kind the version it prefers.
  static func served(_ client: APIClient) async throws(APIError) -> Set<Resource> {
    func reading<Result>(_ path: String, _ body: ([UInt8]) throws -> Result) async throws(APIError) -> Result {
      let bytes = try await client.get(path)
      do {
        return try body(bytes)
      } catch {
        throw .malformed(path: path, cause: "\(error)")
      }
    }
    var served: Set<Resource> = []
    for (group, versions) in try await reading("/apis", { bytes in try Discovery.versions(inGroups: bytes) }) {
      var seen: Set<String> = []
      for version in versions {
        let path = "/apis/\(group)/\(version)"
        for resource in try await reading(path, { bytes in try Discovery.resources(inList: bytes, group: group, version: version) })
        where seen.insert(resource.plural).inserted {
          served.insert(resource)
        }
      }
    }
    return served
  }

  /// Whether each kind can be listed, asked once: for `doctor`.
  public static func examine(_ client: APIClient) async -> [(name: String, error: APIError?)] {
    func outcome(_ path: String) async -> APIError? {
      do throws(APIError) {
        _ = try await client.get(path)
        return nil
      } catch {
        return error
      }
    }
    var rows: [(name: String, error: APIError?)] = [(name: "API server \(client.access.server)", error: await outcome("/version"))]
    if rows[0].error != nil { return rows }
    var resources = Resource.inventory
    do {
      resources += try await served(client).sorted { $0.description < $1.description }
    } catch {
      rows.append((name: "discovery", error: error))
    }
    for resource in resources { rows.append((name: resource.description, error: await outcome(resource.path + "?limit=1"))) }
    return rows
  }
}
