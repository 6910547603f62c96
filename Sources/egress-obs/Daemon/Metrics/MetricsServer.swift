import EgressModel
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization

/// `/metrics`, `/healthz` and `/readyz` over HTTP: GET and HEAD, one answer a connection, few at once, none for long.
struct MetricsServer: ServiceLifecycle.Service {
  let address: ListenAddress
  let page: MetricsPage
  let counters: DaemonCounters
  let logger: Logger

  /// Connections at once; further ones are closed.
  static let connections = 16
  /// The longest that a connection lasts.
  static let patience = Duration.seconds(10)

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

  func run() async throws {
    let server: NIOAsyncChannel<Connection, Never>
    do {
      server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: "\(address.ip)", port: Int(address.port)) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            return try Connection(wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw Trouble("cannot serve metrics on \(address): \(error) (choose another address with --metrics)")
    }
    logger.notice("metrics: http://\(address)/metrics")
    do {
      try await cancelWhenGracefulShutdown { try await serve(server) }
    } catch is CancellationError {
      // Told to stop, which is how it ends.
    }
  }

  private func serve(_ server: NIOAsyncChannel<Connection, Never>) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { clients in
        let slots = Slots(Self.connections)
        for try await client in clients {
          group.addTask {
            let isServed = slots.take()
            defer { if isServed { slots.giveBack() } }
            await serve(client, isServed)
          }
        }
      }
    }
  }

  private func serve(_ client: Connection, _ isServed: Bool) async {
    await withTaskGroup { group in
      group.addTask {
        // Whoever hangs up or talks nonsense is not our trouble.
        try? await client.executeThenClose { requests, answers in
          guard isServed else { return }
          for try await case .head(let head) in requests {
            try await answer(head, answers)
            return
          }
        }
      }
      group.addTask { try? await Task.sleep(for: Self.patience) }
      await group.next()
      group.cancelAll()
    }
  }

  private func answer(_ request: HTTPRequestHead, _ answers: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>) async throws {
    let (status, body) = content(of: request)
    var headers = HTTPHeaders([
      ("content-type", status == .ok && body.hasPrefix("#") ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8"),
      ("content-length", "\(body.utf8.count)"), ("connection", "close"),
    ])
    if status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
    try await answers.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
    if request.method != .HEAD { try await answers.write(.body(.byteBuffer(ByteBuffer(string: body)))) }
    try await answers.write(.end(nil))
  }

  private func content(of request: HTTPRequestHead) -> (HTTPResponseStatus, String) {
    guard request.method == .GET || request.method == .HEAD else { return (.methodNotAllowed, "only GET and HEAD\n") }
    switch request.uri.prefix(while: { $0 != "?" }) {
    case "/metrics": return (.ok, page.text)
    case "/healthz": return verdict(counters.illness)
    case "/readyz": return verdict(counters.hindrance)
    default: return (.notFound, "there is /metrics, /healthz and /readyz\n")
    }
  }

  private func verdict(_ trouble: String?) -> (HTTPResponseStatus, String) {
    trouble.map { (.serviceUnavailable, $0 + "\n") } ?? (.ok, "ok\n")
  }
}

/// How many of something may be at once.
private final class Slots: Sendable {
  private let free: Mutex<Int>
  init(_ count: Int) { free = Mutex(count) }

  func take() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  func giveBack() { free.withLock { $0 += 1 } }
}
