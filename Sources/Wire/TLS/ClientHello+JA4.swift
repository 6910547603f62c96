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
    var suites = cipherSuites
    suites.removeAll(where: \.isGREASE)
    suites.sort()
    var types = extensions
    types.removeAll(where: \.isGREASE)
    types.sort()
    var text: [UInt8] = [carrier.rawValue]
    text.reserveCapacity(36)
    text += fingerprintVersion.utf8
    text.append(types.contains(0) ? UInt8(ascii: "d") : UInt8(ascii: "i"))
    for count in [suites.count, types.count] {
      let count = UInt8(min(count, 99))
      text += [0x30 + count / 10, 0x30 + count % 10]
    }
    text += fingerprintProtocol
    var list: [UInt8] = []
    list.reserveCapacity(5 * max(suites.count, types.count + signatureAlgorithms.count))
    text.append(UInt8(ascii: "_"))
    for suite in suites { Self.append(suite, to: &list) }
    Self.appendHash(of: list, to: &text)
    text.append(UInt8(ascii: "_"))
    list.removeAll(keepingCapacity: true)
    // The server's name and the protocols are in the first part.
    for type in types where type != 0 && type != 16 { Self.append(type, to: &list) }
    var separator = UInt8(ascii: "_")
    for algorithm in signatureAlgorithms where !list.isEmpty && !algorithm.isGREASE {
      Self.append(algorithm, after: separator, to: &list)
      separator = UInt8(ascii: ",")
    }
    Self.appendHash(of: list, to: &text)
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

  /// In four hexadecimal digits, after a comma unless it is the first.
  private static func append(_ value: UInt16, after separator: UInt8 = UInt8(ascii: ","), to list: inout [UInt8]) {
    if !list.isEmpty { list.append(separator) }
    list.append(UInt8(truncatingIfNeeded: value >> 12).hexadecimalDigit)
    list.append(UInt8(truncatingIfNeeded: value >> 8 & 15).hexadecimalDigit)
    list.append(UInt8(truncatingIfNeeded: value >> 4 & 15).hexadecimalDigit)
    list.append(UInt8(truncatingIfNeeded: value & 15).hexadecimalDigit)
  }

  /// The first twelve digits of the SHA-256 of `list`; zeros for an empty one.
  private static func appendHash(of list: [UInt8], to text: inout [UInt8]) {
    guard !list.isEmpty else {
      text += [UInt8](repeating: UInt8(ascii: "0"), count: 12)
      return
    }
    unsafe SHA256.hash(data: list).withUnsafeBytes { digest in
      for index in 0..<6 {
        let octet = unsafe digest[index]
        text.append((octet >> 4).hexadecimalDigit)
        text.append((octet & 15).hexadecimalDigit)
      }
    }
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
