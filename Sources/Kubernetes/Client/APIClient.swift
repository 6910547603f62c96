internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Reads from one API server: GET only, nothing is ever written.
public actor APIClient {
  public struct Limits: Sendable {
    public var connect = Duration.seconds(10)
    /// From the request to the end of a list's page or any other short answer.
    public var answer = Duration.seconds(60)
    /// Silence after which a stream counts as stalled. The server sends a bookmark about once a minute.
    public var silence = Duration.seconds(90)

    public init() {}
  }

  nonisolated let access: ClusterAccess
  nonisolated let limits: Limits
  private let credentials: Credentials
  private var pool: (client: HTTPClient, for: Credentials.Current)?

  /// The largest short answer (discovery, errors).
  static let maximumAnswer = 8 << 20

  public init(_ access: ClusterAccess, limits: Limits = Limits()) {
    self.access = access
    self.limits = limits
    credentials = Credentials(access.identity)
  }

  /// Ends its connections; a client that is not used any more must be told.
  public func shutdown() async {
    let last = pool?.client
    pool = nil
    try? await last?.shutdown()
  }

  /// A short answer, whole.
  func get(_ path: String) async throws(APIError) -> [UInt8] {
    var bytes: [UInt8] = []
    try await stream(path, isWatch: false) { chunk throws(APIError) in
      guard bytes.count + chunk.count <= Self.maximumAnswer else { throw .malformed(path: path, cause: "it is larger than \(Self.maximumAnswer) octets") }
      bytes += chunk
    }
    return bytes
  }

  /// Hands the answer to `body` as it comes in. A token that is refused is read anew, once.
  ///
  /// - Parameter isWatch: the answer may take forever, as long as it does not fall silent.
  nonisolated func stream(_ path: String, isWatch: Bool, _ body: ([UInt8]) throws(APIError) -> Void) async throws(APIError) {
    do {
      try await attempt(path, isWatch, isRefused: false, body)
    } catch {
      guard error.status == 401 else { throw error }
      try await attempt(path, isWatch, isRefused: true, body)
    }
  }

  private nonisolated func attempt(
    _ path: String, _ isWatch: Bool, isRefused: Bool, _ body: ([UInt8]) throws(APIError) -> Void
  ) async throws(APIError) {
    let identity = try await credentials.current(isRefused: isRefused)
    let client = try await client(for: identity)
    var request = HTTPClientRequest(url: url(path))
    request.headers.add(name: "accept", value: "application/json")
    request.headers.add(name: "user-agent", value: "egress-obs")
    if let token = identity.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    do {
      // A watch is bounded by its silence, anything else by the whole time it takes.
      let deadline = NIODeadline.now() + (isWatch ? .hours(24) : TimeAmount(limits.answer))
      let response = try await client.execute(request, deadline: deadline)
      guard response.status == .ok else { throw try await Self.refusal(response, path) }
      for try await chunk in response.body { try body(Array(chunk.readableBytesView)) }
    } catch let error as APIError {
      throw error
    } catch {
      throw .unreachable(server: access.server, cause: Self.cause(error))
    }
  }

  private static func refusal(_ response: HTTPClientResponse, _ path: String) async throws -> APIError {
    let body = try await response.body.collect(upTo: 1 << 20)
    let bytes = Array(body.readableBytesView)
    var status = (try? APIStatus(bytes)) ?? APIStatus(code: 0, message: String(decoding: bytes, as: UTF8.self))
    status.code = Int(response.status.code)
    return .refused(path: path, status: status, retryAfter: response.headers.first(name: "retry-after").flatMap { Int($0) })
  }

  private static func cause(_ error: any Error) -> String {
    switch error as? HTTPClientError {
    case .readTimeout: "the stream fell silent"
    case .deadlineExceeded: "no answer in time"
    case .connectTimeout: "no connection in time"
    default: "\(error)"
    }
  }

  // MARK: - Connections

  private nonisolated func url(_ path: String) -> String {
    guard let name = access.serverName else { return access.server + path }
    // The certificate's name stands for the host, and is led to it below.
    let parts = access.server.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    let port = parts.count > 2 ? parts[2].drop { $0 != ":" } : ""
    return "\(parts.first ?? "https:")//\(name)\(port)\(path)"
  }

  /// One pool of connections for each identity that certificates are part of; in practice one.
  private func client(for identity: Credentials.Current) async throws(APIError) -> HTTPClient {
    let material = Credentials.Current(chain: identity.chain, key: identity.key)
    if let pool, pool.for == material { return pool.client }
    var configuration = HTTPClient.Configuration(tlsConfiguration: try tls(material))
    configuration.redirectConfiguration = .disallow
    configuration.timeout = .init(connect: TimeAmount(limits.connect), read: TimeAmount(limits.silence))
    configuration.connectionPool.retryConnectionEstablishment = false
    // Over HTTP/1 each watch has a connection of its own.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
    if let name = access.serverName, let host = host { configuration.dnsOverride = [name: host] }
    let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    let previous = pool?.client
    pool = (client, material)
    if let previous { Task { try? await previous.shutdown() } }
    return client
  }

  private nonisolated var host: String? {
    let parts = access.server.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
    return parts.count > 1 ? String(parts[1].prefix { $0 != ":" && $0 != "/" }) : nil
  }

  private nonisolated func tls(_ material: Credentials.Current) throws(APIError) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    do {
      switch access.trust {
      case .system: break
      case .pem(let pem): configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(pem))
      case .file(let path): configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(try ClusterAccess.contents(path)))
      case .anybody: configuration.certificateVerification = .none
      }
      if let chain = material.chain, let key = material.key {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
      }
      return configuration
    } catch let error as APIError {
      throw error
    } catch {
      throw .configuration("\(access.origin): a certificate or key cannot be read: \(printable("\(error)"))")
    }
  }
}
