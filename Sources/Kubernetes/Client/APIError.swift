internal import EgressModel

/// `Status`, what the API answers when something went wrong.
public struct APIStatus: Hashable, Sendable {
  public var code: Int
  /// `Forbidden`, `Expired` …; empty where the answer was no Status.
  public var reason: String
  public var message: String

  init(code: Int, reason: String = "", message: String) {
    self.code = code
    self.reason = reason
    self.message = message
  }

  init(_ bytes: [UInt8], at offset: Int = 0) throws {
    self.init(code: 0, message: "")
    var cursor = JSONCursor(bytes, at: offset)
    try cursor.members { cursor, key in
      switch key {
      case "code": code = Int(try cursor.integer() ?? 0)
      case "reason": reason = try cursor.string() ?? ""
      case "message": message = try cursor.string() ?? ""
      default: break
      }
    }
  }
}

/// Why the API could not be read, in words for an operator.
public enum APIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No answer: no route, no TLS, no name, or silence for too long.
  case unreachable(server: String, cause: String)
  case refused(path: String, status: APIStatus, retryAfter: Int?)
  /// An answer that is none of the API's.
  case malformed(path: String, cause: String)
  case configuration(String)

  public var description: String {
    switch self {
    case .unreachable(let server, let cause): "cannot reach the API server at \(server): \(printable(cause)); check the address and the network"
    case .refused(_, let status, _) where status.code == 401:
      "the API server does not know this token or certificate (401); check the service account or the kubeconfig"
    case .refused(_, let status, _) where status.code == 403: "\(printable(status.message)); grant get, list and watch to the account that egress-obs runs as"
    case .refused(let path, let status, _): "the API server answers \(status.code) to \(path): \(printable(status.message))"
    case .malformed(let path, let cause): "the API server's answer to \(path) cannot be read: \(printable(cause))"
    case .configuration(let text): text
    }
  }

  var status: Int? {
    if case .refused(_, let status, _) = self { status.code } else { nil }
  }
}

/// One short line of what somebody else said.
func printable(_ text: String) -> String {
  String(text.prefix(300).map { $0.isASCII && ($0.asciiValue ?? 0) >= 0x20 && $0.asciiValue != 0x7f ? $0 : "?" })
}
