import AsyncHTTPClient
import EgressModel
import Host
import NIOCore
import NIOHTTP1
import Subprocess
import SystemPackage

/// Where alerts go.
enum Hook: Hashable, Sendable {
  /// A program: the payload on its standard input, no shell, nothing of the payload in its arguments.
  case exec(path: String)
  /// An HTTP POST of the payload.
  case webhook(url: String)

  /// The key of this hook's own queue in the database; it must not change while alerts wait.
  var key: String {
    switch self {
    case .exec(let path): "exec:\(path)"
    case .webhook(let url): "webhook:\(url)"
    }
  }
}

/// Why a delivery failed; every one of these is tried again with back-off.
enum HookError: Error, CustomStringConvertible {
  case timedOut(TimeSpan)
  case notStarted(String)
  /// What the hook has to say goes to our own standard error, where logs go.
  case exited(String)
  case refused(status: UInt, body: String)
  case unreachable(String)

  var description: String {
    switch self {
    case .timedOut(let limit): "gave no answer within \(limit)"
    case .notStarted(let cause): "could not be started: \(cause)"
    case .exited(let status): "ended with \(status)"
    case .refused(let status, let body): "answered HTTP \(status)" + (body.isEmpty ? "" : ": \(body)")
    case .unreachable(let cause): "could not be reached: \(cause)"
    }
  }
}

/// Delivers one payload to one hook, in bounded time.
struct HookRunner: Sendable {
  var timeout: TimeSpan
  /// Sent as `Authorization: Bearer …` to webhooks.
  var bearerToken: String?

  func deliver(_ payload: String, id: String, to hook: Hook) async throws(HookError) {
    let result: Result<Void, HookError>
    switch hook {
    case .exec(let path): result = await exec(path, payload, id)
    case .webhook(let url): result = await post(url, payload, id)
    }
    try result.get()
  }

  private func exec(_ path: String, _ payload: String, _ id: String) async -> Result<Void, HookError> {
    var options = PlatformOptions()
    // A group of its own, so that what the hook started is ended with it.
    options.processGroupID = 0
    options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
    let platformOptions = options
    ignoreBrokenPipes()
    return await withTimeout {
      do {
        let outcome = try await Subprocess.run(
          .path(FilePath(path)), environment: .inherit.updating(["EGRESS_OBS_ALERT_ID": id]), platformOptions: platformOptions,
          input: .inputWriter, output: .discarded, error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
        ) { execution in
          // A hook need not read: how it ends says whether it has done its work.
          _ = try? await execution.standardInputWriter.write(Array((payload + "\n").utf8))
          try? await execution.standardInputWriter.finish()
        }
        guard outcome.terminationStatus.isSuccess else { return .failure(.exited("\(outcome.terminationStatus)")) }
        return .success(())
      } catch {
        return .failure(.notStarted(Self.line("\(error)")))
      }
    }
  }

  private func post(_ url: String, _ payload: String, _ id: String) async -> Result<Void, HookError> {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.headers.add(name: "user-agent", value: "egress-obs/\(EgressObs.version)")
    // The id is stable over retries, so that a receiver can tell a repeat.
    request.headers.add(name: "idempotency-key", value: id)
    if let bearerToken { request.headers.add(name: "authorization", value: "Bearer \(bearerToken)") }
    request.body = .bytes(ByteBuffer(string: payload))
    let prepared = request
    return await withTimeout {
      do {
        let response = try await Self.client.execute(prepared, timeout: .nanoseconds(timeout.nanoseconds))
        guard (200..<300).contains(response.status.code) else {
          let body = try? await response.body.collect(upTo: 4096)
          return .failure(.refused(status: response.status.code, body: Self.line(body.map { String(buffer: $0) } ?? "")))
        }
        return .success(())
      } catch {
        return .failure(.unreachable(Self.line("\(error)")))
      }
    }
  }

  /// Without retries of its own, which would hide the cause behind our timeout, and without following redirections, which end as a GET.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  private func withTimeout(_ body: @escaping @Sendable () async -> Result<Void, HookError>) async -> Result<Void, HookError> {
    await withTaskGroup(of: Result<Void, HookError>.self) { group in
      group.addTask(operation: body)
      group.addTask {
        try? await Task.sleep(for: .nanoseconds(timeout.nanoseconds))
        return .failure(.timedOut(timeout))
      }
      let first = await group.next() ?? .failure(.timedOut(timeout))
      group.cancelAll()
      return first
    }
  }

  /// The first line of what a stranger said, short and printable.
  private static func line(_ text: String) -> String {
    String(text.prefix { !$0.isNewline }.prefix(200).map { $0.isASCII && ($0.asciiValue ?? 0) >= 0x20 && $0.asciiValue != 0x7f ? $0 : "?" })
  }
}
