/// One transport conversation, as metered: the initiator is `source`, whoever sent the first packet we saw.
///
/// The meter fills the first half; attribution, the vendor catalogue and the policies fill the second.
/// Packets and octets are exact whatever the capture length: octets are counted at the IP layer, as IPFIX
/// `octetDeltaCount` and conntrack do.
public struct FlowRecord: Equatable, Sendable {
  /// Unique within one run of a meter; the same in every record of one flow.
  public var id: UInt64
  public var start: Timestamp
  public var end: Timestamp
  public var transport: Transport
  public var source: SocketAddress
  public var destination: SocketAddress
  /// Totals since the flow began, in the initiator's direction.
  public var out: FlowCounters
  /// Totals since the flow began, in the responder's direction.
  public var `in`: FlowCounters
  /// What of `out` an earlier record of this flow already told; zero in a flow's first record.
  public var reportedOut: FlowCounters
  public var reportedIn: FlowCounters
  public var state: FlowState
  /// Why this record was made; nil while the flow is live.
  public var endReason: FlowEndReason?
  /// What was seen on the wire (`tls`, `http`, `dns`, `ssh` …), never inferred from a port.
  public var application: Application?
  /// Every name with evidence, most trusted first: by source, then confidence, then age. Behind a proxy the destination's own names
  /// come first, and then what was asked of the proxy or said through it (see `destinationNames`).
  public var names: [NameEvidence]
  public var tls: TLSFacts?
  public var proxy: ProxyTarget?
  /// Headers this flow was wrapped in, outermost first (`vlan`, `gre`, `vxlan` …); VLAN tags are not listed.
  public var encapsulation: [String]
  /// What a Service's address was translated to on this host; nil where nothing shows it.
  public var backend: SocketAddress?

  public var scope: Scope
  public var workload: Workload?
  public var vendor: Vendor?
  public var verdict: Verdict?
  public var findings: [FindingKind]

  public init(
    id: UInt64, start: Timestamp, end: Timestamp, transport: Transport, source: SocketAddress, destination: SocketAddress,
    out: FlowCounters, in: FlowCounters, reportedOut: FlowCounters = FlowCounters(), reportedIn: FlowCounters = FlowCounters(),
    state: FlowState, endReason: FlowEndReason? = nil, application: Application? = nil, names: [NameEvidence] = [],
    tls: TLSFacts? = nil, proxy: ProxyTarget? = nil, encapsulation: [String] = [], backend: SocketAddress? = nil, scope: Scope = .external,
    workload: Workload? = nil, vendor: Vendor? = nil, verdict: Verdict? = nil, findings: [FindingKind] = []
  ) {
    self.id = id
    self.start = start
    self.end = end
    self.transport = transport
    self.source = source
    self.destination = destination
    self.out = out
    self.in = `in`
    self.reportedOut = reportedOut
    self.reportedIn = reportedIn
    self.state = state
    self.endReason = endReason
    self.application = application
    self.names = names
    self.tls = tls
    self.proxy = proxy
    self.encapsulation = encapsulation
    self.backend = backend
    self.scope = scope
    self.workload = workload
    self.vendor = vendor
    self.verdict = verdict
    self.findings = findings
  }

  /// The names of the destination itself. What a client says to a proxy and through it is confirmed, but names what lies behind.
  public var destinationNames: [NameEvidence] {
    guard let proxy, proxy.kind != .proxyProtocol else { return names }
    return names.filter { !$0.source.isSpoken }
  }

  /// The destination's name to show: the most trusted one.
  public var name: NameEvidence? {
    guard let proxy, proxy.kind != .proxyProtocol else { return names.first }
    return names.first { !$0.source.isSpoken }
  }

  /// What a policy judges: the flow goes to its destination, whatever is behind that.
  public var judged: Destination {
    Destination(address: destination.ip, port: destination.port, transport: transport, names: destinationNames)
  }
}

/// An address and, for transports that have one, a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  public var ip: IPAddress
  /// Nil for transports without ports (ICMP, GRE …).
  public var port: UInt16?

  @inlinable public init(ip: IPAddress, port: UInt16? = nil) {
    self.ip = ip
    self.port = port
  }

  /// `203.0.113.10:443`, `[2001:db8::1]:443`, or the bare address.
  public var description: String {
    guard let port else { return ip.description }
    return ip.isV4 ? "\(ip):\(port)" : "[\(ip)]:\(port)"
  }
}

/// Packets and IP-layer octets in one direction.
public struct FlowCounters: Hashable, Sendable {
  public var packets: UInt64
  public var bytes: UInt64

  @inlinable public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
    self.packets = packets
    self.bytes = bytes
  }
}

public enum FlowState: String, CaseIterable, Sendable {
  /// Nothing came back yet.
  case attempted
  /// Nothing came back, and the flow is over.
  case unanswered
  /// A TCP reset in answer to the SYN, or ICMP unreachable.
  case refused
  /// TCP: the handshake was completed, or data flowed both ways.
  case established
  /// TCP: both sides sent FIN.
  case closed
  /// TCP: a reset after it was established.
  case reset
  /// Not TCP: something came back.
  case answered
}

/// Why a flow record was made: IPFIX information element 136 (`flowEndReason`).
public enum FlowEndReason: UInt8, CaseIterable, Sendable {
  /// Nothing was seen for the idle timeout.
  case idleTimeout = 1
  /// The flow is long-lived; this is an interim record.
  case activeTimeout = 2
  /// TCP FIN or RST.
  case endOfFlow = 3
  /// The metering process is stopping, or its capture file ended.
  case forcedEnd = 4
  /// Evicted to make room.
  case lackOfResources = 5
}

/// An application protocol recognised by its content.
public struct Application: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public var description: String { rawValue }

  public static let tls = Application(rawValue: "tls")
  public static let quic = Application(rawValue: "quic")
  public static let http = Application(rawValue: "http")
  public static let dns = Application(rawValue: "dns")
  /// DNS over TLS, HTTPS and QUIC.
  public static let dot = Application(rawValue: "dot")
  public static let doh = Application(rawValue: "doh")
  public static let doq = Application(rawValue: "doq")
  public static let ssh = Application(rawValue: "ssh")
  public static let dtls = Application(rawValue: "dtls")
  /// gRPC and WebSocket go over HTTP.
  public static let grpc = Application(rawValue: "grpc")
  public static let websocket = Application(rawValue: "websocket")
  public static let socks = Application(rawValue: "socks")
  public static let smtp = Application(rawValue: "smtp")
  public static let imap = Application(rawValue: "imap")
  public static let pop3 = Application(rawValue: "pop3")
  public static let nntp = Application(rawValue: "nntp")
  public static let ftp = Application(rawValue: "ftp")
  /// ManageSieve.
  public static let sieve = Application(rawValue: "sieve")
  public static let xmpp = Application(rawValue: "xmpp")
  public static let ldap = Application(rawValue: "ldap")
  public static let rdp = Application(rawValue: "rdp")
  public static let ntp = Application(rawValue: "ntp")
  public static let postgres = Application(rawValue: "postgres")
  public static let mysql = Application(rawValue: "mysql")
  public static let mongodb = Application(rawValue: "mongodb")
  public static let redis = Application(rawValue: "redis")
  public static let kafka = Application(rawValue: "kafka")
}

/// Where a destination is, seen from the workload.
public enum Scope: String, CaseIterable, Sendable, Codable {
  case external
  /// A pod or service of the cluster.
  case cluster
  /// A node's own address.
  case node
  /// RFC 1918 and alike, not known to the cluster.
  case `private`
  /// Loopback, link-local, multicast, broadcast.
  case local
}

/// What a ClientHello said besides its name.
public struct TLSFacts: Hashable, Sendable {
  /// Whether an encrypted ClientHello stood in the hello ([RFC 9849](https://www.rfc-editor.org/rfc/rfc9849)).
  public enum ECH: String, Sendable, Codable {
    case none
    /// The extension is there but cannot be a real one, or the client had looked up the name in `sni` itself.
    case grease
    /// `sni` is the public name of an encrypted hello; the real name cannot be seen.
    case outer
  }
  public var sni: DomainName?
  /// Protocol names offered, in order, escaped as `DomainName` escapes octets.
  public var alpn: [String]
  /// The highest version offered: `1.3`, `1.2` … `ssl3`.
  public var version: String?
  public var ja4: String?
  public var ech: ECH

  public init(sni: DomainName? = nil, alpn: [String] = [], version: String? = nil, ja4: String? = nil, ech: ECH = .none) {
    self.sni = sni
    self.alpn = alpn
    self.version = version
    self.ja4 = ja4
    self.ech = ech
  }
}

/// What a client asked a proxy to connect to, or where a proxy says that its client wanted to go.
public struct ProxyTarget: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case httpConnect = "http_connect"
    /// A request for `http://host/path`.
    case httpAbsolute = "http_absolute"
    case socks4
    case socks4a
    case socks5
    /// HAProxy's header: the client is the proxy, and the flow's names are those of its destination.
    case proxyProtocol = "proxy_protocol"
  }
  public var kind: Kind
  /// A name or an address literal.
  public var target: DomainName
  public var port: UInt16?
  /// The name that a hello or a request inside the tunnel asked for, where the target is another name.
  public var innerName: DomainName?

  public init(kind: Kind, target: DomainName, port: UInt16?, innerName: DomainName? = nil) {
    self.kind = kind
    self.target = target
    self.port = port
    self.innerName = innerName
  }

  /// Whether the target is an address literal.
  public var isAddress: Bool { IPAddress(target.text) != nil }

  /// The target as something that was said in the flow; an address literal names nothing.
  public func evidence(_ source: NameSource) -> NameEvidence {
    NameEvidence(name: target, source: source, confidence: isAddress ? .hint : .confirmed)
  }
}

/// A third party, from the vendor catalogue.
public struct Vendor: Hashable, Sendable {
  public var name: String
  public var category: String
  /// The registrable domain that the flow's name lies under.
  public var domain: DomainName
  /// Whether unrelated tenants share the domain (object stores, CDNs, serverless hosts), so that a wildcard over it lets anybody in.
  public var isManyTenant: Bool

  public init(name: String, category: String, domain: DomainName, isManyTenant: Bool = false) {
    self.name = name
    self.category = category
    self.domain = domain
    self.isManyTenant = isManyTenant
  }
}
