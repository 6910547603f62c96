import EgressModel
import Foundation
import Synchronization
import Testing

@testable import Kubernetes

/// The whole way from an HTTPS server to a snapshot.
@Suite(.serialized) struct ClusterWatchTests {
  typealias Answer = TestAPIServer.Answer

  private func run(
    _ server: TestAPIServer, identity: ClusterAccess.Identity = .token("secret"), limits: APIClient.Limits = .init(), node: String? = "node-1",
    _ body: (ClusterWatch) async throws -> Void
  ) async throws {
    var scope = ClusterWatch.Scope(node: node)
    scope.discoveryInterval = .milliseconds(200)
    let watch = ClusterWatch(APIClient(server.access(identity), limits: limits), scope: scope) { Fixture.moment("2026-03-02T10:00:00Z") }
    let task = Task { await watch.run() }
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(watch))
    } catch {
      outcome = .failure(error)
    }
    task.cancel()
    await task.value
    try outcome.get()
  }

  private func status(_ watch: ClusterWatch, _ resource: String) -> ResourceStatus? { watch.snapshot.resources.first { $0.resource.description == resource } }

  /// Answers about pods as given, and about everything else as an empty cluster.
  private func pods(_ answer: @escaping @Sendable (TestAPIServer.Request) -> Answer?) -> TestAPIServer.Handler {
    { request in request.path == "/api/v1/pods" ? answer(request) ?? Fixture.empty(request) : Fixture.empty(request) }
  }

  @Test(arguments: [[64, 1, 5, 300], [7, 190, 13], [1_000_000]])
  func `pages and events make a snapshot, however the stream is cut`(lengths: [Int]) async throws {
    let server = try TestAPIServer(
      pods { request in
        if request.value("watch") != nil {
          return Answer(Fixture.event("ADDED", Fixture.pod("c", version: 11)) + Fixture.event("DELETED", Fixture.pod("a", version: 12)) + Fixture.bookmark(13), ending: .hang)
            .cut(lengths)
        }
        if request.value("continue") == nil { return Answer(Fixture.list("Pod", continuation: "n%3D", [Fixture.pod("a")])).cut(lengths) }
        return Answer(Fixture.list("Pod", [Fixture.pod("b")])).cut(lengths)
      })
    try await run(server) { watch in
      #expect(await eventually { watch.snapshot.inventory.pods.map(\.name) == ["b", "c"] && watch.snapshot.isSettled }, "\(watch.snapshot.resources)")
      server.push(Fixture.event("MODIFIED", Fixture.pod("c", version: 14, phase: "Succeeded")), to: "/pods?")
      #expect(await eventually { watch.snapshot.inventory.pods.last?.phase == "Succeeded" })
    }
    let asked = server.requests.filter { $0.path == "/api/v1/pods" }
    #expect(asked.allSatisfy { $0.query.contains("fieldSelector=spec.nodeName%3Dnode-1") && $0.token == "secret" })
    #expect(asked[0].query.contains("limit=500") && asked[1].value("continue") == "n%253D")
    #expect(asked[2].query.isSuperset(of: ["watch=1", "allowWatchBookmarks=true", "resourceVersion=10"]))
  }

  @Test func `a watch that breaks goes on from the last bookmark, and what is too old is listed again`() async throws {
    let watches = Mutex(0)
    let server = try TestAPIServer(
      pods { request in
        guard request.value("watch") != nil else { return Answer(Fixture.list("Pod", version: 10, [Fixture.pod(watches.withLock { $0 } < 2 ? "old" : "new")])) }
        switch watches.withLock({ count in count += 1; return count }) {
        case 1: return Answer(Fixture.bookmark(25) + #"{"type":"ADD"#, ending: .cut)
        case 2: return Answer(Fixture.event("ERROR", Fixture.failure(410, "Expired", "too old resource version")))
        default: return Answer("", ending: .hang)
        }
      })
    try await run(server) { watch in
      #expect(await eventually { watch.snapshot.inventory.pods.map(\.name) == ["new"] }, "\(watch.snapshot.resources)")
    }
    let watched = server.requests.filter { $0.path == "/api/v1/pods" }.compactMap { $0.value("resourceVersion") }
    #expect(watched.prefix(3) == ["10", "25", "10"])
  }

  @Test func `a kind that is forbidden is told of and stops nothing else`() async throws {
    let server = try TestAPIServer { request in
      if request.path == "/api/v1/nodes" { return Answer(Fixture.failure(403, "Forbidden", "nodes is forbidden: User x cannot list"), status: 403) }
      if request.path == "/api/v1/pods", request.value("watch") == nil { return Answer(Fixture.list("Pod", [Fixture.pod("a")])) }
      return Fixture.empty(request)
    }
    try await run(server) { watch in
      #expect(await eventually { watch.snapshot.isSettled && watch.snapshot.inventory.pods.count == 1 })
      #expect(status(watch, "nodes")?.error?.status == 403)
      #expect(status(watch, "nodes")?.error.map { "\($0)" }?.contains("nodes is forbidden") == true)
      #expect(status(watch, "pods")?.error == nil && status(watch, "pods")?.isListed == true)
    }
  }

  @Test func `a token that is refused is read again`() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("egress-obs-token-\(UUID().uuidString)").path
    try "first\n".write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }
    let valid = Mutex("first")
    let server = try TestAPIServer { request in
      guard request.token == valid.withLock({ $0 }) else { return Answer(Fixture.failure(401, "Unauthorized", "Unauthorized"), status: 401) }
      return Fixture.empty(request)
    }
    let client = APIClient(server.access(.tokenFile(file)))
    #expect(try await client.get("/version").isEmpty == false)
    valid.withLock { $0 = "second" }
    try "second".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try await client.get("/version").isEmpty == false)
    valid.withLock { $0 = "third" }
    await #expect(throws: APIError.self) { try await client.get("/version") }
    await client.shutdown()
  }

  @Test func `a kind whose CRD appears later is watched, and one that goes takes its policies along`() async throws {
    let served = Mutex(false)
    let server = try TestAPIServer { request in
      if served.withLock({ $0 }) {
        if request.path == "/apis" { return Answer(Fixture.groups([("networking.k8s.io", "v1"), ("cilium.io", "v2")])) }
        if request.path == "/apis/cilium.io/v2" { return Answer(Fixture.resources([("ciliumnetworkpolicies", "CiliumNetworkPolicy")])) }
      }
      if request.path.hasSuffix("/networkpolicies"), request.value("watch") == nil { return Answer(Fixture.list("NetworkPolicy", [Fixture.policy("np")])) }
      if request.path.hasSuffix("/ciliumnetworkpolicies"), request.value("watch") == nil {
        return Answer(Fixture.list("CiliumNetworkPolicy", [Fixture.policy("cnp")]))
      }
      return Fixture.empty(request)
    }
    try await run(server) { watch in
      #expect(await eventually { watch.snapshot.policies.map(\.file) == ["api:NetworkPolicy/shop/np"] }, "\(watch.snapshot.resources)")
      served.withLock { $0 = true }
      #expect(await eventually { watch.snapshot.policies.map(\.file) == ["api:CiliumNetworkPolicy/shop/cnp", "api:NetworkPolicy/shop/np"] })
      served.withLock { $0 = false }
      #expect(await eventually { watch.snapshot.policies.count == 1 && watch.snapshot.resources.count == 5 })
    }
  }

  @Test func `a stream that falls silent is left and taken up again`() async throws {
    var limits = APIClient.Limits()
    limits.silence = .milliseconds(300)
    let server = try TestAPIServer(
      pods { request in
        request.value("watch") == nil ? Answer(Fixture.list("Pod", [Fixture.pod("a")])) : Answer(Fixture.bookmark(20), ending: .hang)
      })
    try await run(server, limits: limits) { _ in
      #expect(await eventually { server.requests.filter { $0.path == "/api/v1/pods" }.compactMap { $0.value("resourceVersion") }.prefix(3) == ["10", "20", "20"] })
    }
  }

  @Test(arguments: ["<html>bad gateway</html>", #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{"meta"#, #"{"items":[]}"#, ""])
  func `garbage is told of, what is known stays, and all is well again when the server is`(garbage: String) async throws {
    let server = try TestAPIServer(pods { $0.value("watch") == nil ? Answer(Fixture.list("Pod", [Fixture.pod("a")])) : nil })
    try await run(server) { watch in
      #expect(await eventually { watch.snapshot.isSettled && watch.snapshot.inventory.pods.count == 1 })
      server.answer(pods { request in request.value("watch") == nil ? Answer(garbage) : Answer(Fixture.event("ERROR", Fixture.failure(410, "Expired", "x"))) })
      server.hangUp()
      #expect(await eventually { if case .malformed = status(watch, "pods")?.error { true } else { false } }, "\(watch.snapshot.resources)")
      #expect(watch.snapshot.inventory.pods.count == 1)
      server.answer(pods { $0.value("watch") == nil ? Answer(Fixture.list("Pod", [Fixture.pod("b")])) : nil })
      #expect(await eventually { watch.snapshot.inventory.pods.map(\.name) == ["b"] && status(watch, "pods")?.error == nil })
    }
  }

  @Test func `a server that is away is waited for`() async throws {
    let server = try TestAPIServer(Fixture.empty)
    var access = server.access()
    access.server = "https://127.0.0.1:1"
    let client = APIClient(access)
    await #expect(throws: APIError.self) { try await client.get("/version") }
    await client.shutdown()
    let stranger = APIClient(ClusterAccess(server: server.server, trust: .system, identity: .none, origin: "test"))
    await #expect(throws: APIError.self) { try await stranger.get("/version") }
    await stranger.shutdown()
  }

  @Test func `a client certificate and a server name are used`() async throws {
    let server = try TestAPIServer(requiringCertificate: true, Fixture.empty)
    var access = server.access(.certificate(chain: Array(server.clientCertificate.utf8), key: Array(server.clientKey.utf8)))
    access.serverName = "api.test"
    let client = APIClient(access)
    #expect(try await client.get("/apis").isEmpty == false)
    await client.shutdown()
    let stranger = APIClient(server.access())
    await #expect(throws: APIError.self) { try await stranger.get("/apis") }
    await stranger.shutdown()
  }

  @Test func `a list of thousands is read item by item`() async throws {
    let list = Fixture.list("Pod", (0..<2000).map { Fixture.pod("web-\($0)", ip: "10.\($0 / 65536).\($0 / 256 % 256).\($0 % 256)", version: $0) })
    let policies = Fixture.list("NetworkPolicy", (0..<200).map { Fixture.policy("np-\($0)") })
    let server = try TestAPIServer { request in
      guard request.value("watch") == nil else { return Fixture.empty(request) }
      if request.path == "/api/v1/pods" { return Answer(list) }
      if request.path.hasSuffix("/networkpolicies") { return Answer(policies) }
      return Fixture.empty(request)
    }
    try await run(server) { watch in
      #expect(await eventually(within: 60) { watch.snapshot.inventory.pods.count == 2000 && watch.snapshot.policies.count == 200 })
      #expect(watch.snapshot.timeline.pod(at: IPAddress("10.0.1.0")!, Fixture.moment("2026-03-02T10:00:00Z"))?.name == "web-256")
    }
  }
}
