import EgressModel
import Foundation
import Testing

@testable import Kubernetes

/// Exchanges with a real API server, kept beside the repository; they are replayed where they are to be found.
@Suite struct RecordingTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/kubernetes/recordings")
  static let exists = FileManager.default.fileExists(atPath: folder.path)

  static func body(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: name + ".body"))) }

  struct Recording {
    var path: String
    var query: Set<String>
    var answer: TestAPIServer.Answer
  }

  /// How long each was to last is the client's choice.
  static func query(_ uri: String) -> Set<String> { TestAPIServer.Request(uri: uri).query.filter { !$0.hasPrefix("timeoutSeconds=") } }

  static func recordings() throws -> [Recording] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".request") }.map { String($0.dropLast(8)) }
    return try names.map { name in
      let request = try String(contentsOf: folder.appending(path: name + ".request"), encoding: .utf8)
      let uri = String(request.split(whereSeparator: \.isWhitespace)[1])
      let head = try String(contentsOf: folder.appending(path: name + ".headers"), encoding: .utf8).split(whereSeparator: \.isNewline)
      var answer = TestAPIServer.Answer("")
      answer.status = Int(head[0].split(separator: " ")[1]) ?? 0
      answer.headers = head.dropFirst().compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        return parts.count == 2 && parts[0] != "content-length" ? (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces)) : nil
      }
      answer.chunks = [try body(name)]
      return Recording(path: TestAPIServer.Request(uri: uri).path, query: query(uri), answer: answer)
    }
  }

  @Test(.enabled(if: exists), arguments: [[1 << 20], [3, 1, 900]])
  func `a real server's answers make the cluster it had`(lengths: [Int]) async throws {
    let recordings = try Self.recordings()
    let server = try TestAPIServer { request in
      let asked = Self.query(request.uri)
      guard var answer = recordings.first(where: { $0.path == request.path && $0.query == asked && $0.answer.status == 200 })?.answer else {
        if request.path == "/apis/policy.networking.k8s.io/v1alpha1" { return .init(Fixture.resources([("adminnetworkpolicies", "AdminNetworkPolicy")])) }
        return Fixture.empty(request)
      }
      if request.value("watch") != nil { answer.ending = .hang }
      return answer.cut(lengths)
    }
    let watch = ClusterWatch(APIClient(server.access()), scope: .init(node: "node-1")) { Fixture.moment("2026-11-23T04:30:00Z") }
    let task = Task { await watch.run() }
    let names = try Self.podNames(after: "list-pods-node", "watch-pods-node")
    #expect(
      await eventually {
        let snapshot = watch.snapshot
        return snapshot.isSettled && Set(snapshot.inventory.pods.map(\.name)) == names && snapshot.policies.contains { $0.file.hasPrefix("api:CiliumNetworkPolicy") }
      }, "\(watch.snapshot.inventory.pods.map(\.name)) \(names) \(watch.snapshot.resources)")
    let snapshot = watch.snapshot
    #expect(snapshot.resources.allSatisfy { $0.error == nil && $0.unreadable == 0 }, "\(snapshot.resources)")
    #expect(snapshot.policies.contains { $0.file.hasPrefix("api:NetworkPolicy/") } && snapshot.policies.contains { $0.file.hasPrefix("api:AdminNetworkPolicy/") })
    #expect(snapshot.inventory.namespaces.count > 3)
    task.cancel()
    await task.value
  }

  /// The same by Foundation's reader: the list, then the events.
  static func podNames(after list: String, _ events: String) throws -> Set<String> {
    func object(_ bytes: some Sequence<UInt8>) throws -> [String: Any] { try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:] }
    func name(_ object: Any?) -> String? { ((object as? [String: Any])?["metadata"] as? [String: Any])?["name"] as? String }
    var names = Set(((try object(try body(list))["items"] as? [Any]) ?? []).compactMap(name))
    for line in try body(events).split(separator: 10) {
      let event = try object(line)
      guard let name = name(event["object"]) else { continue }
      switch event["type"] as? String {
      case "ADDED", "MODIFIED": names.insert(name)
      case "DELETED": names.remove(name)
      default: break
      }
    }
    return names
  }

  @Test(.enabled(if: exists)) func `every event of a real watch is understood, and the errors, too`() throws {
    for (name, resource) in [
      ("watch-pods-node", Resource.pods),
      ("watch-networkpolicies", Resource(group: "networking.k8s.io", version: "v1", plural: "networkpolicies", kind: "NetworkPolicy")),
    ] {
      var lines = LineSplitter()
      var count = 0
      try lines.take(try Self.body(name)) { line in
        _ = try WatchEvent(line: line, of: resource)
        count += 1
      }
      #expect(count == (try Self.body(name)).count { $0 == 10 } && count > 1)
    }
    for (name, code, reason) in [("403-networkpolicies", 403, "Forbidden"), ("401-bad-token", 401, "Unauthorized"), ("list-pods-continue-garbage", 400, "BadRequest")] {
      let status = try APIStatus(try Self.body(name))
      #expect(status.code == code && status.reason == reason && !status.message.isEmpty)
    }
    var expired = LineSplitter()
    try expired.take(try Self.body("watch-410-too-old") + [10]) { line in
      guard case .error(let status) = try WatchEvent(line: line, of: .pods) else { throw APIError.configuration("no error") }
      #expect(status.code == 410)
    }
    #expect(throws: (any Error).self) { try APIStatus(try Self.body("404-crd-absent")) }
  }
}
