/// A resource record type or query type ([IANA registry](https://www.iana.org/assignments/dns-parameters)).
public struct RecordType: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable public static var a: Self { Self(rawValue: 1) }
  @inlinable public static var cname: Self { Self(rawValue: 5) }
  @inlinable public static var ptr: Self { Self(rawValue: 12) }
  @inlinable public static var aaaa: Self { Self(rawValue: 28) }
  @inlinable public static var opt: Self { Self(rawValue: 41) }
  @inlinable public static var svcb: Self { Self(rawValue: 64) }
  @inlinable public static var https: Self { Self(rawValue: 65) }
  /// The query type `*`: any type.
  @inlinable public static var any: Self { Self(rawValue: 255) }

  private static let names: [UInt16: String] = [
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY",
    28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG",
    47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY",
    62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY",
    256: "URI", 257: "CAA",
  ]
  private static let numbers = Dictionary(uniqueKeysWithValues: names.map { ($0.value, $0.key) })
}

extension RecordType: LosslessStringConvertible {
  /// `A`, `AAAA`, `HTTPS` …, or `TYPE` and the number ([RFC 3597 §5](https://www.rfc-editor.org/rfc/rfc3597#section-5)).
  public var description: String { Self.names[rawValue] ?? "TYPE\(rawValue)" }

  /// Reads what `description` writes, in any case.
  public init?(_ text: String) {
    let upper = text.uppercased()
    if let number = Self.numbers[upper] {
      self.init(rawValue: number)
    } else if upper.hasPrefix("TYPE"), let number = UInt16(upper.dropFirst(4)) {
      self.init(rawValue: number)
    } else {
      return nil
    }
  }
}
