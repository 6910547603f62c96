internal import FoundationEssentials
internal import Yams

/// `~/.kube/config` ([kubeconfig v1](https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/)), as far as it tells how to reach a cluster.
struct Kubeconfig: Decodable {
  struct Named<Value: Decodable>: Decodable {
    var name: String
    var value: Value
    /// `cluster`, `user` or `context`: whatever stands beside the name.
    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      name = try container.decode(String.self, forKey: Key("name"))
      let other = container.allKeys.first { $0.stringValue != "name" } ?? Key("value")
      value = try container.decode(Value.self, forKey: other)
    }
  }

  struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  struct Cluster: Decodable {
    var server: String
    var certificateAuthority: String?
    var certificateAuthorityData: String?
    var insecureSkipTLSVerify: Bool?
    var tlsServerName: String?
    var proxyURL: String?

    enum CodingKeys: String, CodingKey {
      case server
      case certificateAuthority = "certificate-authority"
      case certificateAuthorityData = "certificate-authority-data"
      case insecureSkipTLSVerify = "insecure-skip-tls-verify"
      case tlsServerName = "tls-server-name"
      case proxyURL = "proxy-url"
    }
  }

  struct User: Decodable {
    var token: String?
    var tokenFile: String?
    var clientCertificate: String?
    var clientCertificateData: String?
    var clientKey: String?
    var clientKeyData: String?
    var exec: ExecPlugin?
    var username: String?

    enum CodingKeys: String, CodingKey {
      case token, tokenFile, exec, username
      case clientCertificate = "client-certificate"
      case clientCertificateData = "client-certificate-data"
      case clientKey = "client-key"
      case clientKeyData = "client-key-data"
    }
  }

  struct Context: Decodable {
    var cluster: String
    var user: String?
  }

  var clusters: [Named<Cluster>]?
  var users: [Named<User>]?
  var contexts: [Named<Context>]?
  var currentContext: String?

  enum CodingKeys: String, CodingKey {
    case clusters, users, contexts
    case currentContext = "current-context"
  }
}

extension ClusterAccess {
  /// The access that `kubectl` would use.
  ///
  /// - Parameters:
  ///   - path: a kubeconfig; nil is `$KUBECONFIG` (its first file that is there), else `~/.kube/config`.
  ///   - context: nil is the file's current one.
  public static func kubeconfig(_ path: String? = nil, context: String? = nil) throws(APIError) -> ClusterAccess {
    let path = path ?? defaultKubeconfig
    let text = String(decoding: try contents(path), as: UTF8.self)
    let file: Kubeconfig
    do {
      file = try YAMLDecoder().decode(Kubeconfig.self, from: text)
    } catch {
      throw .configuration("\(path) is no kubeconfig: \(printable("\(error)"))")
    }
    return try access(file, path: path, context: context)
  }

  private static var defaultKubeconfig: String {
    let environment = ProcessInfo.processInfo.environment
    let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
    return listed.first { FileManager.default.fileExists(atPath: $0) } ?? listed.first ?? (environment["HOME"] ?? "/root") + "/.kube/config"
  }

  private static func access(_ file: Kubeconfig, path: String, context name: String?) throws(APIError) -> ClusterAccess {
    func named<Value>(_ what: String, _ list: [Kubeconfig.Named<Value>]?, _ name: String) throws(APIError) -> Value {
      guard let found = list?.first(where: { $0.name == name }) else {
        let there = (list ?? []).map(\.name).joined(separator: ", ")
        throw .configuration("\(path) has no \(what) \(name) (there is: \(there.isEmpty ? "none" : there))")
      }
      return found.value
    }
    guard let name = name ?? file.currentContext, !name.isEmpty else {
      throw .configuration("\(path) has no current-context; name one with kubectl config use-context")
    }
    let context = try named("context", file.contexts, name)
    let cluster = try named("cluster", file.clusters, context.cluster)
    guard cluster.server.hasPrefix("https://") || cluster.server.hasPrefix("http://") else {
      throw .configuration("\(path): server \(cluster.server) must begin with https:// or http://")
    }
    guard cluster.proxyURL == nil else { throw .configuration("\(path): proxy-url is not supported; give a context that reaches the API directly") }
    let base = URL(filePath: path).deletingLastPathComponent()
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : base.appending(path: path).path }
    func material(_ data: String?, _ file: String?, _ what: String) throws(APIError) -> [UInt8]? {
      if let data {
        guard let decoded = Data(base64Encoded: data.filter { !$0.isWhitespace }) else { throw .configuration("\(path): \(what) is not base64") }
        return Array(decoded)
      }
      guard let file else { return nil }
      return try contents(absolute(file))
    }
    var access = ClusterAccess(
      server: String(cluster.server.hasSuffix("/") ? cluster.server.dropLast() : cluster.server[...]), serverName: cluster.tlsServerName,
      trust: .system, identity: .none, origin: "kubeconfig \(path), context \(name)")
    if let authority = try material(cluster.certificateAuthorityData, cluster.certificateAuthority, "certificate-authority-data") {
      access.trust = .pem(authority)
    }
    if cluster.insecureSkipTLSVerify == true { access.trust = .anybody }
    guard let userName = context.user, !userName.isEmpty else { return access }
    let user = try named("user", file.users, userName)
    if let chain = try material(user.clientCertificateData, user.clientCertificate, "client-certificate-data"),
      let key = try material(user.clientKeyData, user.clientKey, "client-key-data")
    {
      access.identity = .certificate(chain: chain, key: key)
    } else if let file = user.tokenFile {
      access.identity = .tokenFile(absolute(file))
    } else if let token = user.token {
      access.identity = .token(token)
    } else if var plugin = user.exec {
      // As kubectl has it: a name is looked up in PATH, a path with a slash is the kubeconfig's own.
      if plugin.command.contains("/") { plugin.command = absolute(plugin.command) }
      access.identity = .plugin(plugin)
    } else if user.username != nil {
      throw .configuration("\(path): user \(userName) has a password, which the API server takes no longer; use a token or a certificate")
    }
    return access
  }
}
