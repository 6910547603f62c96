public import EgressModel

/// One connection as the kernel's connection tracking knows it: as it was begun, and as it is answered.
public struct TrackedConnection: Hashable, Sendable {
  /// One direction of a connection.
  public struct Tuple: Hashable, Sendable {
    public var transport: Transport
    public var source: SocketAddress
    public var destination: SocketAddress

    public init(transport: Transport, source: SocketAddress, destination: SocketAddress) {
      self.transport = transport
      self.source = source
      self.destination = destination
    }

    public var reversed: Tuple { Tuple(transport: transport, source: destination, destination: source) }
  }

  /// As the initiator sent it, before any translation.
  public var original: Tuple
  /// As the answers come in: the reverse of what leaves this host.
  public var reply: Tuple

  public init(original: Tuple, reply: Tuple) {
    self.original = original
    self.reply = reply
  }

  /// As it leaves this host, after all translation.
  public var translated: Tuple { reply.reversed }
}

extension TrackedConnection {
  /// Reads a message of ctnetlink, behind its `struct nfgenmsg`; nil when it has not both directions.
  init?(message payload: ArraySlice<UInt8>) {
    let attributes = NetlinkMessage.attributes(in: payload, from: Self.generalHeader.count)
    guard let original = attributes[Attribute.original].flatMap(Tuple.init(attribute:)), let reply = attributes[Attribute.reply].flatMap(Tuple.init(attribute:))
    else { return nil }
    self.init(original: original, reply: reply)
  }

  /// `struct nfgenmsg`: family, version 0, no resource.
  static let generalHeader: [UInt8] = [0, 0, 0, 0]

  /// CTA_* of linux/netfilter/nfnetlink_conntrack.h.
  enum Attribute {
    static let original: UInt16 = 1
    static let reply: UInt16 = 2
    static let addresses: UInt16 = 1
    static let transport: UInt16 = 2
    static let v4Source: UInt16 = 1
    static let v4Destination: UInt16 = 2
    static let v6Source: UInt16 = 3
    static let v6Destination: UInt16 = 4
    static let number: UInt16 = 1
    static let sourcePort: UInt16 = 2
    static let destinationPort: UInt16 = 3
    /// NLA_F_NESTED.
    static let nested: UInt16 = 0x8000
  }
}

extension TrackedConnection.Tuple {
  private typealias Attribute = TrackedConnection.Attribute

  init?(attribute: ArraySlice<UInt8>) {
    let parts = NetlinkMessage.attributes(in: attribute, from: 0)
    guard let ip = parts[Attribute.addresses], let layer = parts[Attribute.transport] else { return nil }
    let addresses = NetlinkMessage.attributes(in: ip, from: 0)
    let transport = NetlinkMessage.attributes(in: layer, from: 0)
    func address(_ v4: UInt16, _ v6: UInt16) -> IPAddress? {
      if let octets = addresses[v4], octets.count == 4 { return IPAddress(networkOrder: Array(octets)) }
      if let octets = addresses[v6], octets.count == 16 { return IPAddress(networkOrder: Array(octets)) }
      return nil
    }
    func port(_ attribute: UInt16) -> UInt16? {
      transport[attribute].flatMap { $0.count == 2 ? $0.reduce(0) { $0 << 8 | UInt16($1) } : nil }
    }
    guard let source = address(Attribute.v4Source, Attribute.v6Source), let destination = address(Attribute.v4Destination, Attribute.v6Destination),
      let number = transport[Attribute.number]?.first
    else { return nil }
    self.init(
      transport: Transport(rawValue: number), source: SocketAddress(ip: source, port: port(Attribute.sourcePort)),
      destination: SocketAddress(ip: destination, port: port(Attribute.destinationPort)))
  }

  /// AF_INET or AF_INET6.
  var family: UInt8 { source.ip.isV4 && destination.ip.isV4 ? 2 : 10 }

  /// The tuple as the value of an attribute.
  var attribute: [UInt8] {
    let isV4 = family == 2
    func octets(_ address: IPAddress) -> [UInt8] { Array(address.octets(in: family).prefix(isV4 ? 4 : 16)) }
    func octets(_ port: UInt16?) -> [UInt8] { [UInt8((port ?? 0) >> 8), UInt8((port ?? 0) & 255)] }
    let ip =
      NetlinkMessage.attribute(isV4 ? Attribute.v4Source : Attribute.v6Source, octets(source.ip))
      + NetlinkMessage.attribute(isV4 ? Attribute.v4Destination : Attribute.v6Destination, octets(destination.ip))
    let layer =
      NetlinkMessage.attribute(Attribute.number, [transport.rawValue]) + NetlinkMessage.attribute(Attribute.sourcePort, octets(source.port))
      + NetlinkMessage.attribute(Attribute.destinationPort, octets(destination.port))
    return NetlinkMessage.attribute(Attribute.addresses | Attribute.nested, ip) + NetlinkMessage.attribute(Attribute.transport | Attribute.nested, layer)
  }
}
