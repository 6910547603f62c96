public import EgressModel

/// A DNS message: its header, its first question and its answer section
/// ([RFC 1035 §4](https://www.rfc-editor.org/rfc/rfc1035#section-4)).
///
/// The other sections are walked only for the extended response code; nothing in them is evidence for the question.
public struct DNSMessage: Hashable, Sendable {
  public var id: UInt16
  public var flags: Flags
  /// The lower four bits from the header, the upper eight from EDNS ([RFC 6891 §6.1.3](https://www.rfc-editor.org/rfc/rfc6891#section-6.1.3)).
  public var responseCode: ResponseCode
  /// How many questions the header claims; anything but 1 makes the message useless as evidence.
  public var questionCount: Int
  /// The first question.
  public var question: Question?
  /// The answer records, in order, up to where decoding stopped.
  public var answers: [ResourceRecord]
  /// Where and why decoding stopped before the end: a snapshot length, the sender's own truncation, or a broken record.
  /// What was decoded before stands. Nil when every record the header counts was read.
  public var stop: WireError?

  public struct Question: Hashable, Sendable {
    public var name: DomainName
    public var type: RecordType
    public var `class`: RecordClass

    public init(name: DomainName, type: RecordType, class: RecordClass = .internet) {
      self.name = name
      self.type = type
      self.class = `class`
    }
  }

  /// The second two octets of the header.
  public struct Flags: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// QR: an answer, not a query.
    @inlinable public var isResponse: Bool { rawValue & 0x8000 != 0 }
    /// 0 is QUERY, the only one that resolves names.
    @inlinable public var opcode: UInt8 { UInt8(rawValue >> 11 & 0xf) }
    @inlinable public var isAuthoritative: Bool { rawValue & 0x0400 != 0 }
    /// TC: the sender left records out, and the client will ask again over TCP.
    @inlinable public var isTruncated: Bool { rawValue & 0x0200 != 0 }
    @inlinable public var isRecursionDesired: Bool { rawValue & 0x0100 != 0 }
  }

  /// The largest message: what the two-octet length of DNS over TCP can say.
  public static let maximumByteCount = 65_535
  /// Records walked in all sections together; a message that claims more stops there.
  public static let maximumRecordCount = 4_096
}

/// A resource record class; nearly always `internet`.
public struct RecordClass: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
  public static let internet = Self(rawValue: 1)
}

/// One record of an answer section.
public struct ResourceRecord: Hashable, Sendable {
  /// The owner: whose record this is.
  public var name: DomainName
  public var type: RecordType
  public var `class`: RecordClass
  /// Seconds. A value above 2³¹ − 1 means 0 and is given as it was sent ([RFC 2181 §8](https://www.rfc-editor.org/rfc/rfc2181#section-8)).
  public var ttl: UInt32
  public var data: Data

  public enum Data: Hashable, Sendable {
    /// A or AAAA.
    case address(IPAddress)
    /// CNAME: the name that the owner stands for.
    case canonicalName(DomainName)
    /// PTR.
    case pointer(DomainName)
    /// SVCB or HTTPS.
    case service(ServiceBinding)
    /// Any other type or class: where the data is, in octets from the start of the message.
    case other(Range<Int>)
  }

  public init(name: DomainName, type: RecordType, class: RecordClass = .internet, ttl: UInt32, data: Data) {
    self.name = name
    self.type = type
    self.class = `class`
    self.ttl = ttl
    self.data = data
  }
}

/// The data of an SVCB or HTTPS record ([RFC 9460 §2](https://www.rfc-editor.org/rfc/rfc9460#section-2)).
public struct ServiceBinding: Hashable, Sendable {
  /// 0 makes `target` an alias; anything else ranks this way of reaching the service, lowest first.
  public var priority: UInt16
  /// The host that serves; `.` stands for the owner of the record (or, in an alias, for "no such service").
  public var target: DomainName
  /// Protocol names, octet by octet as sent.
  public var alpn: [[UInt8]]
  public var port: UInt16?
  /// Addresses a client may use before it has looked `target` up.
  public var addressHints: [IPAddress]
  /// Whether keys for an encrypted ClientHello were handed out ([RFC 9849](https://www.rfc-editor.org/rfc/rfc9849)).
  public var hasECH: Bool

  public var isAlias: Bool { priority == 0 }

  public init(
    priority: UInt16, target: DomainName, alpn: [[UInt8]] = [], port: UInt16? = nil, addressHints: [IPAddress] = [], hasECH: Bool = false
  ) {
    self.priority = priority
    self.target = target
    self.alpn = alpn
    self.port = port
    self.addressHints = addressHints
    self.hasECH = hasECH
  }
}
