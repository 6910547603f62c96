/// The messages that open a TLS connection ([RFC 8446 §4.1](https://www.rfc-editor.org/rfc/rfc8446#section-4.1)), shaped like those of current browsers.
struct ClientHello {
  enum Generation {
    /// No key share, no supported_versions.
    case tls12
    /// X25519, padded to 512 octets as browsers did ([RFC 7685](https://www.rfc-editor.org/rfc/rfc7685)).
    case tls13
    /// An X25519MLKEM768 key share of 1,216 octets: the hello no longer fits one segment.
    case postQuantum
  }

  var serverName: String
  var generation: Generation
  var applicationProtocols: [String]
  /// The connection ID for the transport parameters; nil when the hello travels over TCP.
  var quicConnectionID: [UInt8]?

  /// The handshake message: type, 24-bit length, body.
  func message(using random: inout SplitMix64) -> [UInt8] {
    let grease = UInt16(0x0a0a &+ 0x1010 &* random.below(16))
    let clientRandom = random.bytes(32)
    let sessionID = quicConnectionID == nil ? random.bytes(32) : []
    let shares = keyShares(using: &random)
    var message: [UInt8] = [1]
    message.appendVector(octets: 3) { body in
      body.append(bigEndian: 0x0303 as UInt16)
      body.append(contentsOf: clientRandom)
      body.appendVector(octets: 1) { $0.append(contentsOf: sessionID) }
      body.appendVector(octets: 2) { list in
        list.append(bigEndian: grease)
        for suite in generation == .tls12 ? Self.cipherSuites.dropFirst(3) : Self.cipherSuites[...] { list.append(bigEndian: suite) }
      }
      body.append(contentsOf: [1, 0])
      body.appendVector(octets: 2) { appendExtensions(to: &$0, grease: grease, shares: shares) }
    }
    return message
  }

  private static let cipherSuites: [UInt16] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
  ]

  private func keyShares(using random: inout SplitMix64) -> [(group: UInt16, key: [UInt8])] {
    switch generation {
    case .tls12: []
    case .tls13: [(0x001d, random.bytes(32))]
    case .postQuantum: [(0x11ec, random.bytes(1216)), (0x001d, random.bytes(32))]
    }
  }

  private func appendExtensions(to list: inout [UInt8], grease: UInt16, shares: [(group: UInt16, key: [UInt8])]) {
    func add(_ type: UInt16, _ body: (inout [UInt8]) -> Void = { _ in }) {
      list.append(bigEndian: type)
      list.appendVector(octets: 2, body)
    }
    let start = list.count
    add(grease)
    add(0x0000) { $0.appendVector(octets: 2) { $0.append(0); $0.appendVector(octets: 2) { $0.append(contentsOf: serverName.utf8) } } }
    add(0x0017)
    add(0xff01) { $0.append(0) }
    add(0x000a) {
      $0.appendVector(octets: 2) { groups in
        groups.append(bigEndian: grease)
        if generation == .postQuantum { groups.append(bigEndian: 0x11ec as UInt16) }
        for group: UInt16 in [0x001d, 0x0017, 0x0018] { groups.append(bigEndian: group) }
      }
    }
    add(0x000b) { $0.append(contentsOf: [1, 0]) }
    add(0x0023)
    add(0x0010) { $0.appendVector(octets: 2) { for name in applicationProtocols { $0.appendVector(octets: 1) { $0.append(contentsOf: name.utf8) } } } }
    add(0x0005) { $0.append(contentsOf: [1, 0, 0, 0, 0]) }
    add(0x000d) {
      $0.appendVector(octets: 2) { for scheme: UInt16 in [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601] { $0.append(bigEndian: scheme) } }
    }
    add(0x0012)
    if generation != .tls12 {
      add(0x0033) {
        $0.appendVector(octets: 2) { entries in
          entries.append(bigEndian: grease)
          entries.appendVector(octets: 2) { $0.append(0) }
          for share in shares {
            entries.append(bigEndian: share.group)
            entries.appendVector(octets: 2) { $0.append(contentsOf: share.key) }
          }
        }
      }
      add(0x002d) { $0.append(contentsOf: [1, 1]) }
      add(0x002b) { $0.appendVector(octets: 1) { for version in [grease, 0x0304, 0x0303] { $0.append(bigEndian: version) } } }
    }
    if let quicConnectionID { add(0x0039) { Self.appendTransportParameters(to: &$0, initialSource: quicConnectionID) } }
    let length = list.count - start
    if generation != .postQuantum, quicConnectionID == nil, length < 396 {
      add(0x0015) { $0.append(contentsOf: repeatElement(0, count: 396 - length)) }
    }
  }

  /// [RFC 9000 §18](https://www.rfc-editor.org/rfc/rfc9000#section-18): idle timeout, payload size, flow-control limits, streams, and the source connection ID.
  private static func appendTransportParameters(to list: inout [UInt8], initialSource: [UInt8]) {
    for (identifier, value) in [(0x01, 30_000), (0x03, 1_472), (0x04, 15_728_640), (0x05, 6_291_456), (0x08, 100)] {
      var encoded: [UInt8] = []
      encoded.append(quicInteger: value)
      list.append(quicInteger: identifier)
      list.append(quicInteger: encoded.count)
      list.append(contentsOf: encoded)
    }
    list.append(quicInteger: 0x0f)
    list.append(quicInteger: initialSource.count)
    list.append(contentsOf: initialSource)
  }
}

enum TLSServer {
  /// ServerHello as a handshake message; with a post-quantum client it carries the 1,120-octet answer to its key share.
  static func hello(postQuantum: Bool, using random: inout SplitMix64) -> [UInt8] {
    let serverRandom = random.bytes(32)
    let sessionID = random.bytes(32)
    let share = random.bytes(postQuantum ? 1120 : 32)
    var message: [UInt8] = [2]
    message.appendVector(octets: 3) { body in
      body.append(bigEndian: 0x0303 as UInt16)
      body.append(contentsOf: serverRandom)
      body.appendVector(octets: 1) { $0.append(contentsOf: sessionID) }
      body.append(contentsOf: [0x13, 0x01, 0])
      body.appendVector(octets: 2) { list in
        list.append(contentsOf: [0x00, 0x2b, 0x00, 0x02, 0x03, 0x04, 0x00, 0x33])
        list.appendVector(octets: 2) { entry in
          entry.append(bigEndian: postQuantum ? 0x11ec : 0x001d as UInt16)
          entry.appendVector(octets: 2) { $0.append(contentsOf: share) }
        }
      }
    }
    return message
  }
}

/// A TLS record ([RFC 8446 §5.1](https://www.rfc-editor.org/rfc/rfc8446#section-5.1)).
enum TLSRecord {
  static let changeCipherSpec: [UInt8] = [20, 3, 3, 0, 1, 1]

  static func handshake(_ message: [UInt8], version: UInt16) -> [UInt8] {
    var record: [UInt8] = [22]
    record.append(bigEndian: version)
    record.appendVector(octets: 2) { $0.append(contentsOf: message) }
    return record
  }

  /// Application data of `count` octets, in records of at most 2¹⁴.
  static func applicationData(count: Int, noise: inout Noise) -> [UInt8] {
    var records: [UInt8] = []
    records.reserveCapacity(count + count / 3276 + 5)
    var left = count
    repeat {
      let length = min(left, 16_384)
      records.append(contentsOf: [23, 3, 3])
      records.append(bigEndian: UInt16(length))
      records.append(contentsOf: noise.slice(length))
      left -= length
    } while left > 0
    return records
  }
}
