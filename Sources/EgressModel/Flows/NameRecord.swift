/// One answer to a name query, as the client that asked saw it.
public struct NameRecord: Hashable, Sendable {
  public var time: Timestamp
  public var client: IPAddress
  public var server: IPAddress
  /// The queried name.
  public var name: DomainName
  /// The queried type: `A`, `AAAA`, `HTTPS` …, or `TYPE` and a number ([RFC 3597](https://www.rfc-editor.org/rfc/rfc3597)).
  public var type: String
  /// Canonical names from the queried name to the owner of the addresses, in order.
  public var chain: [DomainName]
  public var addresses: [IPAddress]
  /// Seconds: the smallest time to live along the chain; nil when nothing was answered.
  public var ttl: UInt32?
  /// `NOERROR`, `NXDOMAIN` …, or `RCODE` and a number.
  public var rcode: String

  public init(
    time: Timestamp, client: IPAddress, server: IPAddress, name: DomainName, type: String, chain: [DomainName] = [],
    addresses: [IPAddress] = [], ttl: UInt32? = nil, rcode: String
  ) {
    self.time = time
    self.client = client
    self.server = server
    self.name = name
    self.type = type
    self.chain = chain
    self.addresses = addresses
    self.ttl = ttl
    self.rcode = rcode
  }
}
