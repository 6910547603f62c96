import Crypto
import FoundationEssentials

extension ClientHello {
  /// What carries the handshake.
  public enum Carrier: UInt8, Sendable {
    case tcp = 0x74
    case quic = 0x71
    case dtls = 0x64
  }

  /// The JA4 fingerprint ([technical details](https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md)).
  ///
  /// ```
  /// t13d1516h2_8daaf6152771_02713d6af862
  /// carrier, version, whether a server is named, number of suites and of extensions, first protocol _ suites _ extensions, algorithms
  /// ```
  /// GREASE counts nowhere, and the hashes are of sorted lists, so a client that shuffles its extensions keeps its fingerprint.
  public func ja4(over carrier: Carrier) -> String {
    let suites = cipherSuites.filter { !$0.isGREASE }
    let types = extensions.filter { !$0.isGREASE }
    var text: [UInt8] = [carrier.rawValue]
    text.reserveCapacity(36)
    text += fingerprintVersion.utf8
    text.append(types.contains(0) ? UInt8(ascii: "d") : UInt8(ascii: "i"))
    for count in [suites.count, types.count] {
      let count = UInt8(min(count, 99))
      text += [0x30 + count / 10, 0x30 + count % 10]
    }
    text += fingerprintProtocol
    text.append(UInt8(ascii: "_"))
    Self.appendHash(of: Self.list(suites.sorted()), to: &text)
    text.append(UInt8(ascii: "_"))
    // The server's name and the protocols are in the first part.
    var offered = Self.list(types.filter { $0 != 0 && $0 != 16 }.sorted())
    let algorithms = signatureAlgorithms.filter { !$0.isGREASE }
    if !offered.isEmpty, !algorithms.isEmpty { offered += [UInt8(ascii: "_")] + Self.list(algorithms) }
    Self.appendHash(of: offered, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private var fingerprintVersion: String {
    switch version {
    case .dtls10: "d1"
    case .dtls12: "d2"
    case .dtls13: "d3"
    case .tls13: "13"
    case .tls12: "12"
    case .tls11: "11"
    case .tls10: "10"
    case .ssl3: "s3"
    case .ssl2: "s2"
    default: "00"
    }
  }

  /// First and last octet of the first protocol; of its hexadecimal digits where one of them is no letter or digit.
  private var fingerprintProtocol: [UInt8] {
    guard let name = alpn.first, let first = name.first, let last = name.last else { return [0x30, 0x30] }
    if first.isAlphanumeric, last.isAlphanumeric { return [first, last] }
    return [(first >> 4).hexadecimalDigit, (last & 15).hexadecimalDigit]
  }

  /// In four hexadecimal digits each, with commas between.
  private static func list(_ values: [UInt16]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(5 * values.count)
    for value in values {
      if !text.isEmpty { text.append(UInt8(ascii: ",")) }
      for shift in [12, 8, 4, 0] as [UInt16] { text.append(UInt8(value >> shift & 15).hexadecimalDigit) }
    }
    return text
  }

  /// The first twelve digits of the SHA-256 of `list`; zeros for an empty one.
  private static func appendHash(of list: [UInt8], to text: inout [UInt8]) {
    guard !list.isEmpty else {
      text += [UInt8](repeating: UInt8(ascii: "0"), count: 12)
      return
    }
    for octet in SHA256.hash(data: list).prefix(6) { text += [(octet >> 4).hexadecimalDigit, (octet & 15).hexadecimalDigit] }
  }
}

extension UInt16 {
  /// RFC 8701: 0x0a0a, 0x1a1a … 0xfafa.
  fileprivate var isGREASE: Bool { self & 0x0f0f == 0x0a0a && self >> 8 == self & 0xff }
}

extension UInt8 {
  /// Of a value below 16.
  fileprivate var hexadecimalDigit: UInt8 { self < 10 ? 0x30 + self : 0x57 + self }

  fileprivate var isAlphanumeric: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: false
    }
  }
}
