internal import EgressModel
internal import Subprocess
internal import SystemPackage

/// A program that gives credentials
/// ([client.authentication.k8s.io/v1](https://kubernetes.io/docs/reference/config-api/client-authentication.v1/)).
struct ExecPlugin: Decodable, Sendable, Equatable {
  struct Variable: Decodable, Sendable, Equatable {
    var name: String
    var value: String
  }

  var apiVersion: String
  var command: String
  var args: [String]?
  var env: [Variable]?
  var installHint: String?

  /// What the program gave.
  struct Credential: Sendable, Equatable {
    var token: String?
    var chain: [UInt8]?
    var key: [UInt8]?
    /// Nil: until it is refused.
    var expiry: Timestamp?
  }

  /// The program may ask its own servers; it may not ask a person.
  static let timeout = Duration.seconds(30)

  func credential() async throws(APIError) -> Credential {
    let outcome = await withTaskGroup(of: Result<[UInt8], APIError>.self) { group in
      group.addTask { await run() }
      group.addTask {
        try? await Task.sleep(for: Self.timeout)
        return .failure(.configuration("\(command) gave no credentials within \(Self.timeout); run it by hand to see why"))
      }
      let first = await group.next() ?? .failure(.configuration("\(command) did not run"))
      group.cancelAll()
      return first
    }
    return try Self.credential(in: try outcome.get(), of: command)
  }

  private func run() async -> Result<[UInt8], APIError> {
    var variables: [Environment.Key: String?] = [
      "KUBERNETES_EXEC_INFO": "{\"apiVersion\":\(JSONValue.string(apiVersion).text),\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false}}"
    ]
    for variable in env ?? [] { variables[Environment.Key(stringLiteral: variable.name)] = variable.value }
    do {
      let outcome = try await Subprocess.run(
        command.contains("/") ? .path(FilePath(command)) : .name(command), arguments: Arguments(args ?? []),
        environment: .inherit.updating(variables), output: .bytes(limit: 1 << 20), error: .string(limit: 4096))
      guard outcome.terminationStatus.isSuccess else {
        let said = printable(outcome.standardError.split(separator: "\n").last.map(String.init) ?? "")
        return .failure(.configuration("\(command) ended with \(outcome.terminationStatus): \(said)"))
      }
      return .success(outcome.standardOutput)
    } catch {
      let hint = installHint.map { "; " + printable($0) } ?? "; install it, or use another context"
      return .failure(.configuration("\(command) could not be run: \(printable("\(error)"))\(hint)"))
    }
  }

  static func credential(in output: [UInt8], of command: String) throws(APIError) -> Credential {
    var credential = Credential()
    do {
      var cursor = JSONCursor(output)
      try cursor.members { cursor, key in
        guard key == "status" else { return }
        try cursor.members { cursor, key in
          switch key {
          case "token": credential.token = try cursor.string()
          case "clientCertificateData": credential.chain = try cursor.string().map { Array($0.utf8) }
          case "clientKeyData": credential.key = try cursor.string().map { Array($0.utf8) }
          case "expirationTimestamp": credential.expiry = try cursor.string().flatMap(Timestamp.init)
          default: break
          }
        }
      }
    } catch {
      throw .configuration("\(command) printed no ExecCredential")
    }
    guard credential.token != nil || (credential.chain != nil && credential.key != nil) else {
      throw .configuration("\(command) printed an ExecCredential without token or certificate")
    }
    return credential
  }
}
