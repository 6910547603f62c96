public import EgressModel

/// That somebody accepted that a workload talks to an endpoint, until when and why.
public struct Approval: Hashable, Sendable {
  /// What was accepted: a name or an address, and of it one port or all.
  public struct Endpoint: Hashable, Sendable {
    public enum Host: Hashable, Sendable {
      case name(DomainName)
      case address(IPAddress)
    }

    public var host: Host
    /// Nil is every port.
    public var port: UInt16?
    /// Nil is every transport.
    public var transport: Transport?

    public init(host: Host, port: UInt16? = nil, transport: Transport? = nil) {
      self.host = host
      self.port = port
      self.transport = transport
    }
  }

  public var endpoint: Endpoint
  /// `Workload.group`.
  public var workload: String
  /// Who answers for it.
  public var owner: String
  public var reason: String
  public var ticket: String?
  /// From this moment on it counts no more; nil is never.
  public var expires: Timestamp?
  /// Who wrote it down.
  public var by: String

  public init(
    endpoint: Endpoint, workload: String, owner: String, reason: String, ticket: String? = nil, expires: Timestamp? = nil, by: String
  ) {
    self.endpoint = endpoint
    self.workload = workload
    self.owner = owner
    self.reason = reason
    self.ticket = ticket
    self.expires = expires
    self.by = by
  }

  public func isExpired(at time: Timestamp) -> Bool { expires.map { $0 <= time } ?? false }

  /// `the approval of payments (by ann: monthly export) expired on 2026-01-31`
  var expiryText: String {
    "the approval of \(owner) (by \(by): \(reason)) expired" + (expires.map { " on \($0.dateText)" } ?? "")
  }
}

extension Approval.Endpoint {
  /// Whether it is what was accepted. A name that is only a hint names nothing.
  public func covers(_ destination: Destination) -> Bool {
    if let port, port != destination.port { return false }
    if let transport, transport != destination.transport { return false }
    return switch host {
    case .name(let name): destination.provenName?.name == name
    // An approval of an address is not one of the names that come to share it.
    case .address(let address): destination.provenName == nil && destination.address == address
    }
  }
}

extension Approval.Endpoint: LosslessStringConvertible {
  /// `api.segment.io`, `api.segment.io:443`, `192.0.2.53:53/udp`, `[2001:db8::1]:443`; TCP goes without saying where there is a port.
  public var description: String {
    let address: IPAddress? = if case .address(let address) = host { address } else { nil }
    let text = if case .name(let name) = host { name.text } else { address.map { "\($0)" } ?? "" }
    let place = port.map { address?.isV4 == false ? "[\(text)]:\($0)" : "\(text):\($0)" } ?? text
    guard let transport, transport != .tcp || port == nil else { return place }
    return "\(place)/\(transport)"
  }

  /// Reads what `description` writes; a port without a transport is TCP's. Nil for anything else.
  public init?(_ text: String) {
    var rest = text[...]
    var transport: Transport?
    if let slash = rest.lastIndex(of: "/") {
      guard let read = Transport(String(rest[rest.index(after: slash)...])) else { return nil }
      transport = read
      rest = rest[..<slash]
    }
    if let address = IPAddress(String(rest)) {
      self.init(host: .address(address), transport: transport)
      return
    }
    var port: UInt16?
    if let colon = rest.lastIndex(of: ":") {
      guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else { return nil }
      port = number
      transport = transport ?? .tcp
      rest = rest[..<colon]
      if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
    }
    if let address = IPAddress(String(rest)) {
      self.init(host: .address(address), port: port, transport: transport)
      return
    }
    let name = DomainName(presentation: String(rest))
    let isName = name.labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
    }
    guard isName, name.text.utf8.count <= 253 else { return nil }
    self.init(host: .name(name), port: port, transport: transport)
  }
}

extension Timestamp {
  /// The date alone where the moment is the beginning of a day in UTC.
  var dateText: String {
    let text = description
    return text.hasSuffix("T00:00:00Z") ? String(text.dropLast(10)) : text
  }

  /// A date (`2026-01-31`: the beginning of that day in UTC) or an RFC 3339 time.
  public init?(dateOrTime text: String) {
    guard let moment = Timestamp(text) ?? Timestamp(text + "T00:00:00Z") else { return nil }
    self = moment
  }
}
