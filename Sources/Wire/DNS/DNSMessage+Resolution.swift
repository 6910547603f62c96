public import EgressModel

/// What an answer says about the name that was asked for, and nothing it says about other names.
public struct Resolution: Hashable, Sendable {
  public var name: DomainName
  public var type: RecordType
  public var responseCode: ResponseCode
  /// Canonical names from `name` to the owner of the data, in order; empty without aliases.
  public var chain: [DomainName]
  /// A and AAAA records of the chain's last name.
  public var addresses: [IPAddress]
  /// Address hints of its SVCB and HTTPS records (not of aliases): what a client may connect to without an A or AAAA query.
  public var addressHints: [IPAddress]
  /// Other hosts that its SVCB and HTTPS records name: a client looks these up next.
  public var targets: [DomainName]
  /// Its PTR records: the names of the address asked for.
  public var pointers: [DomainName]
  /// Seconds: the smallest along the chain and the data; nil when nothing was answered.
  public var ttl: UInt32?
}

extension DNSMessage {
  /// The longest chain of aliases followed. Resolvers stop at 8 to 17.
  public static let maximumChainLength = 32

  /// Follows the answer from the question: CNAME by CNAME, in whatever order the records stand, to the last name's records of the
  /// type asked for.
  ///
  /// Nil when this is no answer to exactly one question of class IN. Records of names that no alias leads to are not
  /// believed, nor is anything behind a loop or a chain that is too long.
  public func resolution() -> Resolution? {
    guard flags.isResponse, flags.opcode == 0, questionCount == 1, let question, question.class == .internet else { return nil }
    var resolution = Resolution(
      name: question.name, type: question.type, responseCode: responseCode, chain: [], addresses: [], addressHints: [], targets: [],
      pointers: [], ttl: nil)
    var owner = question.name
    // Asking for the alias itself, one is not sent behind it.
    if question.type != .any {
      while let alias = answers.first(where: { $0.name == owner && $0.class == .internet && $0.type == .cname }),
        case .canonicalName(let target) = alias.data
      {
        resolution.chain.append(target)
        resolution.lower(alias.ttl)
        let isLoop = target == question.name || resolution.chain.dropLast().contains(target)
        if isLoop || resolution.chain.count >= Self.maximumChainLength { return resolution }
        owner = target
        if question.type == .cname { return resolution }
      }
    }
    for record in answers where record.name == owner && record.class == .internet {
      guard record.type == question.type || question.type == .any else { continue }
      resolution.lower(record.ttl)
      switch record.data {
      case .address(let address): resolution.addresses.append(address)
      case .pointer(let name): resolution.pointers.append(name)
      case .service(let binding):
        if !binding.isAlias { resolution.addressHints += binding.addressHints }
        if binding.target.text != ".", binding.target != owner { resolution.targets.append(binding.target) }
      case .canonicalName, .other: break
      }
    }
    return resolution
  }
}

extension Resolution {
  fileprivate mutating func lower(_ recordTTL: UInt32) {
    ttl = min(ttl ?? .max, recordTTL)
  }
}
