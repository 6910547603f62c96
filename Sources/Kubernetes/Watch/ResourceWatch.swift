internal import EgressModel

/// Keeps one kind of object up to date in a `ClusterState`, until it is cancelled.
struct ResourceWatch: Sendable {
  var resource: Resource
  /// `spec.nodeName=node-1`; nil for all objects.
  var fieldSelector: String?
  var client: APIClient
  var state: ClusterState
  var clock: @Sendable () -> Timestamp

  static let pageSize = 500

  func run() async {
    var reflector = Reflector()
    var step = reflector.resumed
    while !Task.isCancelled {
      switch step {
      case .list(let continuation): step = await list(continuation, &reflector)
      case .watch(let version): step = await watch(version, &reflector)
      case .wait(let delay):
        try? await Task.sleep(for: delay)
        step = reflector.resumed
      }
    }
  }

  private func list(_ continuation: String?, _ reflector: inout Reflector) async -> Reflector.Step {
    if continuation == nil { state.beginList(of: resource) }
    var splitter = ListSplitter()
    var unreadable = 0
    let path = path(["limit": "\(Self.pageSize)", "continue": continuation])
    do throws(APIError) {
      try await client.stream(path, isWatch: false) { chunk throws(APIError) in
        do {
          try splitter.take(chunk) { item in
            do {
              state.list(try ClusterObject(item, of: resource), of: resource, at: clock())
            } catch is JSONCursor.Failure {
              unreadable += 1
            }
          }
        } catch {
          throw .malformed(path: path, cause: "\(error)")
        }
      }
      guard splitter.isComplete else { throw .malformed(path: path, cause: "it ends early") }
      var metadata = ObjectMetadata()
      do {
        var cursor = JSONCursor(splitter.metadata)
        metadata = try ObjectMetadata(&cursor)
      } catch {
        throw .malformed(path: path, cause: "\(error)")
      }
      guard !metadata.resourceVersion.isEmpty else { throw .malformed(path: path, cause: "it has no resourceVersion") }
      state.note(unreadable: unreadable, of: resource)
      if metadata.continuation == nil { state.endList(of: resource, at: clock()) }
      return reflector.received(.page(continuation: metadata.continuation, version: metadata.resourceVersion), random: .random(in: 0..<1))
    } catch {
      return failed(error, &reflector)
    }
  }

  private func watch(_ version: String, _ reflector: inout Reflector) async -> Reflector.Step {
    var lines = LineSplitter()
    var events = 0
    let began = ContinuousClock.now
    // The server ends it after a while, not for all its clients at once.
    let path = path([
      "watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": "\(Int.random(in: 300..<600))",
    ])
    do throws(APIError) {
      try await client.stream(path, isWatch: true) { chunk throws(APIError) in
        do {
          try lines.take(chunk) { line in
            events += 1
            reflector.noted(version: try take(try WatchEvent(line: line, of: resource), path))
          }
        } catch let error as APIError {
          throw error
        } catch {
          throw .malformed(path: path, cause: "\(error)")
        }
      }
      return reflector.received(.ended(events: events, lasted: ContinuousClock.now - began), random: .random(in: 0..<1))
    } catch {
      return failed(error, &reflector)
    }
  }

  /// The version to go on from.
  private func take(_ event: WatchEvent, _ path: String) throws(APIError) -> String {
    switch event {
    case .added(let object), .modified(let object):
      state.put(object, of: resource, at: clock())
      return object.resourceVersion
    case .deleted(let object):
      state.remove(object, of: resource, at: clock())
      return object.resourceVersion
    case .bookmark(let version):
      state.noteAlive(resource)
      return version
    case .error(let status): throw .refused(path: path, status: status, retryAfter: nil)
    }
  }

  private func failed(_ error: APIError, _ reflector: inout Reflector) -> Reflector.Step {
    // An expired version is the protocol's way, no trouble.
    if error.status != 410, !Task.isCancelled { state.note(error, of: resource) }
    return reflector.received(.failed(error), random: .random(in: 0..<1))
  }

  private func path(_ query: KeyValuePairs<String, String?>) -> String {
    var items: [String] = []
    if let fieldSelector { items.append("fieldSelector=" + Self.encoded(fieldSelector)) }
    for (key, value) in query { if let value { items.append("\(key)=\(Self.encoded(value))") } }
    return resource.path + "?" + items.joined(separator: "&")
  }

  /// Everything but what is unreserved ([RFC 3986 §2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)).
  private static func encoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        encoded.append(Character(UnicodeScalar(byte)))
      default:
        encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}
