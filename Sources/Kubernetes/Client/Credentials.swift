internal import EgressModel
internal import FoundationEssentials

/// Who we are to the API now: tokens expire and are rotated.
actor Credentials {
  struct Current: Sendable, Equatable {
    var token: String?
    var chain: [UInt8]?
    var key: [UInt8]?
  }

  private let identity: ClusterAccess.Identity
  private var current: Current?
  private var validUntil = ContinuousClock.now

  /// How long a token file's text is believed; the kubelet writes a new one long before the old one ends.
  static let tokenFileAge = Duration.seconds(60)

  init(_ identity: ClusterAccess.Identity) { self.identity = identity }

  /// - Parameter isRefused: the last ones were not taken, so they are got anew however young they are.
  func current(isRefused: Bool = false) async throws(APIError) -> Current {
    if let current, !isRefused, ContinuousClock.now < validUntil { return current }
    var lifetime = Duration.seconds(86_400 * 365)
    let new: Current
    switch identity {
    case .none: new = Current()
    case .token(let token): new = Current(token: token)
    case .tokenFile(let path):
      new = Current(token: String(decoding: try ClusterAccess.contents(path), as: UTF8.self).filter { !$0.isWhitespace })
      lifetime = Self.tokenFileAge
    case .certificate(let chain, let key): new = Current(chain: chain, key: key)
    case .plugin(let plugin):
      let credential = try await plugin.credential()
      new = Current(token: credential.token, chain: credential.chain, key: credential.key)
      if let expiry = credential.expiry {
        // A little early, so that none expires on its way.
        let left = Double(expiry.nanoseconds) / 1e9 - Date.now.timeIntervalSince1970 - 10
        lifetime = .seconds(max(0, left))
      }
    }
    current = new
    validUntil = ContinuousClock.now + lifetime
    return new
  }
}
