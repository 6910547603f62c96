internal import FoundationEssentials

/// Where a cluster's API is, and who we are to it.
public struct ClusterAccess: Sendable {
  enum Trust: Sendable, Equatable {
    case system
    case pem([UInt8])
    /// Read again with every new connection pool, because it is rotated.
    case file(String)
    /// Whoever answers is believed; only because a kubeconfig says so.
    case anybody
  }

  enum Identity: Sendable, Equatable {
    case none
    case token(String)
    /// Read again every minute and when it is refused: the kubelet rotates it.
    case tokenFile(String)
    case certificate(chain: [UInt8], key: [UInt8])
    case plugin(ExecPlugin)
  }

  /// `https://10.96.0.1:443`, without a slash at the end.
  public internal(set) var server: String
  /// What the server's certificate says, where it is not the host of `server`.
  var serverName: String?
  var trust: Trust
  var identity: Identity
  /// For messages: `in-cluster`, `kubeconfig /root/.kube/config, context prod`.
  public internal(set) var origin: String

  static let serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// The access that every pod has: the environment tells the server, the service account's files tell who we are.
  public static func inCluster() throws(APIError) -> ClusterAccess {
    try inCluster(environment: ProcessInfo.processInfo.environment, directory: serviceAccount)
  }

  /// Whether this is a pod that may ask the API.
  public static var isInCluster: Bool {
    ProcessInfo.processInfo.environment["KUBERNETES_SERVICE_HOST"] != nil && FileManager.default.fileExists(atPath: serviceAccount + "/token")
  }

  static func inCluster(environment: [String: String], directory: String) throws(APIError) -> ClusterAccess {
    guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
      throw .configuration("not in a cluster: KUBERNETES_SERVICE_HOST is not set; run as a pod, or give --kubernetes kubeconfig=PATH")
    }
    let token = directory + "/token"
    guard FileManager.default.isReadableFile(atPath: token) else {
      throw .configuration("\(token) cannot be read; let the pod mount its service account's token (automountServiceAccountToken)")
    }
    let port = environment["KUBERNETES_SERVICE_PORT_HTTPS"] ?? environment["KUBERNETES_SERVICE_PORT"] ?? "443"
    return ClusterAccess(
      server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", trust: .file(directory + "/ca.crt"), identity: .tokenFile(token),
      origin: "in-cluster")
  }

  /// The bytes of a file that the configuration names.
  static func contents(_ path: String) throws(APIError) -> [UInt8] {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else {
      throw .configuration("\(path) cannot be read; check the path and its permissions")
    }
    return Array(data)
  }
}
