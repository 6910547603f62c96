import EgressModel
import Foundation
import Testing

@testable import Kubernetes

@Suite struct ConfigurationTests {
  private func file(_ text: String, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("egress-obs-kubeconfig-\(UUID().uuidString)").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private static let example = """
    apiVersion: v1
    kind: Config
    current-context: prod
    clusters:
    - {name: c1, cluster: {server: "https://api.example.com:6443/", certificate-authority-data: Y2E=, tls-server-name: api.test}}
    - {name: c2, cluster: {server: "https://192.0.2.1", insecure-skip-tls-verify: true}}
    users:
    - {name: token, user: {token: secret}}
    - {name: certificate, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}
    - {name: plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [--quiet], env: [{name: A, value: b}]}}}
    - {name: password, user: {username: u, password: p}}
    contexts:
    - {name: prod, context: {cluster: c1, user: token, namespace: shop}}
    - {name: lab, context: {cluster: c2, user: certificate}}
    - {name: login, context: {cluster: c1, user: plugin}}
    - {name: old, context: {cluster: c1, user: password}}
    - {name: broken, context: {cluster: c3, user: token}}
    """

  @Test func `a kubeconfig tells server, trust and identity of each context`() throws {
    try file(Self.example) { path in
      let current = try ClusterAccess.kubeconfig(path)
      #expect(current.server == "https://api.example.com:6443" && current.serverName == "api.test")
      #expect(current.trust == .pem(Array("ca".utf8)) && current.identity == .token("secret"))
      let lab = try ClusterAccess.kubeconfig(path, context: "lab")
      #expect(lab.trust == .anybody && lab.identity == .certificate(chain: Array("cert".utf8), key: Array("key".utf8)))
      guard case .plugin(let plugin) = try ClusterAccess.kubeconfig(path, context: "login").identity else { throw APIError.configuration("no plugin") }
      #expect(plugin.command == URL(filePath: path).deletingLastPathComponent().appending(path: "./bin/login").path)
      #expect(plugin.args == ["--quiet"] && plugin.env == [.init(name: "A", value: "b")])
    }
  }

  @Test(arguments: [("broken", "no cluster c3"), ("old", "takes no longer"), ("nobody", "no context nobody (there is: prod, lab")])
  func `what is wrong in a kubeconfig is named`(context: String, words: String) throws {
    try file(Self.example) { path in
      #expect { try ClusterAccess.kubeconfig(path, context: context) } throws: { "\($0)".contains(words) && "\($0)".contains(path) }
    }
  }

  @Test func `a file that is none is told of`() throws {
    try file("- nothing") { path in #expect { try ClusterAccess.kubeconfig(path) } throws: { "\($0)".contains("is no kubeconfig") } }
    #expect { try ClusterAccess.kubeconfig("/nonexistent/config") } throws: { "\($0)".contains("/nonexistent/config cannot be read") }
  }

  @Test func `in a cluster the environment and the service account's files tell all`() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("egress-obs-sa-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"]
    #expect { try ClusterAccess.inCluster(environment: environment, directory: directory) } throws: { "\($0)".contains("automountServiceAccountToken") }
    try "t".write(toFile: directory + "/token", atomically: true, encoding: .utf8)
    let access = try ClusterAccess.inCluster(environment: environment, directory: directory)
    #expect(access.server == "https://[fd00::1]:6443" && access.identity == .tokenFile(directory + "/token") && access.trust == .file(directory + "/ca.crt"))
    #expect { try ClusterAccess.inCluster(environment: [:], directory: directory) } throws: { "\($0)".contains("KUBERNETES_SERVICE_HOST") }
  }

  @Test func `a plugin's credential is used until it expires, and what goes wrong is said`() async throws {
    let answer = #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from plugin","expirationTimestamp":"2026-03-02T09:00:00Z"}}"#
    let plugin = ExecPlugin(
      apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", args: ["-c", #"echo "$SAID"; test -n "$KUBERNETES_EXEC_INFO""#],
      env: [.init(name: "SAID", value: answer)])
    let credential = try await plugin.credential()
    #expect(credential.token == "from plugin" && credential.expiry == Fixture.moment("2026-03-02T09:00:00Z"))
    for (script, words) in [("echo no >&2; exit 3", "no"), ("echo '{}'", "without token"), ("echo x", "no ExecCredential")] {
      var wrong = plugin
      wrong.args = ["-c", script]
      await #expect { try await wrong.credential() } throws: { "\($0)".contains(words) && "\($0)".contains("/bin/sh") }
    }
    var absent = plugin
    absent.command = "/nonexistent/login"
    absent.installHint = "get it from example.com"
    await #expect { try await absent.credential() } throws: { "\($0)".contains("get it from example.com") }
  }
}
