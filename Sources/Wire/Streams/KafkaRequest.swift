import EgressModel

/// A request of a Kafka client ([protocol](https://kafka.apache.org/protocol#protocol_messages)).
///
/// ```
/// | length (4) | API (2) | version (2) | correlation (4) | length (2) client … |
/// ```
enum KafkaRequest {
  /// What clients say first: ApiVersions, or, the old ones, Metadata.
  private static let firstAPIs: [UInt16] = [18, 3]
  private static let maximumVersion: UInt16 = 20
  static let maximumByteCount: UInt32 = 65_536

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    guard bytes.mayBegin(with: "\0") else { return .other(.notKafka) }
    guard bytes.count >= 14 else {
      return bytes.count >= 8 && !isHeader(bytes) ? .other(.notKafka) : .needMore(atLeast: 14)
    }
    let nameLength = Int(bytes.uint16(at: 12))
    guard isHeader(bytes), (1...255).contains(nameLength), bytes.uint32(at: 0) >= 10 + UInt32(nameLength) else { return .other(.notKafka) }
    for index in 14..<min(bytes.count, 14 + nameLength) where !(0x20...0x7e).contains(bytes[index]) { return .other(.notKafka) }
    guard bytes.count >= 14 + nameLength else { return .needMore(atLeast: 14 + nameLength) }
    return .found(StreamOpening(.kafka))
  }

  private static func isHeader(_ bytes: Span<UInt8>) -> Bool {
    bytes.uint32(at: 0) <= maximumByteCount && firstAPIs.contains(bytes.uint16(at: 4)) && bytes.uint16(at: 6) <= maximumVersion
  }
}

extension WireError.Reason {
  static let notKafka = Self(rawValue: "not a request of a Kafka client")
}
