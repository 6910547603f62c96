import EgressModel
import Wire

/// Packets made octet by octet, without a link header (`LinkType.raw`).
enum Traffic {
  static func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
  static func bigEndian(_ value: UInt32) -> [UInt8] { bigEndian(UInt16(value >> 16)) + bigEndian(UInt16(value & 0xffff)) }
  static func bigEndian(_ value: UInt64) -> [UInt8] { bigEndian(UInt32(value >> 32)) + bigEndian(UInt32(value & 0xffff_ffff)) }

  static func ip(
    _ source: IPAddress, _ destination: IPAddress, _ transport: Transport, _ payload: [UInt8], fragment: UInt16 = 0, id: UInt16 = 0
  ) -> [UInt8] {
    if let from = source.v4, let to = destination.v4 {
      // Offloaded frames of more than 64 KiB say 0.
      let length = UInt16(exactly: 20 + payload.count) ?? 0
      return [0x45, 0] + bigEndian(length) + bigEndian(id) + bigEndian(fragment) + [64, transport.rawValue, 0, 0] + bigEndian(from)
        + bigEndian(to) + payload
    }
    return [0x60, 0, 0, 0] + bigEndian(UInt16(payload.count)) + [transport.rawValue, 64] + bigEndian(source.high) + bigEndian(source.low)
      + bigEndian(destination.high) + bigEndian(destination.low) + payload
  }

  static func tcp(
    _ source: SocketAddress, _ destination: SocketAddress, _ flags: TCPFlags, sequence: UInt32 = 0, acknowledgment: UInt32 = 0,
    _ payload: [UInt8] = []
  ) -> [UInt8] {
    let header =
      bigEndian(source.port ?? 0) + bigEndian(destination.port ?? 0) + bigEndian(sequence) + bigEndian(acknowledgment)
      + [0x50, flags.rawValue, 1, 0, 0, 0, 0, 0]
    return ip(source.ip, destination.ip, .tcp, header + payload)
  }

  static func udp(_ source: SocketAddress, _ destination: SocketAddress, _ payload: [UInt8] = [0]) -> [UInt8] {
    let header = bigEndian(source.port ?? 0) + bigEndian(destination.port ?? 0) + bigEndian(UInt16(8 + payload.count)) + [0, 0]
    return ip(source.ip, destination.ip, .udp, header + payload)
  }

  static func icmp(_ source: IPAddress, _ destination: IPAddress, type: UInt8, code: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    ip(source, destination, source.isV4 ? .icmp : .icmpv6, [type, code, 0, 0, 0, 0, 0, 0] + payload)
  }

  /// A packet in pieces of `size` octets, the last one shorter; behind an IPv6 fragment header where it is IPv6.
  static func fragments(_ packet: [UInt8], size: Int, id: UInt16 = 7) -> [[UInt8]] {
    let isV4 = packet[0] >> 4 == 4
    let (header, data) = (Array(packet[..<(isV4 ? 20 : 40)]), Array(packet[(isV4 ? 20 : 40)...]))
    return stride(from: 0, to: data.count, by: size).map { offset in
      let end = min(offset + size, data.count)
      return fragment(header, Array(data[offset..<end]), at: offset, hasMore: end < data.count, id: id)
    }
  }

  /// A piece of a datagram, behind the datagram's own IP header.
  static func fragment(_ header: [UInt8], _ piece: [UInt8], at offset: Int, hasMore: Bool, id: UInt16 = 7) -> [UInt8] {
    var header = header
    if header[0] >> 4 == 4 {
      header.replaceSubrange(2..<8, with: bigEndian(UInt16(20 + piece.count)) + bigEndian(id) + bigEndian(UInt16(offset / 8 | (hasMore ? 0x2000 : 0))))
      return header + piece
    }
    let next = header[6]
    header.replaceSubrange(4..<7, with: bigEndian(UInt16(8 + piece.count)) + [44])
    return header + [next, 0] + bigEndian(UInt16(offset | (hasMore ? 1 : 0))) + bigEndian(UInt32(id)) + piece
  }

  // MARK: DNS

  static func name(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  static func query(_ id: UInt16, _ text: String, type: RecordType = .a) -> [UInt8] {
    bigEndian(id) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name(text) + bigEndian(type.rawValue) + [0, 1]
  }

  /// An answer through `aliases` to `addresses`.
  static func answer(
    _ id: UInt16, _ text: String, type: RecordType = .a, aliases: [String] = [], _ addresses: [IPAddress], ttl: UInt32 = 60, code: UInt8 = 0
  ) -> [UInt8] {
    var message = bigEndian(id) + [0x81, 0x80 | code, 0, 1] + bigEndian(UInt16(aliases.count + addresses.count)) + [0, 0, 0, 0]
    message += name(text) + bigEndian(type.rawValue) + [0, 1]
    var owner = text
    for alias in aliases {
      let target = name(alias)
      message += name(owner) + bigEndian(RecordType.cname.rawValue) + [0, 1] + bigEndian(ttl) + bigEndian(UInt16(target.count)) + target
      owner = alias
    }
    for address in addresses {
      let data = address.v4.map { bigEndian($0) } ?? bigEndian(address.high) + bigEndian(address.low)
      message += name(owner) + bigEndian((address.isV4 ? RecordType.a : .aaaa).rawValue) + [0, 1] + bigEndian(ttl)
      message += bigEndian(UInt16(data.count)) + data
    }
    return message
  }

  /// An HTTPS answer with one record: priority, target, address hints ([RFC 9460 §2.2](https://www.rfc-editor.org/rfc/rfc9460#section-2.2)).
  static func httpsAnswer(_ id: UInt16, _ text: String, priority: UInt16, target: String, hints: [IPAddress] = []) -> [UInt8] {
    var data = bigEndian(priority) + name(target)
    let octets = hints.compactMap(\.v4).flatMap { bigEndian($0) }
    if !octets.isEmpty { data += [0, 4] + bigEndian(UInt16(octets.count)) + octets }
    return bigEndian(id) + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + name(text) + bigEndian(RecordType.https.rawValue) + [0, 1] + name(text)
      + bigEndian(RecordType.https.rawValue) + [0, 1] + bigEndian(60 as UInt32) + bigEndian(UInt16(data.count)) + data
  }

  // MARK: TLS

  /// A record with a ClientHello of the fewest octets, of TLS 1.2, or of TLS 1.3 with a well-made encrypted hello in it; plus
  /// `padding` in a padding extension.
  static func clientHello(_ serverName: String?, padding: Int = 0, isEncrypted: Bool = false, alpn: [String] = []) -> [UInt8] {
    var extensions: [UInt8] = []
    if !alpn.isEmpty {
      let list = alpn.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
      extensions += [0, 16] + bigEndian(UInt16(list.count + 2)) + bigEndian(UInt16(list.count)) + list
    }
    if let serverName {
      let octets = Array(serverName.utf8)
      let length = UInt16(octets.count)
      extensions += [0, 0] + bigEndian(length + 5) + bigEndian(length + 3) + [0] + bigEndian(length) + octets
    }
    if isEncrypted {
      extensions += [0, 43, 0, 3, 2, 3, 4]
      // Outer; HKDF-SHA256, AES-128-GCM; configuration 7; a key of 32 octets; a payload of 64.
      let encrypted = [0, 0, 1, 0, 1, 7, 0, 32] + [UInt8](repeating: 5, count: 32) + [0, 64] + [UInt8](repeating: 6, count: 64)
      extensions += [0xfe, 0x0d] + bigEndian(UInt16(encrypted.count)) + encrypted
    }
    if padding > 0 { extensions += [0, 21] + bigEndian(UInt16(padding)) + [UInt8](repeating: 0, count: padding) }
    let body = [3, 3] + [UInt8](repeating: 9, count: 32) + [0, 0, 2, 0x13, 1, 1, 0] + bigEndian(UInt16(extensions.count)) + extensions
    let handshake = [1, 0] + bigEndian(UInt16(body.count)) + body
    return [22, 3, 1] + bigEndian(UInt16(handshake.count)) + handshake
  }

  static func request(_ host: String) -> [UInt8] { Array("GET /secret HTTP/1.1\r\nHost: \(host)\r\nAccept: */*\r\n\r\n".utf8) }
}
