import EgressModel

/// What a MySQL or MariaDB client answers to the server's greeting
/// ([HandshakeResponse41, SSLRequest](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets.html)).
///
/// ```
/// | length (3, little-endian) | 1 | capabilities (4) | packet size (4) | character set | 0 (19) | MariaDB's (4) | user …
/// ```
enum MySQLPacket {
  private static let protocol41: UInt32 = 0x200
  private static let ssl: UInt32 = 0x800
  /// What both packets have in common; an SSL request is nothing more, and TLS begins behind it.
  private static let commonLength = 32

  static func opening(of bytes: Span<UInt8>) -> StreamResult<StreamOpening> {
    if bytes.count > 3, bytes[3] != 1 { return .other(.notMySQL) }
    guard bytes.count >= 8 else { return .needMore(atLeast: 8) }
    let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
    let capabilities = bytes.littleEndian32(at: 4)
    guard length >= commonLength, capabilities & protocol41 != 0 else { return .other(.notMySQL) }
    for index in 13..<max(13, min(bytes.count, 32)) where bytes[index] != 0 { return .other(.notMySQL) }
    guard bytes.count >= 4 + commonLength else { return .needMore(atLeast: 4 + commonLength) }
    let isUpgrade = length == commonLength && capabilities & ssl != 0
    return .found(StreamOpening(.mysql, byteCount: isUpgrade ? 4 + commonLength : nil))
  }
}

extension WireError.Reason {
  static let notMySQL = Self(rawValue: "not what a MySQL client says first")
}
