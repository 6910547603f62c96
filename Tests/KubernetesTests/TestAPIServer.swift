import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTPS server on loopback that answers as a test says, chunk by chunk.
final class TestAPIServer: Sendable {
  struct Request: Sendable {
    var uri: String
    var token: String?
    var path: String { String(uri.prefix { $0 != "?" }) }
    /// The query's items, as they were sent.
    var query: Set<String> { Set(uri.drop { $0 != "?" }.dropFirst().split(separator: "&").map(String.init)) }
    func value(_ key: String) -> String? { query.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) } }
  }

  enum Ending: Sendable { case end, hang, cut }

  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = [("content-type", "application/json")]
    var chunks: [[UInt8]] = []
    var ending = Ending.end

    init(_ text: String, status: Int = 200, ending: Ending = .end) {
      self.status = status
      self.ending = ending
      chunks = [Array(text.utf8)]
    }

    /// The same bytes in pieces of these lengths, over and over.
    func cut(_ lengths: [Int]) -> Answer {
      var answer = self
      var rest = chunks.joined().map { $0 }[...]
      answer.chunks = []
      var index = 0
      while !rest.isEmpty {
        answer.chunks.append(Array(rest.prefix(lengths[index % lengths.count])))
        rest = rest.dropFirst(lengths[index % lengths.count])
        index += 1
      }
      return answer
    }
  }

  typealias Handler = @Sendable (Request) -> Answer

  let port: Int
  let authority: String
  /// A client certificate of the same authority, and its key.
  let clientCertificate: String
  let clientKey: String
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let channel: any Channel
  private let shared: Shared
  private let directory: URL

  struct Streams {
    var open: [(uri: String, channel: any Channel)] = []
    /// How often the server hung up. A request that came before is cut even where its answer is only being made.
    var hangUps = 0
  }

  final class Shared: Sendable {
    let handler: Mutex<Handler>
    let seen = Mutex<[Request]>([])
    let streams = Mutex<Streams>(Streams())
    init(_ handler: @escaping Handler) { self.handler = Mutex(handler) }
  }

  var requests: [Request] { shared.seen.withLock { $0 } }
  var server: String { "https://127.0.0.1:\(port)" }

  /// Answers differently from now on.
  func answer(_ handler: @escaping Handler) { shared.handler.withLock { $0 = handler } }

  /// Sends more to every stream that hangs and whose address contains `part`; gives how many there were.
  @discardableResult func push(_ text: String, to part: String) -> Int {
    let channels = shared.streams.withLock { $0.open.filter { $0.channel.isActive && $0.uri.contains(part) } }
    for (_, channel) in channels {
      channel.eventLoop.execute { channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil) }
    }
    return channels.count
  }

  /// Cuts every stream that hangs.
  func hangUp() {
    let open = shared.streams.withLock { streams in
      streams.hangUps += 1
      defer { streams.open = [] }
      return streams.open
    }
    for (_, channel) in open { channel.close(promise: nil) }
  }

  /// - Parameter requiringCertificate: whether clients must show one of the authority.
  init(requiringCertificate: Bool = false, _ handler: @escaping Handler) throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("egress-obs-api-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    self.directory = directory
    func openssl(_ arguments: String...) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
      process.arguments = arguments
      process.currentDirectoryURL = directory
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
    }
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for (name, subject, extra) in [
      ("server", "/CN=api.test", "subjectAltName=IP:127.0.0.1,DNS:api.test"), ("client", "/CN=observer", "extendedKeyUsage=clientAuth"),
    ] {
      try openssl("req", "-x509", key[0], key[1], key[2], key[3], key[4], key[5], key[6], "-subj", subject, "-addext", extra, "-keyout", name + ".key", "-out", name + ".pem")
    }
    func text(_ name: String) throws -> String { try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8) }
    authority = try text("server.pem")
    clientCertificate = try text("client.pem")
    clientKey = try text("client.key")

    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(try text("server.key").utf8), format: .pem)))
    if requiringCertificate {
      configuration.certificateVerification = .noHostnameVerification
      configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(clientCertificate.utf8)))
    }
    let context = try NIOSSLContext(configuration: configuration)
    let shared = Shared(handler)
    self.shared = shared
    channel = try ServerBootstrap(group: group).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Connection(shared))
        }
      }.bind(host: "127.0.0.1", port: 0).wait()
    port = channel.localAddress?.port ?? 0
  }

  deinit {
    channel.close(promise: nil)
    group.shutdownGracefully { _ in }
    try? FileManager.default.removeItem(at: directory)
  }

  private final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let shared: Shared
    private var request: Request?

    init(_ shared: Shared) { self.shared = shared }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        request = head.method == .GET ? Request(uri: head.uri, token: head.headers.first(name: "authorization").map { String($0.dropFirst(7)) }) : nil
      case .body: break
      case .end:
        guard let request else { return context.close(promise: nil) }
        shared.seen.withLock { $0.append(request) }
        let hangUps = shared.streams.withLock { $0.hangUps }
        let answer = shared.handler.withLock { $0 }(request)
        var headers = HTTPHeaders(answer.headers)
        if answer.ending == .end, answer.chunks.count == 1 { headers.replaceOrAdd(name: "content-length", value: "\(answer.chunks[0].count)") }
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers))), promise: nil)
        let isCut = shared.streams.withLock { streams in
          guard answer.ending == .hang else { return answer.ending == .cut }
          streams.open.append((request.uri, context.channel))
          return streams.hangUps != hangUps
        }
        for chunk in answer.chunks { context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: chunk)))), promise: nil) }
        context.flush()
        if answer.ending == .end { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        if isCut { context.close(promise: nil) }
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}

/// Looks at a condition until it holds; false when it did not within `seconds`.
func eventually(within seconds: Double = 60, _ condition: () async throws -> Bool) async rethrows -> Bool {
  let deadline = Date(timeIntervalSinceNow: seconds)
  while Date() < deadline {
    if try await condition() { return true }
    try? await Task.sleep(for: .milliseconds(20))
  }
  return try await condition()
}
