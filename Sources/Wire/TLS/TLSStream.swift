/// TLS as a client starts it on a stream ([RFC 8446 §5.1](https://www.rfc-editor.org/rfc/rfc8446#section-5.1)).
///
/// ```
/// +--------+---------+--------+----------------------------+
/// | 22     | version | length | handshake fragment         |  a record; a message may take any number of them
/// +--------+---------+--------+----------------------------+
/// ```
public enum TLSStream {
  /// The longest prefix looked at, in octets: room for the largest hello in records of five octets and more.
  public static let maximumPrefixLength = 131_072
  /// Records without content that are tolerated. RFC 8446 forbids them in a handshake, and each costs the receiver work.
  public static let maximumEmptyRecordCount = 16

  /// Whether a stream that starts like this may be TLS: 22, 3, 0…4. Octets that are not there yet do not contradict.
  @inlinable public static func looksLikeRecord(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count > 0, bytes[0] == 22 else { return false }
    guard bytes.count > 1 else { return true }
    guard bytes[1] == 3 else { return false }
    return bytes.count < 3 || bytes[2] <= 4
  }

  /// The ClientHello at the start of what the client said.
  ///
  /// Costs a step a record and copies nothing until the last octet is there. `needMore` counts in what the announced length must
  /// still bring, so a peer that sends tiny records makes the caller ask some dozens of times, not once a record.
  /// An SSLv2-compatible hello ([RFC 5246 §E.2](https://www.rfc-editor.org/rfc/rfc5246#appendix-E.2)) is found, without a name.
  public static func clientHello(in bytes: Span<UInt8>) -> StreamResult<ClientHello> {
    guard bytes.count > 0 else { return .needMore(atLeast: 5) }
    if bytes[0] & 0x80 != 0 { return compatibleHello(in: bytes) }
    guard looksLikeRecord(bytes) else { return .other(.notHandshakeRecord) }

    var fragments = HandshakeFragments()
    while true {
      switch fragments.next(in: bytes) {
      case .needMore(let count):
        return count <= maximumPrefixLength ? .needMore(atLeast: count) : .other(.overLimit)
      case .other(let reason):
        return .other(reason)
      case .found(false):
        continue
      case .found(true):
        return fragments.decode(bytes)
      }
    }
  }

  /// An SSLv2 record header of two octets, then type 1, the version, and three lengths.
  private static func compatibleHello(in bytes: Span<UInt8>) -> StreamResult<ClientHello> {
    guard bytes.count >= 5 else {
      return bytes.count < 3 || bytes[2] == 1 ? .needMore(atLeast: 5) : .other(.notHandshakeRecord)
    }
    let length = Int(bytes[0] & 0x7f) << 8 | Int(bytes[1])
    let version = TLSVersion(rawValue: UInt16(bytes[3]) << 8 | UInt16(bytes[4]))
    guard bytes[2] == 1, version == .ssl2 || (0x0300...0x0304).contains(version.rawValue) else { return .other(.notHandshakeRecord) }
    guard bytes.count >= 11 else { return .needMore(atLeast: 11) }
    let suites = Int(bytes[5]) << 8 | Int(bytes[6])
    let session = Int(bytes[7]) << 8 | Int(bytes[8])
    let challenge = Int(bytes[9]) << 8 | Int(bytes[10])
    guard suites % 3 == 0, suites > 0, length == 9 + suites + session + challenge else { return .other(.lengthOverrun) }
    guard bytes.count >= 2 + length else { return .needMore(atLeast: 2 + length) }
    var hello = ClientHello(legacyVersion: version)
    for place in stride(from: 11, to: 11 + suites, by: 3) where bytes[place] == 0 {
      hello.cipherSuites.append(UInt16(bytes[place + 1]) << 8 | UInt16(bytes[place + 2]))
    }
    return .found(hello)
  }
}

/// Walks handshake records until they hold one whole message.
private struct HandshakeFragments {
  /// Where the next record begins.
  private var offset = 0
  /// Content octets in the records before `offset`.
  private var collected = 0
  private var emptyCount = 0
  /// The message's type and length, as far as they came.
  private var header: (octets: UInt32, count: Int) = (0, 0)

  /// The whole message with its header, once the header is there.
  private var messageLength: Int? {
    header.count == 4 ? Int(header.octets & 0xff_ffff) + 4 : nil
  }

  /// Looks at one more record: true when the message is complete.
  mutating func next(in bytes: Span<UInt8>) -> StreamResult<Bool> {
    // Whatever is still missing comes in at least one record more.
    let missing = (messageLength ?? 4) - collected
    guard bytes.count - offset >= 5 else { return .needMore(atLeast: offset + 5 + missing) }
    guard bytes[offset] == 22, bytes[offset + 1] == 3, bytes[offset + 2] <= 4 else { return .other(.notHandshakeRecord) }
    let length = Int(bytes[offset + 3]) << 8 | Int(bytes[offset + 4])
    // RFC 8446 5.1: 2^14 octets of plaintext.
    guard length <= 16_384 else { return .other(.lengthOverrun) }
    if length == 0 {
      emptyCount += 1
      guard emptyCount <= TLSStream.maximumEmptyRecordCount else { return .other(.emptyRecords) }
    }
    let content = offset + 5
    for index in content..<min(bytes.count, content + min(length, 4 - header.count)) {
      header.octets = header.octets << 8 | UInt32(bytes[index])
      header.count += 1
    }
    if header.count > 0, header.octets >> UInt32(8 * (header.count - 1)) != 1 { return .other(.notClientHello) }
    if let messageLength, messageLength > ClientHello.maximumByteCount { return .other(.overLimit) }
    let end = content + length
    let stillMissing = (messageLength ?? 4) - collected
    if stillMissing <= length {
      guard messageLength != nil else { return .needMore(atLeast: content + stillMissing) }
      return content + stillMissing <= bytes.count ? .found(true) : .needMore(atLeast: content + stillMissing)
    }
    guard end <= bytes.count else { return .needMore(atLeast: end + 5 + stillMissing - length) }
    collected += length
    offset = end
    return .found(false)
  }

  /// Decodes the message that ends in the record at `offset`.
  func decode(_ bytes: Span<UInt8>) -> StreamResult<ClientHello> {
    do throws(WireError) {
      if collected == 0 {
        return .found(try ClientHello(decodingHandshake: bytes.extracting(offset + 5..<bytes.count)))
      }
      return .found(try ClientHello(decodingHandshake: joined(bytes).span))
    } catch {
      switch error {
      case .truncated: return .other(.lengthOverrun)
      case .malformed(_, let reason, _): return .other(reason)
      }
    }
  }

  private func joined(_ bytes: Span<UInt8>) -> [UInt8] {
    let total = messageLength ?? 0
    var message: [UInt8] = []
    message.reserveCapacity(total)
    var record = 0
    while message.count < total {
      let length = Int(bytes[record + 3]) << 8 | Int(bytes[record + 4])
      for index in record + 5..<record + 5 + min(length, total - message.count) { message.append(bytes[index]) }
      record += 5 + length
    }
    return message
  }
}

extension WireError.Reason {
  public static let notHandshakeRecord = Self(rawValue: "not a TLS handshake record")
  public static let emptyRecords = Self(rawValue: "too many records without content")
}
